using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>Lays what a package says about an entity over what the customer's layer says, in JSON: a property invented later needs no line here.</summary>
internal static class ShapeMerge
{
    public static JsonObject Of(JsonObject current, JsonObject wanted, bool isComplete) => isComplete ? Complete(current, wanted) : Over(current, wanted, isItem: false);

    /// <summary>The package alone; fields it does not have stay, hidden, because their columns hold data.</summary>
    private static JsonObject Complete(JsonObject current, JsonObject wanted)
    {
        var merged = wanted.DeepClone().AsObject();
        var fields = merged["fields"] as JsonArray ?? [];
        var names = fields.Select(Name).ToHashSet(StringComparer.Ordinal);
        foreach (var left in (current["fields"] as JsonArray ?? []).Where(f => f!["type"] is not null && !names.Contains(Name(f))))
        {
            var hidden = left!.DeepClone().AsObject();
            hidden["hidden"] = true;
            fields.Add(hidden);
        }

        if (fields.Count > 0)
        {
            merged["fields"] = fields.Parent is null ? fields : fields.DeepClone();
        }

        return merged;
    }

    /// <summary>What the package does not say stays as it is.</summary>
    private static JsonObject Over(JsonObject current, JsonObject wanted, bool isItem)
    {
        var merged = current.DeepClone().AsObject();
        foreach (var (property, value) in wanted)
        {
            merged[property] = (merged[property], value) switch
            {
                (JsonArray below, JsonArray top) when !isItem && property == "fields" => Named(below, top, (one, other) => Over(one, other, isItem: true)),
                (JsonArray below, JsonArray top) when !isItem && property != "placements" && below.Concat(top).All(i => i is JsonObject) => Named(below, top, (_, other) => other),
                (JsonArray below, JsonArray top) when !isItem && property == "removed_views" => Union(below, top),
                _ => value?.DeepClone(),
            };
        }

        return merged;
    }

    private static JsonArray Named(JsonArray below, JsonArray top, Func<JsonObject, JsonObject, JsonObject> merge)
    {
        var known = top.ToDictionary(Name, t => t!.AsObject(), StringComparer.Ordinal);
        var merged = new JsonArray();
        foreach (var item in below.Select(b => b!.AsObject()))
        {
            merged.Add((known.Remove(Name(item), out var over) ? merge(item, over) : item).DeepClone());
        }

        foreach (var added in top.Where(t => known.ContainsKey(Name(t))))
        {
            merged.Add(added!.DeepClone());
        }

        return merged;
    }

    private static JsonArray Union(JsonArray below, JsonArray top) =>
        new([.. below.Concat(top).Select(n => n!.GetValue<string>()).Distinct(StringComparer.Ordinal).Select(n => (JsonNode)n)]);

    private static string Name(JsonNode? item) => item?["name"]?.ToString() ?? "";
}
