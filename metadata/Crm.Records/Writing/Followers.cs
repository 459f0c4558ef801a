using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>
/// Records of one entity that a save changes though nobody saved them: their calculated fields as they were when first locked, as they are now, and the saved record they follow.
/// Rows are those of <see cref="CalculatedColumns"/>.
/// </summary>
internal sealed class Followers(EntityTable table)
{
    private readonly ImmutableArray<TableField> fields = [.. table.Fields.Where(f => f.IsCalculated)];
    private readonly Dictionary<Guid, Follower> records = [];

    public EntityTable Table => table;

    /// <summary>Remembers a record that was locked; only the first time says how it was.</summary>
    public void Lock(NpgsqlDataReader reader, Guid cause)
    {
        if (!records.ContainsKey(reader.GetGuid(0)))
        {
            records.Add(reader.GetGuid(0), new Follower(cause, Values(reader)));
        }
    }

    /// <summary>Takes over a record that was locked before and has other values now.</summary>
    public Guid Change(NpgsqlDataReader reader)
    {
        var id = reader.GetGuid(0);
        (records[id].Version, records[id].After) = (reader.GetInt64(1), Values(reader));
        return id;
    }

    public bool HasChanged(Guid id) => records.TryGetValue(id, out var record) && record.After is not null;

    public Guid CauseOf(Guid id) => records[id].Cause;

    /// <summary>What the history says of those that hold something else in the end; their fields, not one that came back to what it was.</summary>
    public ImmutableArray<HistoryRow> ToHistory()
    {
        var changed = records.Where(r => r.Value.After is not null).OrderBy(r => r.Key).Select(r => (Id: r.Key, Record: r.Value, Changes: Changes(r.Value))).Where(r => r.Changes.Count > 0).ToList();
        var texts = HistoryJson.Write(changed.ConvertAll(c => c.Changes));
        return
        [
            .. changed.Select((c, i) => new HistoryRow(
                c.Id, ChangeKind.Update, c.Record.Version, HistoryEntry.Calculated, texts[i], string.Join(',', c.Changes.Select(f => f.Field.Name)), c.Record.Cause)),
        ];
    }

    private List<(TableField Field, object? Before, object? After)> Changes(Follower record)
    {
        var changes = new List<(TableField, object?, object?)>();
        for (var i = 0; i < fields.Length; i++)
        {
            if (!fields[i].Type.AreEqual(record.Before[i], record.After![i]))
            {
                changes.Add((fields[i], record.Before[i], record.After[i]));
            }
        }

        return changes;
    }

    private object?[] Values(NpgsqlDataReader reader)
    {
        var values = new object?[fields.Length];
        var ordinal = 2;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = RowReader.Field(reader, fields[i].Type, fields[i].Columns, ref ordinal);
        }

        return values;
    }

    private sealed class Follower(Guid cause, object?[] before)
    {
        public Guid Cause => cause;

        public object?[] Before => before;

        public object?[]? After { get; set; }

        public long Version { get; set; }
    }
}
