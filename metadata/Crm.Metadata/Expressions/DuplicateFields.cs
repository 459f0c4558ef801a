using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Which fields can say that two records are the same.</summary>
public static class DuplicateFields
{
    /// <summary>Whether two records can be compared by the field.</summary>
    public static bool CanCompare(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field is { IsHidden: false, IsCalculated: false, IsSystem: false } && !field.Type.Columns.IsEmpty
            && (!field.Type.Keys(field).IsEmpty || (field.Type.Columns.Length == 1 && field.Type.Columns[0].Storage is not (StorageKind.TextList or StorageKind.Json) && field.Type != Fields.AutoNumber));
    }

    /// <summary>Whether records are found by the field without reading them all.</summary>
    public static bool IsIndexed(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return CanCompare(field) && (!field.Type.Keys(field).IsEmpty || field.Type is SingleTextType or ReferenceType);
    }

    /// <summary>Whether a rule of the entity compares the field as a text.</summary>
    internal static bool IsComparedAsText(EntityDefinition entity, FieldDefinition field) =>
        field.Type is SingleTextType && entity.Rules.Any(r => r.Duplicate is { } duplicate && r.Fields.Contains(field.Name) && (field.Type.Keys(field).IsEmpty || (duplicate.Similarity < 100 && field.Type == Fields.Text)));
}
