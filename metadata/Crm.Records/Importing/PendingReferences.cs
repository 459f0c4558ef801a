using Crm.Metadata;
using Crm.Records.Bulk;
using Crm.Records.Jobs;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Importing;

/// <summary>The second pass: references to rows that came later in the same file, set once all rows are there. What is done is taken off the list in the same transaction.</summary>
internal sealed class PendingReferences(JobRun job, EntityDefinition entity, RecordService records, References references, CrmDatabase database)
{
    private const int BatchRows = 1000;

    /// <summary>Puts references on the list.</summary>
    public static async Task AddAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, IReadOnlyCollection<(MappedRow Row, NamedReference Reference, Guid Id)> pending, CancellationToken ct)
    {
        if (pending.Count == 0)
        {
            return;
        }

        // A field that holds many has one entry with all the names.
        var entries = pending.GroupBy(p => (p.Row.Source.Number, p.Reference.Plan.Key, p.Id)).Select(g => (g.Key.Number, g.Key.Key, g.Key.Id, Names: string.Join(';', g.Select(p => p.Reference.Name)))).ToList();
        await using var command = new NpgsqlCommand(
            "INSERT INTO crm.job_pending (job_id, row, field, record_id, value) SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::text[])",
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = job },
                new() { Value = entries.Select(p => p.Number).ToArray() },
                new() { Value = entries.Select(p => p.Key).ToArray() },
                new() { Value = entries.Select(p => p.Id).ToArray() },
                new() { Value = entries.Select(p => p.Names).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Sets all references of the list.</summary>
    /// <returns>The report with what there was to say.</returns>
    public async Task<ImportReport> SetAllAsync(IReadOnlyCollection<FieldPlan> plans, ImportReport report, long position, CancellationToken ct)
    {
        while (await ReadAsync(plans, ct) is { Count: > 0 } batch)
        {
            await ResolveAsync(batch, ct);
            var ready = batch.Where(p => p.Target is not null).ToList();
            ImportReport? committed = null;
            async Task WriteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<SaveResult> results, CancellationToken token)
            {
                var after = report.Copy();
                await job.CheckpointAsync(connection, transaction, position, after, token);
                foreach (var (item, issue) in Issues(batch, ready, results))
                {
                    after.Add(issue, item.Line);
                    after.Warnings += item.Severity == 0 ? 1 : 0;
                    await VerdictStore.AppendAsync(connection, transaction, job.Id, item.Row, issue, token);
                }

                await RemoveAsync(connection, transaction, batch, token);
                await BulkRows.KeepAgainAsync(connection, transaction, job.Id, Changed(ready, results), token);
                await job.CheckpointAsync(connection, transaction, position, after, token);
                committed = after;
            }

            var saved = ready.Count == 0 ? [] : await records.SaveManyAsync(
                [.. ready.Select(p => RecordChange.Update(entity.Name, p.RecordId, new Dictionary<string, object?>(StringComparer.Ordinal) { [p.Plan.Key] = p.Target }) with { Source = "import" })],
                new SaveOptions(AllOrNothing: false),
                (connection, transaction, results, token) => WriteAsync(connection, transaction, results, token),
                ct);
            if (saved.Length > 0 && saved.All(r => r.Errors.Any(e => e.Code is ErrorCodes.Busy or ErrorCodes.Unavailable)))
            {
                throw new JobInterruptedException(saved[0].Errors[0].Message);
            }

            if (committed is null)
            {
                await using var connection = await database.OpenAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await WriteAsync(connection, transaction, saved, ct);
                await transaction.CommitAsync(ct);
            }

            report = committed!;
        }

        return report;
    }

    private async Task<List<Item>> ReadAsync(IReadOnlyCollection<FieldPlan> plans, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(
            "SELECT p.row, p.field, p.record_id, p.value, v.line, v.severity FROM crm.job_pending p JOIN crm.job_verdict v USING (job_id, row) WHERE p.job_id = $1 ORDER BY p.row, p.field LIMIT $2",
            connection)
        {
            Parameters = { new() { Value = job.Id }, new() { Value = BatchRows } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var items = new List<Item>();
        while (await reader.ReadAsync(ct))
        {
            var field = reader.GetString(1);
            items.Add(new Item(reader.GetInt64(0), plans.First(p => p.Key == field), reader.GetGuid(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt16(5)));
        }

        return items;
    }

    private async Task ResolveAsync(List<Item> batch, CancellationToken ct)
    {
        foreach (var group in batch.GroupBy(i => i.Plan))
        {
            var plan = group.Key;
            var found = await references.FindAsync(plan, [.. group.SelectMany(i => plan.Names(i.Value)).Distinct(StringComparer.Ordinal)], ct);
            foreach (var item in group)
            {
                var ids = new List<object?>();
                foreach (var name in plan.Names(item.Value))
                {
                    var named = found.GetValueOrDefault(name);
                    if (named?.Id is { } id)
                    {
                        ids.Add(id);
                        continue;
                    }

                    item.Issues.Add(named is null
                        ? references.Issue(plan, isError: false, ImportCodes.LeftEmpty, name, "ReferenceLeftOut")
                        : references.Ambiguous(plan, isError: false, name, named));
                }

                item.Target = ids.Count == 0 ? null : plan.IsList ? new Dictionary<string, object?>(StringComparer.Ordinal) { ["add"] = ids } : ids[0];
            }
        }
    }

    private static IEnumerable<(Item Item, RowIssue Issue)> Issues(List<Item> batch, List<Item> ready, IReadOnlyList<SaveResult> results)
    {
        foreach (var (item, issue) in batch.SelectMany(i => i.Issues.Select(issue => (i, issue))))
        {
            yield return (item, issue);
        }

        for (var i = 0; i < results.Count; i++)
        {
            foreach (var error in results[i].Errors)
            {
                yield return (ready[i], new RowIssue(IsError: false, error.Code, ready[i].Plan.Key, ready[i].Plan.ColumnName, ready[i].Value, error.Message));
            }
        }
    }

    private static List<(long Row, long Version, int Changes)> Changed(List<Item> ready, IReadOnlyList<SaveResult> results) =>
        [.. results.Select((r, i) => (ready[i].Row, r.Record, r.Succeeded)).Where(r => r.Succeeded).GroupBy(r => r.Row).Select(g => (g.Key, g.Max(r => r.Record!.Version), g.Count()))];

    private async Task RemoveAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, List<Item> batch, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "DELETE FROM crm.job_pending p USING unnest($2::bigint[], $3::text[]) AS done (row, field) WHERE p.job_id = $1 AND p.row = done.row AND p.field = done.field",
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = job.Id },
                new() { Value = batch.Select(i => i.Row).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new() { Value = batch.Select(i => i.Plan.Key).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record Item(long Row, FieldPlan Plan, Guid RecordId, string Value, long Line, int Severity)
    {
        /// <summary>Input for the field; null when nothing was found.</summary>
        public object? Target { get; set; }

        public List<RowIssue> Issues { get; } = [];
    }
}
