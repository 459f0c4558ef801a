using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Which layers say something about a property, and what. Layers are the product, every module in the order of dependencies, the customer.</summary>
public static class PropertyOrigins
{
    /// <summary>Properties of an entity that a layer changed which another one had declared.</summary>
    public static ImmutableArray<PropertyOrigin> Of(MetadataState state, string entity)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(entity);
        var layers = state.Layers.Items
            .Where(l => l.Entities.ContainsKey(entity))
            .Select(l => (l.Name, Says: LayerSays.Of(l.Entities[entity])))
            .ToList();
        var overrides = Overrides(state.Layers, entity).Select(p => LayerSays.Key(p.AsSpan())).ToHashSet(StringComparer.Ordinal);
        // What several modules say about these adds up.
        var replaced = layers.Where(l => l.Name != Origins.Custom).SelectMany(l => l.Says.Keys).Where(k => k is not ("form" or "placements")).GroupBy(k => k, StringComparer.Ordinal)
            .Where(g => g.Skip(1).Any()).Select(g => g.Key);
        JsonObject? below = null;
        var origins = ImmutableArray.CreateBuilder<PropertyOrigin>();
        foreach (var key in layers.SelectMany(l => l.Says.Keys).Distinct(StringComparer.Ordinal).Where(overrides.Union(replaced, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal).Contains))
        {
            var path = LayerSays.Path(key);
            ImmutableArray<LayerValue> values = [.. layers.Where(l => l.Says.ContainsKey(key)).Select(l => new LayerValue(l.Name, l.Says[key]?.ToJsonString()))];
            if (values is [{ Layer: Origins.Custom }])
            {
                // Nobody below says so; then it is made from what they do say: a label from the name, a form from the fields.
                below ??= Below(state, entity);
                values = [Made(below, path), .. values];
            }

            origins.Add(new PropertyOrigin(path, values));
        }

        return origins.ToImmutable();
    }

    /// <summary>Properties of the customer's layer that lie over another layer's. What is all their own (a field, a view) has nothing below it.</summary>
    internal static IEnumerable<ImmutableArray<string>> Overrides(MetadataLayers layers, string entity)
    {
        var own = layers.Custom.Entity(entity);
        var lower = layers.Items.Where(l => !l.IsCustom).Select(l => l.Entity(entity)).ToList();
        return LayerSays.Of(own).Keys.Select(LayerSays.Path).Where(path => path switch
        {
            ["fields", var name, _] => own.Field(name)!.Type is null,
            ["views", var name] => Layout.GeneratedViews.Contains(name) || lower.Exists(l => l.Views.Any(v => v.Name == name)),
            ["rules", var name] => lower.Exists(l => l.Rules.Any(r => r.Name == name)),
            ["grants", var name] => lower.Exists(l => l.Grants.Any(g => g.Role == name)),
            ["form"] => true,
            _ => !own.IsOwner,
        });
    }

    /// <summary>The entity as it would be if the customer had changed nothing below; fields of their own stay.</summary>
    private static JsonObject Below(MetadataState state, string entity)
    {
        var lower = Lower(state.Layers, entity);
        return DefinitionJson.Write(state with { Layers = lower }, Layout.Complete(lower, state.Snapshot, SnapshotBuilder.Bare(lower, entity)!));
    }

    private static MetadataLayers Lower(MetadataLayers layers, string entity)
    {
        var own = layers.Custom.Entity(entity);
        ImmutableArray<FieldShape> fields = own.Fields.RemoveAll(f => f.Type is null);
        return layers.With(layers.Custom.With(own.IsOwner ? own with { Fields = fields, Form = null } : new EntityShape(entity) { Fields = fields }));
    }

    private static LayerValue Made(JsonObject below, ImmutableArray<string> path)
    {
        var owner = path is [var list, var name, ..] ? below[list]!.AsArray().First(i => i!["name"]!.GetValue<string>() == name)!.AsObject() : below;
        var origin = owner["origin"]!.GetValue<string>();
        return path is [_, _]
            ? new LayerValue(origin, Without(owner, "origin").ToJsonString())
            : new LayerValue(owner["origins"]?[path[^1]]?.GetValue<string>() ?? origin, Value(owner, path[^1])?.ToJsonString());
    }

    private static JsonNode? Value(JsonObject owner, string property)
    {
        var parts = LayerSays.PartsOf(property);
        return parts.Count == 1 ? owner[property] : new JsonObject([.. parts.Where(owner.ContainsKey).Select(p => KeyValuePair.Create(p, owner[p]?.DeepClone()))]);
    }

    private static JsonObject Without(JsonObject json, string property)
    {
        var copy = json.DeepClone().AsObject();
        copy.Remove(property);
        return copy;
    }
}

/// <summary>A property and the layers that say something about it.</summary>
/// <param name="Path"><c>label</c> of the entity; <c>fields</c>, <c>website</c>, <c>label</c>; <c>views</c>, <c>open</c>; <c>rules</c>, <c>reason</c>; <c>form</c>.</param>
/// <param name="Layers">In their order; the last one holds.</param>
public sealed record PropertyOrigin(ImmutableArray<string> Path, ImmutableArray<LayerValue> Layers)
{
    /// <summary>The path as one text.</summary>
    public string Key => LayerSays.Key(Path.AsSpan());

    /// <summary>Whether the customer changed it.</summary>
    public bool IsCustomised => Layers[^1].Layer == Origins.Custom;
}

/// <summary>What a layer says about a property.</summary>
/// <param name="Layer">Id of the module, <c>platform</c> or <c>custom</c>.</param>
/// <param name="Value">As JSON; null for nothing, or for a view or rule it takes away.</param>
public sealed record LayerValue(string Layer, string? Value);

/// <summary>Who changed a property last, and when.</summary>
/// <param name="Version">The version of the definitions it made.</param>
/// <param name="At">When.</param>
/// <param name="UserId">Who.</param>
/// <param name="UserName">Their name then.</param>
public sealed record PropertyChange(long Version, DateTimeOffset At, Guid UserId, string UserName);
