using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>What a layer says about an entity as a flat list: one entry for each property of the entity and of its fields, one for each view, each rule, each grant and the form.</summary>
internal static class LayerSays
{
    private const char Separator = '/';

    // Properties that only make sense together are one.
    private static readonly string[][] Together = [["stages", "moves"], ["prefix", "width", "start"], ["type", "result"]];

    /// <summary>Path and value of everything a shape says, in its order. A view or rule that it takes away has no value.</summary>
    public static OrderedDictionary<string, JsonNode?> Of(EntityShape shape) => Of(ShapeJson.Write(shape));

    /// <inheritdoc cref="Of(EntityShape)"/>
    public static OrderedDictionary<string, JsonNode?> Of(JsonObject? shape)
    {
        var says = new OrderedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (property, value) in shape ?? [])
        {
            switch (property)
            {
                case "name" or "id" or "owner":
                    break;
                case "fields":
                    foreach (var field in value!.AsArray().Select(f => f!.AsObject()))
                    {
                        Field(says, field);
                    }

                    break;
                case "views" or "rules" or "grants":
                    foreach (var item in value!.AsArray())
                    {
                        says[Key(property, item!["name"]!.GetValue<string>())] = item;
                    }

                    break;
                case "removed_views" or "removed_rules":
                    foreach (var name in value!.AsArray())
                    {
                        says[Key(property["removed_".Length..], name!.GetValue<string>())] = null;
                    }

                    break;
                default:
                    says[property] = value;
                    break;
            }
        }

        return says;
    }

    public static string Key(params ReadOnlySpan<string> path) => string.Join(Separator, path);

    public static ImmutableArray<string> Path(string key) => [.. key.Split(Separator)];

    /// <summary>The properties that are one with this one.</summary>
    public static List<string> PartsOf(string property) => [.. Together.FirstOrDefault(t => t[0] == property) ?? [property]];

    /// <summary>Whether a path is another one or lies below it.</summary>
    public static bool IsBelow(ImmutableArray<string> path, ImmutableArray<string> above) => path.Length >= above.Length && path.AsSpan()[..above.Length].SequenceEqual(above.AsSpan());

    private static void Field(OrderedDictionary<string, JsonNode?> says, JsonObject field)
    {
        var name = field["name"]!.GetValue<string>();
        foreach (var (property, value) in field.Where(p => p.Key is not ("name" or "id")))
        {
            if (Together.FirstOrDefault(t => t.Contains(property, StringComparer.Ordinal)) is not { } group)
            {
                says[Key("fields", name, property)] = value;
            }
            else if (says.TryGetValue(Key("fields", name, group[0]), out var together))
            {
                together![property] = value?.DeepClone();
            }
            else
            {
                says[Key("fields", name, group[0])] = new JsonObject { [property] = value?.DeepClone() };
            }
        }
    }
}
