using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>Keeps records from standing above themselves. The records of a batch are looked at as they will be once all are written.</summary>
internal static class HierarchyGuard
{
    public static async Task CheckAsync(ChangeRun run, CancellationToken ct)
    {
        foreach (var field in run.Table.Hierarchies)
        {
            var moved = run.Going.Where(c => !c.IsRefused && c.Kind != ChangeKind.Delete && c.Changed.Contains(field.Index)).ToDictionary(c => c.Id);
            if (moved.Values.Any(c => c.Values[field.Index] is not null))
            {
                await CheckAsync(run, field, moved, ct);
            }
        }
    }

    private static async Task CheckAsync(ChangeRun run, TableField field, Dictionary<Guid, PendingChange> moved, CancellationToken ct)
    {
        await using var batch = run.Session.Batch();
        if (moved.Values.Any(c => c.Kind == ChangeKind.Update))
        {
            // Two who each move one half of a circle see nothing wrong in what is committed: whoever moves records waits for the other to end.
            // A new record needs no turn, because nothing that is committed stands below it.
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            {
                Parameters = { new() { Value = $"crm.hierarchy:{run.Table.Entity.Name}.{field.Name}" } },
            });
        }

        var column = field.Columns[0].Quoted;
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"""
            WITH RECURSIVE moved AS (SELECT m.id, m.above FROM unnest($1, $2) AS m (id, above)),
            way AS (
                SELECT m.id AS start, m.above AS at FROM moved AS m WHERE m.above IS NOT NULL
                UNION
                SELECT w.start, n.above
                FROM way AS w
                CROSS JOIN LATERAL (
                    SELECT m.above FROM moved AS m WHERE m.id = w.at
                    UNION ALL
                    SELECT r.{column} FROM {run.Table.Name} AS r WHERE r.id = w.at AND NOT EXISTS (SELECT FROM moved AS m WHERE m.id = w.at)
                ) AS n
                WHERE w.at <> w.start AND n.above IS NOT NULL
            )
            SELECT w.start FROM way AS w WHERE w.at = w.start
            """)
        {
            Parameters =
            {
                new() { Value = moved.Keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                new() { Value = moved.Values.Select(c => (Guid?)c.Values[field.Index]).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(ct);
        do
        {
            while (await reader.ReadAsync(ct))
            {
                // The lock answers with nothing.
                if (reader.FieldCount == 1 && reader.GetFieldType(0) == typeof(Guid))
                {
                    moved[reader.GetGuid(0)].Refuse(field.Name, ErrorCodes.Cycle, Texts.Of("Cycle", field.Definition.Label));
                }
            }
        }
        while (await reader.NextResultAsync(ct));
    }
}
