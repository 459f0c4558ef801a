using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>A path through lookups, followed in the metadata: <c>company.country</c>.</summary>
/// <param name="Path">As it is selected.</param>
/// <param name="Field">The field it ends at.</param>
/// <param name="Owner">The entity that has the field.</param>
/// <param name="Lookups">The lookups it goes through.</param>
public sealed record FieldPath(string Path, FieldDefinition Field, EntityDefinition Owner, ImmutableArray<FieldDefinition> Lookups)
{
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
            var lookup = entity.Fields.FirstOrDefault(f => !f.IsHidden && f.Type is ReferenceType && (f.Name == name || f.Type.NavigationProperty(f) == name));
            if (lookup is null || TargetOf(metadata, lookup) is not { } target)
            {
                return null;
            }

            lookups.Add(lookup);
            entity = target;
        }

        return entity.TryField(names[^1], out var field) && !field.IsHidden ? new FieldPath(path, field, entity, lookups.ToImmutable()) : null;
    }

    /// <summary>The entity a reference points to; null when there is none of that name.</summary>
    public static EntityDefinition? TargetOf(MetadataSnapshot metadata, FieldDefinition reference)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return reference?.Type is ReferenceType type && type.TargetOf(reference) is { } name && metadata.TryEntity(name, out var target) && !target.IsHidden ? target : null;
    }
}
