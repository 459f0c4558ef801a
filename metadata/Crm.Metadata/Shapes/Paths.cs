using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Follows paths through lookups: <c>company.country</c>, <c>owner.name</c>.</summary>
internal static class Paths
{
    /// <summary>The longest path: a lookup of a lookup of a lookup.</summary>
    public const int MaxSegments = 4;

    /// <summary>The field a path ends at, hidden when any field on the way is; null when it leads nowhere.</summary>
    public static FieldDefinition? Find(MetadataSnapshot snapshot, EntityDefinition entity, string path)
    {
        var segments = path.Split('.');
        if (segments.Length > MaxSegments)
        {
            return null;
        }

        var hidden = false;
        for (var index = 0; ; index++)
        {
            var isLast = index == segments.Length - 1;
            var field = isLast ? Last(entity, segments[index]) : Step(entity, segments[index]);
            if (field is null)
            {
                return null;
            }

            hidden |= field.IsHidden || (index > 0 && entity.IsHidden);
            if (isLast)
            {
                return hidden && !field.IsHidden ? field with { IsHidden = true } : field;
            }

            if (field.TargetBy(segments[index]) is not { } target || !snapshot.TryEntity(target, out var next))
            {
                return null;
            }

            entity = next;
        }
    }

    /// <summary>Every field on the way, with its entity, as far as the path leads.</summary>
    public static IEnumerable<(EntityDefinition Entity, FieldDefinition Field)> Along(MetadataSnapshot snapshot, EntityDefinition entity, string path)
    {
        foreach (var segment in path.Split('.'))
        {
            if ((Last(entity, segment) ?? Step(entity, segment)) is not { } field)
            {
                yield break;
            }

            yield return (entity, field);
            if (field.TargetBy(segment) is not { } target || !snapshot.TryEntity(target, out var next))
            {
                yield break;
            }

            entity = next;
        }
    }

    /// <summary>All paths a filter names, each with the entity it begins at.</summary>
    public static IEnumerable<(EntityDefinition Home, string Path)> Of(MetadataSnapshot snapshot, EntityDefinition home, Filter filter) => filter switch
    {
        Filter.All all => all.Filters.SelectMany(f => Of(snapshot, home, f)),
        Filter.Any any => any.Filters.SelectMany(f => Of(snapshot, home, f)),
        Filter.Not not => Of(snapshot, home, not.Filter),
        Filter.Compare compare => [(home, compare.Path)],
        Filter.In list => [(home, list.Path)],
        Filter.During during => [(home, during.Path)],
        Filter.Mine mine => [(home, mine.Path)],
        Filter.Related related => snapshot.TryEntity(related.Entity, out var entity) ? OfRelated(snapshot, entity, related) : [],
        Filter.Linked linked => OfLinks(snapshot, home, linked).Prepend((home, linked.Path)),
        _ => throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}."),
    };

    /// <summary>A filter whose paths are others; each is given with the entity it begins at.</summary>
    public static Filter Map(MetadataSnapshot snapshot, EntityDefinition home, Filter filter, Func<EntityDefinition, string, string> path) => filter switch
    {
        Filter.All all => new Filter.All([.. all.Filters.Select(f => Map(snapshot, home, f, path))]),
        Filter.Any any => new Filter.Any([.. any.Filters.Select(f => Map(snapshot, home, f, path))]),
        Filter.Not not => new Filter.Not(Map(snapshot, home, not.Filter, path)),
        Filter.Compare compare => compare with { Path = path(home, compare.Path) },
        Filter.In list => list with { Path = path(home, list.Path) },
        Filter.During during => during with { Path = path(home, during.Path) },
        Filter.Mine mine => new Filter.Mine(path(home, mine.Path)),
        Filter.Linked linked => new Filter.Linked(
            path(home, linked.Path),
            linked.Where is { } where && RowsOf(snapshot, home, linked.Path) is { } links ? Map(snapshot, links, where, path) : linked.Where),
        Filter.Related related when snapshot.TryEntity(related.Entity, out var entity) =>
            related with { Lookup = path(entity, related.Lookup), Where = related.Where is null ? null : Map(snapshot, entity, related.Where, path) },
        Filter.Related => filter,
        _ => throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}."),
    };

    private static IEnumerable<(EntityDefinition Home, string Path)> OfRelated(MetadataSnapshot snapshot, EntityDefinition entity, Filter.Related related) =>
        (related.Where is null ? [] : Of(snapshot, entity, related.Where)).Prepend((entity, related.Lookup));

    private static IEnumerable<(EntityDefinition Home, string Path)> OfLinks(MetadataSnapshot snapshot, EntityDefinition home, Filter.Linked linked) =>
        linked.Where is { } where && RowsOf(snapshot, home, linked.Path) is { } entity ? Of(snapshot, entity, where) : [];

    /// <summary>What a condition on the links, or on the addresses, of a field is about; null when the path leads to neither.</summary>
    public static EntityDefinition? RowsOf(MetadataSnapshot snapshot, EntityDefinition home, string path) => Find(snapshot, home, path) switch
    {
        { Type: AddressesType } field => AddressesType.RowsOf(field),
        { Link: { } link } when snapshot.TryEntity(link.Entity, out var links) => links,
        _ => null,
    };

    private static FieldDefinition? Last(EntityDefinition entity, string name) =>
        entity.TryField(name, out var field) ? field : entity.TryProperty(name, out var property) ? property.Field : null;

    private static FieldDefinition? Step(EntityDefinition entity, string name)
    {
        var field = entity.TryField(name, out var found) ? found : entity.Fields.FirstOrDefault(f => f.TargetBy(name) is not null);
        return field?.Type is ReferenceType ? field : null;
    }
}
