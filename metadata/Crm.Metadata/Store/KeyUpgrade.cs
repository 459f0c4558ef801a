using Crm.Sdk;
using Dapper;

namespace Crm.Metadata;

/// <summary>
/// Gives tables of an earlier version of the product the match keys this one writes: the columns at once, before anybody writes, and what is in them by steps that go on
/// while everybody works. Until those are done, records that nobody saved since are not found by their keys.
/// </summary>
internal sealed class KeyUpgrade(CrmDatabase database, TimeProvider time)
{
    /// <summary>Compares and begins; a database of this version costs one query.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_xact_lock(@LockKey)", new { ChangeRunner.LockKey }, transaction, cancellationToken: ct));
        var layers = await LayerRows.LoadAsync(connection, transaction, null, ct);
        var features = await ChangeRunner.FeaturesAsync(connection, transaction, ct);
        var columns = (await connection.QueryAsync<(string Table, string Column, string? Note)>(new CommandDefinition(
            """
            SELECT c.relname, a.attname, CASE WHEN a.attname LIKE '%\_\_%' THEN col_description(c.oid, a.attnum) END
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = to_regnamespace(@schema) AND c.relkind IN ('r', 'p')
            """,
            new { schema = Sql.RecordsSchema },
            transaction,
            cancellationToken: ct))).ToLookup(c => c.Table, StringComparer.Ordinal);
        var steps = SnapshotBuilder.Build(layers).Entities.Values
            .OrderBy(e => e.Name, StringComparer.Ordinal)
            .SelectMany(e => Steps(e, TableShape.Of(e, features), columns[e.Name].ToDictionary(c => c.Column, c => c.Note, StringComparer.Ordinal)))
            .ToList();
        if (steps.Count > 0)
        {
            var tables = new TableSteps(connection, transaction, time, onlineRows: 0, prepared: null, renames: []);
            await tables.PutOffAsync(steps, [], layers.Version, ct);
            await tables.RunAsync(steps, [], columns.Select(c => c.Key).ToHashSet(StringComparer.Ordinal), null, ct);
        }

        await transaction.CommitAsync(ct);
    }

    private static IEnumerable<PlanStep> Steps(EntityDefinition entity, TableShape table, Dictionary<string, string?> actual)
    {
        // A table that is missing, or lacks the very field, is for the consistency check to tell.
        foreach (var column in table.Columns.Where(c => c.Key is not null && table.Columns.Any(v => v.Key is null && v.Field == c.Field && actual.ContainsKey(v.Name))))
        {
            var isNew = !actual.TryGetValue(column.Name, out var note);
            if (!isNew && note == column.Key)
            {
                continue;
            }

            yield return KeySteps.Fill(entity, table.Name, column, isNew);
            foreach (var index in table.Indexes.Where(i => isNew && i.Column == column.Name))
            {
                var text = MetadataTexts.Of(index.IsUnique ? "StepUnique" : "StepIndex", entity.Field(column.Field).Label, entity.Label);
                // Over a new column an index is made in no time. One that forbids doubles has to wait for the keys; what forbade them so far forbids less.
                var now = index.IsUnique ? $"DROP INDEX IF EXISTS {Sql.Table(TableNames.Unique(table.Name, column.Field))}" : index.Create(table.Name);
                yield return new PlanStep(text, now, StepLock.Brief, entity.Name)
                {
                    Online = index.IsUnique ? new OnlineStep("index", index.Name, now, index.CreateConcurrently(table.Name)) { IsAlways = true } : null,
                };
            }
        }
    }
}
