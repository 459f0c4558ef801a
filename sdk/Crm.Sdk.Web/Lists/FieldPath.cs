using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>A path through lookups, followed in the metadata: <c>company.country</c>.</summary>
/// <param name="Path">As it is selected.</param>
/// <param name="Field">The field it ends at.</param>
/// <param name="Owner">The entity that has the field.</param>
/// <param name="Lookups">The lookups it goes through.</param>
public sealed record FieldPath(string Path, FieldDefinition Field, EntityDefinition Owner, ImmutableArray<FieldDefinition> Lookups)
{
    /// <summary>The path in words.</summary>
    public string Label => string.Join(" › ", Lookups.Append(Field).Select(f => f.Label));

    /// <summary>Follows a path; null when it names something that does not exist or is hidden.</summary>
    public static FieldPath? Find(MetadataSnapshot metadata, EntityDefinition entity, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(path);
        var names = path.Split('.');
        var lookups = ImmutableArray.CreateBuilder<FieldDefinition>();
        foreach (var name in names[..^1])
        {
            var lookup = entity.Fields.FirstOrDefault(f => !f.IsHidden && f.TargetBy(name) is not null);
            if (lookup?.TargetBy(name) is not { } leads || !metadata.TryEntity(leads, out var target) || target.IsHidden)
            {
                return null;
            }

            lookups.Add(lookup);
            entity = target;
        }

        return (entity.TryField(names[^1], out var field) ? field : Part(entity, names[^1])) is { IsHidden: false } found ? new FieldPath(path, found, entity, lookups.ToImmutable()) : null;
    }

    // A part of a value, such as the city of an address, is listed like a field of its own.
    private static FieldDefinition? Part(EntityDefinition entity, string name) =>
        entity.TryProperty(name, out var property) && property.Field.Type.Columns.Length > 1 && property.Column.Storage is StorageKind.Text or StorageKind.Decimal
            ? property.Field with
            {
                Name = name,
                Type = property.Column.Storage == StorageKind.Text ? Fields.Text : Fields.Decimal,
                Label = $"{property.Field.Label} · {Names.ToLabel(property.Column.Part)}",
            }
            : null;

    /// <summary>The entity a reference points to; null when there is none of that name.</summary>
    public static EntityDefinition? TargetOf(MetadataSnapshot metadata, FieldDefinition reference)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return reference?.Type is ReferenceType type && type.TargetOf(reference) is { } name && metadata.TryEntity(name, out var target) && !target.IsHidden ? target : null;
    }
}
