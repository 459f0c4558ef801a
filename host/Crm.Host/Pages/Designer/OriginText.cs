using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>Properties and what layers say about them, in words.</summary>
internal static class OriginText
{
    private const int Longest = 120;

    /// <summary>Which property: <c>Website › Label</c>.</summary>
    public static string Name(EntityDefinition entity, IReadOnlyList<string> path) => path switch
    {
        ["fields", var name, var property] => (entity.TryField(name, out var field) ? field.Label : name) + " › " + Property(property),
        ["views", var name] => DesignerTexts.Of("Part_views", entity.Views.FirstOrDefault(v => v.Name == name)?.Label ?? Names.ToLabel(name)),
        ["rules", var name] => DesignerTexts.Of("Part_rules", entity.Rules.FirstOrDefault(r => r.Name == name)?.Label ?? Names.ToLabel(name)),
        ["form"] => DesignerTexts.Of("Part_form"),
        [var property] => Property(property),
        _ => string.Join(" › ", path),
    };

    /// <summary>A value in few words.</summary>
    /// <param name="path">The property.</param>
    /// <param name="json">The value.</param>
    public static string Value(IReadOnlyList<string> path, string? json)
    {
        if (json is null)
        {
            return DesignerTexts.Of(path is ["views" or "rules", _] ? "LayerRemoved" : "LayerNothing");
        }

        var text = (path, JsonNode.Parse(json)) switch
        {
            (["form"], JsonObject form) => DesignerTexts.Of("LayerForm", (form["sections"] as JsonArray)?.Count ?? 0),
            (_, { } value) => Words(value),
            _ => DesignerTexts.Of("LayerNothing"),
        };
        return text.Length > Longest ? text[..Longest] + "…" : text;
    }

    private static string Property(string name) => DesignerTexts.Find("Property_" + name) ?? Names.ToLabel(name);

    private static string Words(JsonNode? value) => value switch
    {
        null => "—",
        JsonArray list => list.Count == 0 ? "—" : string.Join(", ", list.Select(Words)),
        // A choice, a stage, a view: known by its label, and a view also by its columns.
        JsonObject named when named["label"] is { } label => named["columns"] is { } columns ? $"{Words(label)} ({Words(columns)})" : Words(label),
        JsonObject parts => string.Join(", ", parts.Where(p => p.Value is not null).Select(p => parts.Count == 1 ? Words(p.Value) : $"{Names.ToLabel(p.Key)} {Words(p.Value)}")),
        JsonValue one when one.TryGetValue<bool>(out var yes) => DesignerTexts.Of(yes ? "Yes" : "No"),
        _ => "“" + value + "”",
    };
}
