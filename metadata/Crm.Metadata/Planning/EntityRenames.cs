using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>An entity that is called otherwise now; its records stay.</summary>
/// <param name="From">The name it had.</param>
/// <param name="To">The name it has.</param>
public sealed record EntityRename(string From, string To)
{
    /// <summary>The new name of what had the old one; any other name as it is.</summary>
    public string Of(string entity) => entity == From ? To : entity;

    /// <summary>An expression with the new name where it asks which entity an any-lookup points to.</summary>
    public string InExpression(string expression) => EntityRenames.Follow(expression, this);
}

/// <summary>
/// Lets definitions mean an entity by its new name: lookups, links, roll-ups, filters and what expressions compare an any-lookup's entity with. Texts of scripts stay; a
/// plan names them.
/// </summary>
internal static class EntityRenames
{
    // What expressions and filters call the entity of an any-lookup.
    private static readonly string EntitySuffix = Fields.AnyLookup.Columns[1].Suffix;

    /// <summary>The name an entity has as long as none of the renames is made.</summary>
    public static string Former(IEnumerable<EntityRename> renames, string entity) => renames.FirstOrDefault(r => r.To == entity)?.From ?? entity;

    /// <summary>Layers in which a renamed entity keeps its set, which would be called after it: what the new name brings is not what was there before.</summary>
    public static MetadataLayers WithSet(MetadataLayers layers, string entity, string set) => layers.With(layers.Custom.With(layers.Custom.Entity(entity) with { SetName = set }));

    /// <summary>A layer with the new name; shapes that do not name the entity are the very same.</summary>
    public static Layer Follow(Layer layer, EntityRename rename)
    {
        foreach (var shape in layer.Entities.Values.Where(e => Names(e, rename.From)).ToList())
        {
            layer = layer.Without(shape.Name).With(Follow(shape, rename));
        }

        return layer;
    }

    /// <summary>What a layer says about one entity, with the new name.</summary>
    public static EntityShape Follow(EntityShape shape, EntityRename rename) => shape with
    {
        Name = rename.Of(shape.Name),
        Parts = shape.Parts is { } parts ? [.. parts.Select(rename.Of)] : null,
        Fields = [.. shape.Fields.Select(f => Follow(f, rename))],
        Rules = [.. shape.Rules.Select(r => r with { Condition = Follow(r.Condition, rename) })],
        Views = [.. shape.Views.Select(v => v.Filter is null ? v : v with { Filter = Follow(v.Filter, rename) })],
    };

    /// <summary>A filter with the new name.</summary>
    public static Filter Follow(Filter filter, EntityRename rename) => filter switch
    {
        Filter.All all => new Filter.All([.. all.Filters.Select(f => Follow(f, rename))]),
        Filter.Any any => new Filter.Any([.. any.Filters.Select(f => Follow(f, rename))]),
        Filter.Not not => new Filter.Not(Follow(not.Filter, rename)),
        Filter.Linked { Where: { } where } linked => linked with { Where = Follow(where, rename) },
        Filter.Related related => new Filter.Related(rename.Of(related.Entity), related.Lookup, related.Where is null ? null : Follow(related.Where, rename)),
        Filter.Compare compare => compare with { Value = Follow(compare.Path, compare.Value, rename) },
        Filter.In list => list with { Values = [.. list.Values.Select(v => Follow(list.Path, v, rename))] },
        _ => filter,
    };

    /// <summary>An expression with the new name where it asks which entity an any-lookup points to.</summary>
    public static string Follow(string expression, EntityRename rename) =>
        NamesIn(expression, rename.From) ? expression.Replace($"\"{rename.From}\"", $"\"{rename.To}\"", StringComparison.Ordinal) : expression;

    /// <summary>Whether a shape is about an entity or names it.</summary>
    public static bool Names(EntityShape shape, string entity) =>
        shape.Name == entity
        || shape.Parts?.Contains(entity) == true
        || shape.Fields.Any(f => f.Target == entity || f.Targets?.Contains(entity) == true || f.Link?.Entity == entity || f.RollUp is { } r && (r.Entity == entity || NamesIn(r.Value, entity) || NamesIn(r.Condition, entity)) || NamesIn(f.Formula, entity))
        || shape.Rules.Any(r => NamesIn(r.Condition, entity))
        || shape.Views.Any(v => v.Filter is not null && Names(v.Filter, entity));

    private static bool Names(Filter filter, string entity) => filter switch
    {
        Filter.All all => all.Filters.Any(f => Names(f, entity)),
        Filter.Any any => any.Filters.Any(f => Names(f, entity)),
        Filter.Not not => Names(not.Filter, entity),
        Filter.Linked linked => linked.Where is not null && Names(linked.Where, entity),
        Filter.Related related => related.Entity == entity || (related.Where is not null && Names(related.Where, entity)),
        Filter.Compare compare => IsOf(compare.Path, compare.Value, entity),
        Filter.In list => list.Values.Any(v => IsOf(list.Path, v, entity)),
        _ => false,
    };

    private static bool NamesIn(string? expression, string entity) =>
        expression is not null && expression.Contains($"\"{entity}\"", StringComparison.Ordinal) && expression.Contains(EntitySuffix, StringComparison.OrdinalIgnoreCase);

    private static FieldShape Follow(FieldShape field, EntityRename rename) => field with
    {
        Target = field.Target is null ? null : rename.Of(field.Target),
        Targets = field.Targets is { } targets ? [.. targets.Select(rename.Of)] : null,
        Link = field.Link is null ? null : field.Link with { Entity = rename.Of(field.Link.Entity) },
        Formula = field.Formula is null ? null : Follow(field.Formula, rename),
        RollUp = field.RollUp is not { } rollUp ? null : rollUp with
        {
            Entity = rename.Of(rollUp.Entity),
            Value = rollUp.Value is null ? null : Follow(rollUp.Value, rename),
            Condition = rollUp.Condition is null ? null : Follow(rollUp.Condition, rename),
        },
    };

    private static bool IsOf(string path, object? value, string entity) => value switch
    {
        RecordRef reference => reference.Entity == entity,
        string text => (text == entity && path.EndsWith(EntitySuffix, StringComparison.Ordinal)) || (IdIn(text, entity) is { } id && Guid.TryParse(id, out _)),
        _ => false,
    };

    private static object? Follow(string path, object? value, EntityRename rename) => value switch
    {
        _ when !IsOf(path, value, rename.From) => value,
        RecordRef reference => reference with { Entity = rename.To },
        string text => IdIn(text, rename.From) is { } id ? $"{rename.To}:{id}" : rename.To,
        _ => value,
    };

    /// <summary>What stands behind the entity in the text of a <see cref="RecordRef"/>.</summary>
    private static string? IdIn(string text, string entity) =>
        text.Length > entity.Length && text[entity.Length] == ':' && text.StartsWith(entity, StringComparison.Ordinal) ? text[(entity.Length + 1)..] : null;
}
