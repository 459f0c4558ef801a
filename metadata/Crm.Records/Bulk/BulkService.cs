using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Bulk;

/// <summary>What the lists and the API do: show what a bulk change would do, start one as a job, and take a finished one back.</summary>
public sealed class BulkService(CrmDatabase database, RecordEngine engine, JobQueue jobs, MetadataStore metadata)
{
    private const int SampleSize = 200;

    /// <summary>Counts the records, and asks for the verdict on the first of them as the change itself would get it.</summary>
    /// <exception cref="BulkRefusedException">The change cannot be started like this.</exception>
    /// <exception cref="QueryException">The query names something that does not exist or compares what cannot be compared.</exception>
    public async Task<BulkPreview> PreviewAsync(BulkRequest request, Actor actor, CancellationToken ct = default)
    {
        var (job, table) = await CheckAsync(request, actor, ct);
        var records = engine.As(actor);
        var count = request.Query is null ? request.Ids.Distinct().LongCount() : (await records.QueryAsync(Matching(request) with { Top = 1, Count = true }, ct)).Count ?? 0;
        Require(count > 0, ErrorCodes.NotFound, Texts.Of("NoRecords"));
        Require(count <= BulkRequest.MaxRecords, BulkRefusedException.TooMany, Texts.Of("TooManyRecords", BulkRequest.MaxRecords));
        var first = request.Query is null ? [.. request.Ids.Distinct().Take(SampleSize)] : ImmutableArray<Guid>.Empty;
        var page = await records.QueryAsync(Matching(request) with { Top = SampleSize, Filter = request.Query is null ? In(first) : Matching(request).Filter }, ct);
        var versions = page.Records.ToDictionary(r => r.Id, r => r.Version);
        var ids = request.Query is null ? first : [.. page.Records.Select(r => r.Id)];
        var rows = ids.Select((id, i) => new BulkRow(i + 1, id, versions.GetValueOrDefault(id))).ToList();
        var batch = await BulkBatch.PrepareAsync(job, table, rows, records, ct);
        var results = batch.Changes.IsEmpty ? [] : await records.SaveManyAsync(batch.Changes, new SaveOptions(AllOrNothing: false, DryRun: true), ct);
        var report = new BulkReport();
        foreach (var verdict in batch.Judge(results))
        {
            report.Add(verdict);
        }

        return new BulkPreview(count, report);
    }

    /// <summary>Starts a bulk change on the records that match now; what is changed by others before its turn comes is left alone and reported.</summary>
    /// <returns>The job.</returns>
    /// <exception cref="BulkRefusedException">The change cannot be started like this.</exception>
    /// <exception cref="QueryException">As for <see cref="PreviewAsync"/>.</exception>
    public async Task<Job> StartAsync(BulkRequest request, Actor actor, CancellationToken ct = default)
    {
        var (payload, _) = await CheckAsync(request, actor, ct);
        var records = engine.As(actor);
        return await EnqueueAsync(payload, actor, request.Query is null ? ByIdAsync : ByQueryAsync, ct);

        async Task<long> ByQueryAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job)
        {
            var count = await records.TakeDownAsync(Matching(request), job, BulkRequest.MaxRecords + 1, connection, transaction, ct);
            Require(count > 0, ErrorCodes.NotFound, Texts.Of("NoRecords"));
            Require(count <= BulkRequest.MaxRecords, BulkRefusedException.TooMany, Texts.Of("TooManyRecords", BulkRequest.MaxRecords));
            return count;
        }

