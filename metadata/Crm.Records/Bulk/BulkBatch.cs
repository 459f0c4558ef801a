using System.Collections.Immutable;
using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Records.Bulk;

/// <summary>Some records of a bulk change that take the write path together.</summary>
internal sealed class BulkBatch
{
    private readonly BulkJob job;
    private readonly List<BulkRow> rows;
    private readonly Dictionary<Guid, string> refusals = [];
    private HashSet<Guid> made = [];

    private BulkBatch(BulkJob job, List<BulkRow> rows)
    {
        (this.job, this.rows) = (job, rows);
        foreach (var row in rows.Where(r => r.Version == 0))
        {
            refusals.Add(row.Id, Texts.Of("NotThere"));
        }
    }

    /// <summary>What is sent to the record service, in the order of the rows.</summary>
    public ImmutableArray<RecordChange> Changes { get; private set; } = [];

    private IEnumerable<BulkRow> Sent => rows.Where(r => !refusals.ContainsKey(r.Id));

    /// <summary>Changes or deletes records.</summary>
    public static async Task<BulkBatch> PrepareAsync(BulkJob job, EntityTable table, List<BulkRow> rows, IRecordService records, CancellationToken ct)
    {
        var batch = new BulkBatch(job, rows);
        if (job.Action == BulkAction.Delete)
        {
            batch.Changes = [.. batch.Sent.Select(r => RecordChange.Delete(job.Entity, r.Id, r.Version) with { Source = BulkHandler.JobKind })];
            return batch;
        }

        var set = BulkValues.Inputs(job);
        var current = job.Add.IsEmpty && job.Remove.IsEmpty ? null : await CurrentAsync(job, table, batch.Sent, records, ct);
        batch.Changes = [.. batch.Sent.Select(r => batch.Update(r, current is null ? set : current.TryGetValue(r.Id, out var record) ? BulkValues.For(job, set, record) : set))];
        return batch;
    }

    /// <summary>Gives records back what they held before an earlier bulk change, or an import; those that an import made are deleted.</summary>
    public static BulkBatch Restore(BulkJob job, List<BulkRow> rows, Dictionary<Guid, Dictionary<string, object?>> before, HashSet<Guid> made)
    {
        var batch = new BulkBatch(job, rows) { made = made };
        foreach (var row in batch.Sent.Where(r => !before.ContainsKey(r.Id) && !made.Contains(r.Id)).ToList())
        {
            batch.refusals.Add(row.Id, Texts.Of("NoHistory"));
        }

        batch.Changes = [.. batch.Sent.Select(r => made.Contains(r.Id) ? RecordChange.Delete(r.Entity ?? job.Entity, r.Id, r.Version) with { Source = BulkHandler.JobKind } : batch.Update(r, before[r.Id]))];
        return batch;
    }

    /// <summary>What became of each row; may be asked more than once, so it changes nothing.</summary>
    public List<RowVerdict> Judge(ImmutableArray<SaveResult> results)
    {
        var next = 0;
        return [.. rows.Select(row => refusals.TryGetValue(row.Id, out var reason) ? Refused(row, [new ValidationError(null, ErrorCodes.NotFound, reason)]) : Judge(row, results[next++]))];
    }

    /// <summary>The versions that changed records have now.</summary>
    public List<(long Row, long Version)> Versions(ImmutableArray<SaveResult> results)
    {
        var next = 0;
        return [.. Sent.Select(row => (Row: row, Result: results[next++])).Where(r => r.Result.Succeeded && !IsDeleted(r.Row) && r.Result.Record.Version != r.Row.Version).Select(r => (r.Row.Number, r.Result.Record!.Version))];
    }

    private static async Task<Dictionary<Guid, Record>> CurrentAsync(BulkJob job, EntityTable table, IEnumerable<BulkRow> rows, IRecordService records, CancellationToken ct)
    {
        ImmutableArray<object?> ids = [.. rows.Select(r => (object?)r.Id)];
        var page = await records.QueryAsync(
            new RecordQuery { Entity = table.Entity.Name, Select = [.. job.Add.Keys.Concat(job.Remove.Keys).Distinct(StringComparer.Ordinal)], Filter = new Filter.In("id", ids), Top = Math.Max(1, ids.Length) }, ct);
        return page.Records.ToDictionary(r => r.Id);
    }

    private bool IsDeleted(BulkRow row) => job.Action == BulkAction.Delete || made.Contains(row.Id);

    private RecordChange Update(BulkRow row, Dictionary<string, object?> values) =>
        RecordChange.Update(job.Entity, row.Id, values, row.Version) with { Source = BulkHandler.JobKind };

    private RowVerdict Judge(BulkRow row, SaveResult result) =>
        !result.Succeeded ? Refused(row, result.Errors)
        : new RowVerdict(row.Number, row.Number, IsDeleted(row) ? RowOutcome.Deleted : result.Record.Version == row.Version ? RowOutcome.Unchanged : RowOutcome.Updated, row.Id, []);

    private static RowVerdict Refused(BulkRow row, ImmutableArray<ValidationError> errors) =>
        new(row.Number, row.Number, RowOutcome.Skipped, row.Id, [.. errors.Select(e => new RowIssue(IsError: true, e.Code, e.Field, null, null, e.Code == ErrorCodes.Conflict ? Texts.Of("ChangedSince") : e.Message))]);
}
