using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>Finds the records rows mean, by the values of the match fields.</summary>
internal sealed class MatchIndex(IRecordService records, EntityDefinition entity, ImmutableArray<string> match)
{
    private readonly ImmutableArray<FieldDefinition> fields = [.. match.Select(m => MappingCheck.Resolve(entity, m)!)];

    /// <summary>Whether rows are matched at all.</summary>
    public bool IsUsed => !match.IsEmpty;

    /// <summary>The key of a row; null when a value of it is missing.</summary>
    public string? KeyOf(MappedRow row) => Key(match.Select((m, i) => Same(fields[i], Normal(fields[i], row.Values.GetValueOrDefault(m)))));

    /// <summary>Names of the match fields a row has no value for.</summary>
    public string Missing(MappedRow row) => string.Join(", ", match.Where((m, i) => Normal(fields[i], row.Values.GetValueOrDefault(m)) is null).Select((m, _) => m));

    /// <summary>The records of all rows, with one query.</summary>
    public async Task<Dictionary<string, List<Record>>> FindAsync(IEnumerable<MappedRow> rows, CancellationToken ct)
    {
        var found = new Dictionary<string, List<Record>>(StringComparer.Ordinal);
        var withKey = rows.Where(r => KeyOf(r) is not null).ToList();
        if (withKey.Count == 0)
        {
            return found;
        }

        var query = new RecordQuery
        {
            Entity = entity.Name,
            Select = [.. fields.Select(f => f.Name)],
            // Each field has one of the values; which of them belong together is decided below.
            Filter = Filter.AllOf([.. match.Select((m, i) => (Filter)new Filter.In(
                fields[i].Name,
                [.. withKey.Select(r => Normal(fields[i], r.Values[m])).Distinct()]))]),
            Top = RecordQuery.MaxTop,
        };
        while (true)
        {
            var page = await records.QueryAsync(query, ct);
            foreach (var record in page.Records)
            {
                if (Key(fields.Select(f => f.Name == "id" ? record.Id : Same(f, record[f.Name]))) is { } key)
                {
                    if (!found.TryGetValue(key, out var same))
                    {
                        found[key] = same = [];
                    }

                    same.Add(record);
                }
            }

            if (page.Next is null)
            {
                return found;
            }

            query = query with { After = page.Next };
        }
    }

    /// <summary>What two values that are the same have in common: a phone number's digits, however it is written.</summary>
    private static object? Same(FieldDefinition field, object? value) => value is string text ? MatchIndex.KeyOf(field, text) ?? text : value;

    /// <summary>The key that says which values of the field are the same.</summary>
    public static string? KeyOf(FieldDefinition field, string text) => field.Type.Keys(field).FirstOrDefault(k => k.IsIdentity)?.Of(field, text);

    private static object? Normal(FieldDefinition field, object? input) =>
        input is null or "" ? null : field.Type.TryNormalize(field, input, out var value, out _) ? value : null;

    private static string? Key(IEnumerable<object?> values)
    {
        var key = new StringBuilder();
        foreach (var value in values)
        {
            if (value is null)
            {
                return null;
            }

            key.Append(Convert.ToString(value, CultureInfo.InvariantCulture)).Append('\u001F');
        }

        return key.ToString();
    }
}