        async Task<long> ByIdAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job)
        {
            var ids = request.Ids.Distinct().ToList();
            var versions = new Dictionary<Guid, long>();
            foreach (var chunk in ids.Chunk(RecordQuery.MaxTop))
            {
                var page = await records.QueryAsync(Matching(request) with { Filter = In(chunk), Top = chunk.Length }, ct);
                foreach (var record in page.Records)
                {
                    versions.Add(record.Id, record.Version);
                }
            }

            return await BulkRows.TakeAsync(connection, transaction, job, ids, versions, ct);
        }
    }

    /// <summary>Starts to take back what a bulk change or an import did; records that somebody changed since are left alone and reported.</summary>
    /// <param name="job">The bulk change or the import, which has ended.</param>
    /// <param name="actor">Who wants it back.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="BulkRefusedException">It cannot be taken back.</exception>
    public async Task<Job> UndoAsync(Job job, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var isImport = job.Kind == ImportHandler.JobKind;
        var done = isImport ? new BulkJob(JsonSerializer.Deserialize<ImportRequest>(job.Payload, ImportMapping.Json)!.Entity, BulkAction.Update) : Read(job);
        Require(job.IsFinished, ErrorCodes.Conflict, Texts.Of("NotFinished"));
        Require(done.Action != BulkAction.Delete && !done.IsOfImport, ErrorCodes.Conflict, Texts.Of("NotUndoable"));
        Require(metadata.Current.TryEntity(done.Entity, out var entity) && !entity.IsHidden, ErrorCodes.UnknownEntity, Texts.Of("EntityGone", done.Entity));
        try
        {
            return await EnqueueAsync(
                new BulkJob(done.Entity, BulkAction.Undo) { UndoOf = job.Id, IsOfImport = isImport },
                actor,
                async (connection, transaction, id) =>
                {
                    // It may be tried again at this moment.
                    Require(await JobQueue.HoldAsync(connection, transaction, job.Id, ct) is "succeeded" or "failed" or "cancelled", ErrorCodes.Conflict, Texts.Of("NotFinished"));
                    var count = isImport ? await BulkRows.TakeImportedAsync(connection, transaction, id, job.Id, ct) : await BulkRows.TakeChangedAsync(connection, transaction, id, job.Id, ct);
                    Require(count > 0, ErrorCodes.Conflict, Texts.Of("NothingToUndo"));
                    return count;
                },
                ct);
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw Refused(ErrorCodes.Conflict, Texts.Of("AlreadyUndone"));
        }
    }

    /// <summary>What a bulk job is to do.</summary>
    public static BulkJob Read(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return JsonSerializer.Deserialize<BulkJob>(job.Payload, ImportMapping.Json)!;
    }

    /// <summary>What a bulk job did so far.</summary>
    public static BulkReport ReportOf(Job job) => job?.Report is { } json ? JsonSerializer.Deserialize<BulkReport>(json, ImportMapping.Json)! : new BulkReport();

    private static Filter.In In(IEnumerable<Guid> ids) => new("id", [.. ids.Select(id => (object?)id)]);

    private static RecordQuery Matching(BulkRequest request) => new() { Entity = request.Entity, Select = ["id"], Filter = request.Query?.Filter, Search = request.Query?.Search, TimeZone = request.Query?.TimeZone };

    private async Task<(BulkJob Job, EntityTable Table)> CheckAsync(BulkRequest request, Actor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(actor);
        var access = (await engine.Access.OfAsync(actor, metadata.Current, database, ct)).View;
        var table = QueryCompiler.TableOf(access.Seen, request.Entity);
        var operation = request.Action == BulkAction.Delete ? AccessOperation.Delete : AccessOperation.Write;
        Require(access.ReachOf(table.Entity, operation) != Reach.None, ErrorCodes.Access, AccessWords.Denied(access, table.Entity, operation, actor.Name));
        Require((request.Query is null) != request.Ids.IsDefaultOrEmpty, ErrorCodes.BadRequest, Texts.Of("NoSelection"));
        Require(request.Query is not null || request.Ids.Length <= BulkRequest.MaxIds, BulkRefusedException.TooMany, Texts.Of("TooManyIds", request.Query is null ? request.Ids.Length : 0, BulkRequest.MaxIds));
        if (BulkValues.Unreadable(request) is { IsEmpty: false } unreadable)
        {
            throw new BulkRefusedException(unreadable);
        }

        var job = BulkValues.Keep(request);
        return BulkValues.Problems(table, job) is { IsEmpty: false } problems ? throw new BulkRefusedException(problems) : (job, table);
    }

    private async Task<Job> EnqueueAsync(BulkJob payload, Actor actor, Func<NpgsqlConnection, NpgsqlTransaction, Guid, Task<long>> take, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await JobQueue.EnqueueAsync(connection, transaction, id, BulkHandler.JobKind, payload, actor, ct);
        var total = await take(connection, transaction, id);
        await JobQueue.SetTotalAsync(connection, transaction, id, total, ct);
        await transaction.CommitAsync(ct);
        return (await jobs.FindAsync(id, ct))!;
    }

    private static void Require([System.Diagnostics.CodeAnalysis.DoesNotReturnIf(false)] bool holds, string code, string message)
    {
        if (!holds)
        {
            throw Refused(code, message);
        }
    }

    private static BulkRefusedException Refused(string code, string message) => new([new ValidationError(null, code, message)]);
}
