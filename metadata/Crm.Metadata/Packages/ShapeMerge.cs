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

    /// <summary>In the package's order when it has them all; otherwise what is there stays where it is and what is new follows.</summary>
    private static JsonArray Named(JsonArray below, JsonArray top, Func<JsonObject, JsonObject, JsonObject> merge)
    {
        var known = below.ToDictionary(Name, b => b!.AsObject(), StringComparer.Ordinal);
        var wanted = top.ToDictionary(Name, t => t!.AsObject(), StringComparer.Ordinal);
        var order = known.Keys.All(wanted.ContainsKey) ? top : below.Concat(top);
        return new JsonArray([.. order.Select(Name).Distinct(StringComparer.Ordinal).Select(name =>
            (JsonNode)(!wanted.TryGetValue(name, out var over) ? known[name] : known.TryGetValue(name, out var item) ? merge(item, over) : over).DeepClone())]);
    }

    private static JsonArray Union(JsonArray below, JsonArray top) =>
        new([.. below.Concat(top).Select(n => n!.GetValue<string>()).Distinct(StringComparer.Ordinal).Select(n => (JsonNode)n)]);

    private static string Name(JsonNode? item) => item?["name"]?.ToString() ?? "";
}
