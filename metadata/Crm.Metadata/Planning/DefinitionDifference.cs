using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>One property of a definition, before and after.</summary>
/// <param name="Layer">Whose definition: a module's id, <c>platform</c> or <c>custom</c>.</param>
/// <param name="Kind"><c>entity</c>, <c>area</c> or <c>settings</c>.</param>
/// <param name="Name">Name of the entity or area; <c>settings</c>.</param>
/// <param name="Path">Where in it: <c>label</c>, or <c>fields</c>, <c>x_rating</c>, <c>help</c>; empty for all of it.</param>
/// <param name="Before">As JSON; null when it was not there.</param>
/// <param name="After">As JSON; null when it is not there any more.</param>
public sealed record DefinitionDifference(string Layer, string Kind, string Name, ImmutableArray<string> Path, string? Before, string? After)
{
    // These hold definitions with names of their own; everything else is one property, however much it holds.
    private static readonly string[] Named = ["fields", "views", "rules", "grants"];

    internal static IEnumerable<DefinitionDifference> Between(DefinitionRow row) =>
        (row.From is null || row.From == row.Name ? [] : Between(new JsonObject { ["name"] = row.From }, new JsonObject { ["name"] = row.Name })).Concat(Between(row.Before, row.After)).Select(d => new DefinitionDifference(row.Layer, row.Kind, row.Name, d.Path, d.Before?.ToJsonString(), d.After?.ToJsonString()));

    /// <summary>Properties that differ.</summary>
    internal static IEnumerable<(ImmutableArray<string> Path, JsonNode? Before, JsonNode? After)> Between(JsonObject? before, JsonObject? after) => Between(before, after, isEntity: true);

    // What a rule or a grant says about fields is a property of it, not a list of definitions.
    private static IEnumerable<(ImmutableArray<string> Path, JsonNode? Before, JsonNode? After)> Between(JsonObject? before, JsonObject? after, bool isEntity)
    {
        if (before is null || after is null)
        {
            if (before is not null || after is not null)
            {
                yield return ([], before, after);
            }

            yield break;
        }

        foreach (var property in before.Select(p => p.Key).Union(after.Select(p => p.Key)))
        {
            if (isEntity && Named.Contains(property))
            {
                var (old, changed) = (Items(before, property), Items(after, property));
                foreach (var name in old.Keys.Union(changed.Keys))
                {
                    foreach (var (path, one, other) in Between(old.GetValueOrDefault(name), changed.GetValueOrDefault(name), isEntity: false))
                    {
                        yield return ([property, name, .. path], one, other);
                    }
                }
            }
            else if (!JsonNode.DeepEquals(before[property], after[property]))
            {
                yield return ([property], before[property], after[property]);
            }
        }
    }

    /// <summary>The named parts of a definition, in their order.</summary>
    internal static Dictionary<string, JsonObject> Items(JsonObject body, string property) =>
        (body[property] as JsonArray ?? []).Select(i => i!.AsObject()).ToDictionary(i => i["name"]!.GetValue<string>(), StringComparer.Ordinal);
}

/// <summary>A row of <c>crm.definition</c> before and after a change, as history keeps it.</summary>
internal sealed record DefinitionRow(string Layer, string Kind, string Name, JsonObject? Before, JsonObject? After)
{
    /// <summary>What an entity was called before that got another name; null for every other row. What the row says of before is in the words of after all the same.</summary>
    public string? From { get; init; }

    /// <summary>What an entity was called after that has another name by now; null for every other row.</summary>
    public string? Then { get; init; }

    /// <summary>The row in the words of later: with the names that entities got since.</summary>
    public DefinitionRow Follow(IEnumerable<EntityRename> renames) => renames.Aggregate(this, (row, rename) => row.Follow(rename));

    /// <summary>Stored definitions are in the words of shapes, so that reading them back cannot fail but for a fault of ours.</summary>
    public static EntityShape ShapeOf(JsonObject body)
    {
        using var document = JsonDocument.Parse(body.ToJsonString());
        var errors = new List<PlanMessage>();
        using var json = new JsonInput(document.RootElement, "", errors);
        var shape = ShapeJson.ReadEntity(json, errors, json.RequiredText("name"), Origins.Custom, isStored: true, out _);
        return errors.Count == 0 ? shape : throw new InvalidOperationException($"The stored definition of '{shape.Name}' cannot be read: {errors[0].Target}: {errors[0].Message}");
    }

    private DefinitionRow Follow(EntityRename rename)
    {
        if (Kind != "entity" || Layer != Origins.Custom)
        {
            return this;
        }

        static JsonObject? Body(JsonObject? body, EntityRename rename) =>
            body is not null && ShapeOf(body) is var shape && EntityRenames.Names(shape, rename.From) ? ShapeJson.Write(EntityRenames.Follow(shape, rename)) : body;
        var name = rename.Of(Name);
        return this with { Name = name, Then = name == Name ? Then : Then ?? Name, Before = Body(Before, rename), After = Body(After, rename) };
    }

    public JsonObject Write()
    {
        var json = new JsonObject { ["layer"] = Layer, ["kind"] = Kind, ["name"] = Name, ["before"] = Before, ["after"] = After };
        if (From is not null)
        {
            json["from"] = From;
        }

        return json;
    }

    public static ImmutableArray<DefinitionRow> Read(string json) =>
    [
        .. JsonNode.Parse(json)!.AsArray().Select(r => new DefinitionRow(
            r!["layer"]!.GetValue<string>(), r["kind"]!.GetValue<string>(), r["name"]!.GetValue<string>(), r["before"] as JsonObject, r["after"] as JsonObject)
        {
            From = r["from"]?.GetValue<string>(),
        }),
    ];
}
