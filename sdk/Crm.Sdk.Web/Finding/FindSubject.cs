using System.Collections.Immutable;

namespace Crm.Sdk.Web.Finding;

/// <summary>Something a condition can be about: a field, a field of a record looked up, or records that belong to this one.</summary>
/// <param name="Path">The path of a field, or <c>entity:lookup</c> for the records whose lookup leads here.</param>
/// <param name="Label">In words.</param>
/// <param name="Group">Heading it is offered under; empty for the record's own fields.</param>
/// <param name="Field">The field; the lookup that leads here for records.</param>
/// <param name="Related">The entity of the records that belong to this one, or what stands for the addresses in the field; null for a value.</param>
public sealed record FindSubject(string Path, string Label, string Group, FieldDefinition Field, EntityDefinition? Related)
{
    internal const char Separator = ':';

    /// <summary>What it can be compared by.</summary>
    internal ImmutableArray<FindOperator> Operators => Related is null || Field.Type is AddressesType ? FindOperators.Of(Field) : FindOperators.OfRelated;

    /// <summary>Everything conditions on an entity can be about.</summary>
    public static ImmutableArray<FindSubject> Of(MetadataSnapshot metadata, EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(entity);
        return
        [
            .. Fields(entity).Where(f => f.Type is not ManyToManyType).Select(f => Value(f.Name, f.Label, "", f)),
            .. Fields(entity).SelectMany(f => Parts(metadata, entity, f)),
            .. from lookup in Fields(entity)
               where lookup.Type is ReferenceType && lookup.Name is not ("created_by" or "modified_by")
               from way in ((ReferenceType)lookup.Type).WaysOf(lookup).Select((w, i) => (w.Target, Step: i == 0 ? lookup.Name : w.Navigation, IsFirst: i == 0))
               let target = metadata.TryEntity(way.Target, out var found) && !found.IsHidden ? found : null
               where target is not null
               let label = way.IsFirst ? lookup.Label : $"{lookup.Label} ({target.Label})"
               from field in Fields(target).Where(f => f.Type is not ManyToManyType)
               select Value(way.Step + "." + field.Name, label + " › " + field.Label, label, field),
            .. Fields(entity).Where(f => f.Type is ManyToManyType).Select(f => Links(metadata, f)).OfType<FindSubject>(),
            .. Pointing(metadata, entity).OrderBy(r => r.Label, StringComparer.CurrentCulture),
        ];
    }

    /// <summary>What a path of a filter is about; null when it is gone.</summary>
    public static FindSubject? Find(MetadataSnapshot metadata, EntityDefinition entity, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(path);
        if (path.IndexOf(Separator, StringComparison.Ordinal) is > 0 and var end)
        {
            return Pointing(metadata, entity).FirstOrDefault(r => r.Related!.Name == path[..end] && r.Field.Name == path[(end + 1)..]);
        }

        return FieldPath.Find(metadata, entity, path) is not { } found ? null
            : found.Field.Type is ManyToManyType ? Links(metadata, found.Field)
            : Value(path, found.Label, "", found.Field);
    }

    private static FindSubject Value(string path, string label, string group, FieldDefinition field) => new(path, label, group, field, field.Type is AddressesType ? AddressesType.RowsOf(field) : null);

    private static FindSubject? Links(MetadataSnapshot metadata, FieldDefinition field) =>
        field.Link is { } link && metadata.TryEntity(link.Entity, out var links) && !links.IsHidden ? new FindSubject(field.Name, field.Label, FindTexts.Of("Related"), field, links) : null;

    private static IEnumerable<FindSubject> Pointing(MetadataSnapshot metadata, EntityDefinition entity)
    {
        foreach (var other in metadata.Entities.Values.Where(e => !e.IsHidden && e.Link is null))
        {
            var lookups = Fields(other).Where(f => !f.IsSystem && f.LeadsTo(entity.Name)).ToList();
            foreach (var lookup in lookups)
            {
                var label = lookups.Count == 1 ? other.PluralLabel : $"{other.PluralLabel} · {lookup.Label}";
                yield return new FindSubject(other.Name + Separator + lookup.Name, label, FindTexts.Of("Related"), lookup, other);
            }
        }
    }

    private static IEnumerable<FindSubject> Parts(MetadataSnapshot metadata, EntityDefinition entity, FieldDefinition field) => field.Type is not AddressType ? [] :
        field.Type.Columns.Select(c => FieldPath.Find(metadata, entity, field.Name + c.Suffix)).OfType<FieldPath>().Where(p => p.Path != field.Name).Select(p => Value(p.Path, p.Field.Label, field.Label, p.Field));

    // What everybody looks for stands before what the product keeps.
    private static IEnumerable<FieldDefinition> Fields(EntityDefinition entity) => entity.Fields.Where(f => !f.IsHidden && f.Name is not ("id" or "version")).OrderBy(f => f.IsSystem);
}
