using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Merging;

/// <summary>What the survivor of a merge holds afterwards.</summary>
public static class MergeValues
{
    /// <summary>Fields that can be chosen: those somebody can give a value, and that are no links.</summary>
    public static ImmutableArray<FieldDefinition> Fields(EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return [.. entity.Fields.Where(f => f is { IsHidden: false, IsReadOnly: false, IsCalculated: false } && (!f.IsSystem || f.Name is "owner") && f.Type is not ManyToManyType && f.Type != Sdk.Fields.AutoNumber)];
    }

    /// <summary>Whether values of several records can be taken together.</summary>
    public static bool CanJoin(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return typeof(ImmutableArray<string>).IsAssignableFrom(field.Type.ValueType) || typeof(ImmutableArray<KindValue>).IsAssignableFrom(field.Type.ValueType);
    }

    /// <summary>The record whose value is kept when nobody chooses: the survivor, the first that has one when it has none, or all together where that can be.</summary>
    public static Guid Proposed(FieldDefinition field, IReadOnlyList<Record> records)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(records);
        return CanJoin(field) ? Guid.Empty : (records.FirstOrDefault(r => r[field.Name] is not null) ?? records[0]).Id;
    }

    /// <summary>The value a field gets.</summary>
    /// <param name="field">The field.</param>
    /// <param name="records">All of the records, the survivor first.</param>
    /// <param name="choice">The record whose value is kept, or <see cref="Guid.Empty"/> for all together.</param>
    public static object? Of(FieldDefinition field, IReadOnlyList<Record> records, Guid choice)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(records);
        if (choice != Guid.Empty || !CanJoin(field))
        {
            return records.FirstOrDefault(r => r.Id == choice)?[field.Name];
        }

        var values = records.Select(r => r[field.Name]).OfType<object>().ToList();
        return values.Count == 0 ? null
            : values[0] is ImmutableArray<string> ? values.OfType<ImmutableArray<string>>().SelectMany(v => v).Distinct(StringComparer.OrdinalIgnoreCase).ToImmutableArray()
            : values.OfType<ImmutableArray<KindValue>>().SelectMany(v => v).DistinctBy(v => v.Value).ToImmutableArray();
    }
}
