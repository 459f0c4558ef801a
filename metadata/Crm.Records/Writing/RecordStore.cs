using System.Collections.Immutable;
using System.Globalization;
using Crm.Records.Bin;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// Reads and writes rows of many records in one statement each. Names come from the snapshot, values are parameters: arrays that are unnested, or for a single record the values themselves,
/// because the database plans a statement over arrays anew each time.
/// </summary>
internal static class RecordStore
{
    // Statements differ by which columns an update sets; beyond this many they are built anew instead of remembered.
    private const int RememberedStatements = 256;

    /// <summary>Locks the rows of updates and deletes, in the order of their ids so that two batches cannot wait for each other, and loads them.</summary>
    public static async Task LockAndLoadAsync(ChangeRun run, CancellationToken ct)
    {
        var changes = run.Going.Where(c => c.Kind != ChangeKind.Create).ToList();
        if (changes.Count == 0)
        {
            return;
        }

        var table = run.Table;
        // An update that leaves keys alone does not stop others from pointing to the record.
        // One that is of links only has to find the record there, no more: roll-ups of the links take their locks in an order of their own.
        var strength = changes[0].Kind == ChangeKind.Delete ? "UPDATE" : changes.TrueForAll(c => c.IsOfLinksOnly) ? "KEY SHARE" : "NO KEY UPDATE";
        await using var batch = run.Session.Batch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT {table.SelectList} FROM {table.Name} AS r WHERE r.id = ANY($1) ORDER BY r.id FOR {strength}")
        {
            Parameters = { new() { Value = changes.Select(c => c.Id).ToArray() } },
        });
        var rows = new Dictionary<Guid, object?[]>(changes.Count);
        await using (var reader = await batch.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                var row = RowReader.Read((NpgsqlDataReader)reader, table.Fields);
                rows.Add((Guid)row[table.Id]!, row);
            }
        }

        foreach (var change in changes)
        {
            change.Load(rows.GetValueOrDefault(change.Id));
        }
    }

    /// <summary>Writes the rows, their history and what is to be told of them.</summary>
    public static async Task WriteAsync(ChangeRun run, CancellationToken ct)
    {
        var writes = run.Writes.ToList();
        if (writes.Count == 0)
        {
            return;
        }

        foreach (var change in writes)
        {
            Stamp(run, change);
        }

        await using var batch = new WriteBatch(run.Session);
        Insert(run, [.. writes.Where(c => c.Kind == ChangeKind.Create)], batch);
        foreach (var shape in writes.Where(c => c.Kind == ChangeKind.Update).GroupBy(c => string.Join(',', c.Changed), StringComparer.Ordinal))
        {
            Update(run, shape.Key, [.. shape], batch);
        }

        Delete(run, [.. writes.Where(c => c.Kind == ChangeKind.Delete)], batch);
        HistoryStore.Append(run, writes, batch);
        await batch.RunAsync(ct);
        foreach (var change in writes)
        {
            change.IsWritten = true;
        }
    }

    private static void Stamp(ChangeRun run, PendingChange change)
    {
        if (change.Kind == ChangeKind.Delete)
        {
            return;
        }

        void Set(string field, object value) => change.Values[run.Table.System(field).Index] = value;
        Set("version", (change.Stored is { } stored ? (long)stored[run.Table.Version]! : change.Remains?.Version ?? 0L) + 1);
        Set("modified_at", run.Session.Now);
        Set("modified_by", run.Session.Actor.UserId);
        if (change is { Kind: ChangeKind.Create, Remains: null })
        {
            Set("created_at", run.Session.Now);
            Set("created_by", run.Session.Actor.UserId);
        }
    }

    private static void Insert(ChangeRun run, ImmutableArray<PendingChange> creates, WriteBatch batch)
    {
        if (creates.IsEmpty)
        {
            return;
        }

        var table = run.Table;
        var isOne = creates.Length == 1;
        var sql = Statement(table, isOne ? "insert one" : "insert", () =>
        {
            var columns = Written(table.Fields);
            return $"INSERT INTO {table.Name} ({string.Join(", ", columns.Select(c => c.Quoted))}) "
                + (isOne
                    ? $"VALUES ({string.Join(", ", columns.Select((c, i) => ColumnArray.ReadOne(c.Storage, i + 1)))})"
                    : $"SELECT {string.Join(", ", columns.Select((c, i) => ColumnArray.Read(c.Storage, Name(i))))} FROM {Unnest([.. columns.Select(c => c.Storage)])}");
        });
        Add(batch, table, sql, table.Fields, creates);
    }

    private static void Update(ChangeRun run, string shape, ImmutableArray<PendingChange> updates, WriteBatch batch)
    {
        var table = run.Table;
        var id = table.System("id");
        ImmutableArray<TableField> set =
            [.. updates[0].Changed.Select(i => table.Fields[i]).Where(f => !f.IsStamp), table.System("version"), table.System("modified_at"), table.System("modified_by")];
        var isOne = updates.Length == 1;
        var sql = Statement(table, isOne ? "one " + shape : shape, () =>
        {
            var columns = Written(set);
            var assignments = columns.Select((c, i) => $"{c.Quoted} = {(isOne ? ColumnArray.ReadOne(c.Storage, i + 2) : ColumnArray.Read(c.Storage, "u." + Name(i + 1)))}");
            return $"UPDATE {table.Name} AS r SET {string.Join(", ", assignments)} "
                + (isOne ? "WHERE r.id = $1" : $"FROM {Unnest([id.Columns[0].Storage, .. columns.Select(c => c.Storage)])} WHERE r.id = u.c0");
        });
        Add(batch, table, sql, [id, .. set], updates);
    }

    private static void Delete(ChangeRun run, ImmutableArray<PendingChange> deletes, WriteBatch batch)
    {
        if (!deletes.IsEmpty)
        {
            batch.Add(new NpgsqlBatchCommand($"DELETE FROM {run.Table.Name} WHERE id = ANY($1)")
            {
                Parameters = { new() { Value = deletes.Select(c => c.Id).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid } },
            });
            BinStore.Add(run, deletes, batch);
        }
    }

    private static void Add(WriteBatch batch, EntityTable table, string sql, ImmutableArray<TableField> fields, ImmutableArray<PendingChange> changes)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var field in fields)
        {
            AddParameters(command, field, changes);
        }

        batch.Add(command, changes.Length, table.Entity.Name);
    }

    private static void AddParameters(NpgsqlBatchCommand command, TableField field, ImmutableArray<PendingChange> changes)
    {
        var cells = new object?[field.Columns.Length];
        if (changes is [var one])
        {
            field.Type.ToColumns(one.Values[field.Index], cells);
            for (var i = 0; i < cells.Length; i++)
            {
                command.Parameters.Add(ColumnArray.One(field.Columns[i].Storage, cells[i]));
            }

            foreach (var key in field.Keys)
            {
                command.Parameters.Add(ColumnArray.One(key.Storage, key.Key.ColumnOf(field.Definition, one.Values[field.Index])));
            }

            return;
        }

        var columns = field.Columns.Select(c => ColumnArray.Of(c.Storage, changes.Length)).ToArray();
        for (var row = 0; row < changes.Length; row++)
        {
            Array.Clear(cells);
            field.Type.ToColumns(changes[row].Values[field.Index], cells);
            for (var i = 0; i < columns.Length; i++)
            {
                columns[i].Set(row, cells[i]);
            }
        }

        foreach (var column in columns)
        {
            command.Parameters.Add(column.ToParameter());
        }

        foreach (var key in field.Keys)
        {
            var column = ColumnArray.Of(key.Storage, changes.Length);
            for (var row = 0; row < changes.Length; row++)
            {
                column.Set(row, key.Key.ColumnOf(field.Definition, changes[row].Values[field.Index]));
            }

            command.Parameters.Add(column.ToParameter());
        }
    }

    /// <summary>The columns of fields, each field's keys behind its own.</summary>
    private static List<(string Quoted, StorageKind Storage)> Written(ImmutableArray<TableField> fields) =>
        [.. fields.SelectMany(f => f.Columns.Select(c => (c.Quoted, c.Storage)).Concat(f.Keys.Select(k => (k.Quoted, k.Storage))))];

    private static string Unnest(ImmutableArray<StorageKind> columns) =>
        $"unnest({string.Join(", ", columns.Select((c, i) => string.Create(CultureInfo.InvariantCulture, $"${i + 1}::{ColumnArray.TypeName(c)}[]")))}) "
        + $"AS u({string.Join(", ", columns.Select((_, i) => Name(i)))})";

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"c{index}");

    private static string Statement(EntityTable table, string shape, Func<string> build)
    {
        if (table.Statements.TryGetValue(shape, out var sql))
        {
            return sql;
        }

        sql = build();
        if (table.Statements.Count < RememberedStatements)
        {
            table.Statements.TryAdd(shape, sql);
        }

        return sql;
    }
}
