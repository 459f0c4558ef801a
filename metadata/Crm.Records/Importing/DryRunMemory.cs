using System.Globalization;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>What a dry run would have stored in earlier batches: those are rolled back, so the database cannot say that a later row repeats them.</summary>
internal sealed class DryRunMemory(EntityDefinition entity, ImportMapping mapping)
{
    private readonly List<FieldDefinition> unique = [.. mapping.Fields.Keys.Select(k => MappingCheck.Resolve(entity, k)).OfType<FieldDefinition>().Where(f => f.IsUnique).Distinct()];
    private readonly Dictionary<(string Field, string Value), long> values = [];
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);

    /// <summary>Whether an earlier row with this key would have made a record.</summary>
    public bool HasKey(string key) => keys.Contains(key);

    /// <summary>The refusal of a row that has a unique value of an earlier one.</summary>
    public RowIssue? Repeated(MappedRow row)
    {
        foreach (var field in unique)
        {
            if (Same(row, field) is { } same && values.TryGetValue((field.Name, same), out var line))
            {
                return new RowIssue(IsError: true, ErrorCodes.Unique, field.Name, mapping.Fields.GetValueOrDefault(field.Name)?.Column, Text(row, field), Texts.Of("Repeated", line, field.Label));
            }
        }

        return null;
    }

    /// <summary>Remembers rows that would have made records.</summary>
    public void Remember(IEnumerable<(MappedRow Row, string? Key)> rows)
    {
        foreach (var (row, key) in rows)
        {
            if (key is not null)
            {
                keys.Add(key);
            }

            foreach (var field in unique)
            {
                if (Same(row, field) is { } value)
                {
                    values.TryAdd((field.Name, value), row.Source.Line);
                }
            }
        }
    }

    private static string? Same(MappedRow row, FieldDefinition field) => Text(row, field) is { } text ? MatchIndex.KeyOf(field, text) ?? text : null;

    private static string? Text(MappedRow row, FieldDefinition field) => Convert.ToString(row.Values.GetValueOrDefault(field.Name), CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : null;
}
