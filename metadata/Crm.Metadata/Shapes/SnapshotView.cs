using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Definitions as somebody sees them who may not see everything: what they may not see is hidden, and what they may not change is read-only. Whoever works with
/// such a snapshot cannot tell what is forbidden from what does not exist.
/// </summary>
public static class SnapshotView
{
    /// <summary>Makes one.</summary>
    /// <param name="full">All definitions.</param>
    /// <param name="denied">What may be done with none of an entity's records; one whose records are not seen is hidden.</param>
    /// <param name="fields">What may be done with a field.</param>
    public static MetadataSnapshot Of(MetadataSnapshot full, Func<EntityDefinition, ImmutableArray<AccessOperation>> denied, Func<EntityDefinition, FieldDefinition, FieldAccess> fields)
    {
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(denied);
        ArgumentNullException.ThrowIfNull(fields);
        var entities = full.Entities.Values.Select(e => Denied(e, denied(e)) is { IsHidden: false } seen ? Fields(seen, f => fields(e, f)) : e with { IsHidden = true }).ToDictionary(e => e.Name, StringComparer.Ordinal);
        bool IsShown(string? name) => name is not null && entities.TryGetValue(name, out var entity) && !entity.IsHidden;
        foreach (var entity in entities.Values.ToList())
        {
            entities[entity.Name] = Fields(entity, f => f.Link is { } link && !(IsShown(link.Entity) && IsShown(f.Target)) ? FieldAccess.None : FieldAccess.Write);
        }

        RecordParts.Lead(entities);
        foreach (var part in entities.Values.Where(e => e.PartOf is { } whole && e.Field(whole).Targets.IsEmpty).ToList())
        {
            entities[part.Name] = part with { IsHidden = true };
        }

        var seen = new MetadataSnapshot(full.Version, entities.ToFrozenDictionary(StringComparer.Ordinal), full.Areas);
        return seen with { Entities = entities.Values.Select(e => e.IsHidden ? e : Layout.Seen(seen, e)).ToFrozenDictionary(e => e.Name, StringComparer.Ordinal) };
    }

    private static EntityDefinition Denied(EntityDefinition entity, ImmutableArray<AccessOperation> denied) =>
        denied.IsEmpty ? entity : entity with { Denied = denied, IsHidden = entity.IsHidden || denied.Contains(AccessOperation.Read) };

    /// <summary>The very same entity where nothing is forbidden: what is made from it once serves everybody.</summary>
    private static EntityDefinition Fields(EntityDefinition entity, Func<FieldDefinition, FieldAccess> access)
    {
        FieldDefinition Seen(FieldDefinition field) => access(field) switch
        {
            FieldAccess.None when !field.IsHidden => field with { IsHidden = true },
            FieldAccess.Read when !field.IsReadOnly => field with { IsReadOnly = true },
            _ => field,
        };
        ImmutableArray<FieldDefinition> seen = [.. entity.Fields.Select(Seen)];
        if (seen.Zip(entity.Fields).All(pair => ReferenceEquals(pair.First, pair.Second)))
        {
            return entity;
        }

        var hidden = seen.Where(f => f.IsHidden).Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        var title = entity.TitleFields.RemoveAll(hidden.Contains);
        return entity with { Fields = seen, TitleFields = title.IsEmpty ? ["id"] : title, SearchFields = entity.SearchFields.RemoveAll(hidden.Contains) };
    }
}
