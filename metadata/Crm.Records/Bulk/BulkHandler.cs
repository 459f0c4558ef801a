using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Bulk;

/// <summary>
/// Does bulk changes: batch by batch through the record service. A batch, its verdicts and the position are one transaction, so that a change that is
/// interrupted anywhere goes on without touching a record twice.
/// </summary>
internal sealed class BulkHandler(CrmDatabase database, RecordEngine engine, MetadataStore metadata) : IJobHandler
{
    /// <summary>Kind of bulk jobs, and the source of their changes in the history.</summary>
    public const string JobKind = "bulk";

    private const int BatchRows = 1000;

    public string Kind => JobKind;

    public async Task RunAsync(JobRun job, CancellationToken ct)
    {
        var wanted = job.Payload<BulkJob>();
        var records = engine.As(await job.ActorAsync(ct));
        // Definitions may have changed since the change was asked for.
        if (!metadata.Current.TryEntity(wanted.Entity, out var entity) || entity.IsHidden)
        {
            throw new JobFailedException(Texts.Of("EntityGone", wanted.Entity));
        }

        var table = EntityTable.Of(entity);
        if (wanted.Action == BulkAction.Update && BulkValues.Problems(table, wanted) is { IsEmpty: false } problems)
        {
            throw new JobFailedException(string.Join(' ', problems.Select(p => p.Message)));
        }

        var report = job.Report is { } json ? JsonSerializer.Deserialize<BulkReport>(json, JobJson.Options)! : new BulkReport();
        var position = job.Position;
        while (await ReadAsync(job, position, ct) is [.., var last] rows)
        {
            report = await SaveAsync(job, await PrepareAsync(wanted, table, rows, records, ct), records, report, last.Number, ct);
            position = last.Number;
        }
    }

    private async Task<List<BulkRow>> ReadAsync(JobRun job, long after, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return await BulkRows.ReadAsync(connection, job.Id, after, BatchRows, ct);
    }

    private async Task<BulkBatch> PrepareAsync(BulkJob wanted, EntityTable table, List<BulkRow> rows, RecordService records, CancellationToken ct)
    {
        if (wanted.UndoOf is not { } undone)
        {
            return await BulkBatch.PrepareAsync(wanted, table, rows, records, ct);
        }

        await using var connection = await database.OpenAsync(ct);
        var ids = rows.ConvertAll(r => r.Id);
        var made = wanted.IsOfImport ? await BulkRows.MadeAsync(connection, undone, ids, ct) : [];
        return BulkBatch.Restore(wanted, rows, await BulkRows.BeforeAsync(connection, table, undone, ids.FindAll(i => !made.Contains(i)), ct), made);
    }

    private async Task<BulkReport> SaveAsync(JobRun job, BulkBatch batch, RecordService records, BulkReport before, long last, CancellationToken ct)
    {
        BulkReport? committed = null;
        ImmutableArray<SaveResult> results = batch.Changes.IsEmpty ? [] : await records.SaveManyAsync(batch.Changes, new SaveOptions(AllOrNothing: false), WriteAsync, ct);
        if (!results.IsEmpty && results.All(r => r.Errors.Any(e => e.Code is ErrorCodes.Busy or ErrorCodes.Unavailable)))
        {
            // Nothing is wrong with the records: the runner tries the batch again.
            throw new JobInterruptedException(results[0].Errors[0].Message);
        }

        if (committed is null)
        {
            // Nothing was stored, so nothing is lost between the save and this.
            await using var connection = await database.OpenAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await WriteAsync(connection, transaction, results, ct);
            await transaction.CommitAsync(ct);
        }

        return committed!;

        async Task WriteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ImmutableArray<SaveResult> saved, CancellationToken token)
        {
            var verdicts = batch.Judge(saved);
            var after = before.Copy();
            verdicts.ForEach(after.Add);
            // The checkpoint first: who lost the lease must not even try the rest.
            await job.CheckpointAsync(connection, transaction, last, after, token);
            await VerdictStore.WriteAsync(connection, job.Id, verdicts, token);
            await BulkRows.KeepAsync(connection, transaction, job.Id, batch.Versions(saved), token);
            committed = after;
        }
    }
}
