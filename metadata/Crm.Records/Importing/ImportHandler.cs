using Crm.Metadata;
using Crm.Records.Jobs;

namespace Crm.Records.Importing;

/// <summary>Does import jobs.</summary>
internal sealed class ImportHandler(CrmDatabase database, RecordEngine engine, ImportFiles files) : IJobHandler
{
    /// <summary>Kind of import jobs.</summary>
    public const string JobKind = "import";

    public string Kind => JobKind;

    public async Task RunAsync(JobRun job, CancellationToken ct)
    {
        var request = job.Payload<ImportRequest>();
        var actor = await job.ActorAsync(ct);
        var snapshot = await engine.SnapshotOfAsync(actor, ct);
        try
        {
            // Definitions may have changed since the import was asked for.
            if (!snapshot.TryEntity(request.Entity, out var entity) || entity.IsHidden)
            {
                throw new JobFailedException(Texts.Of("EntityGone", request.Entity));
            }

            if (await files.FindAsync(request.File, ct) is null)
            {
                throw new JobFailedException(Texts.Of("FileGone", request.FileName));
            }

            await using (var table = await files.OpenTableAsync(request.File, request.Encoding, request.Delimiter, request.Sheet, ct))
            {
                var problems = MappingCheck.Problems(snapshot, entity, table.Headers, request.Mapping, request.Mode, request.Match);
                if (!problems.IsEmpty)
                {
                    throw new JobFailedException(string.Join(' ', problems.Select(p => p.Message)));
                }
            }

            await new ImportRun(job, request, snapshot, engine.As(actor), database, files).RunAsync(ct);
        }
        catch (ImportFileException problem)
        {
            throw new JobFailedException(problem.Message);
        }

        await files.SweepAsync(ct);
    }
}
