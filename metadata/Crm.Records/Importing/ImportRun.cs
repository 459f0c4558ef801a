using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Records.Bulk;
using Crm.Records.Jobs;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Importing;

/// <summary>
/// One import, from the file to the report: rows are read one by one and saved in batches through the record service. A batch, its verdicts and the
/// position in the file are one transaction, so an import that is interrupted anywhere goes on without doing anything twice.
/// </summary>
internal sealed class ImportRun
{
    private const int BatchRows = 1000;

    private readonly JobRun job;
    private readonly ImportRequest request;
    private readonly CrmDatabase database;
    private readonly ImportFiles files;
    private readonly RecordService records;
    private readonly EntityDefinition entity;
    private readonly References references;
    private readonly MatchIndex match;
    private readonly DryRunMemory? memory;
    private ImportReport report;
    private long position;

    public ImportRun(JobRun job, ImportRequest request, MetadataSnapshot metadata, RecordService records, CrmDatabase database, ImportFiles files)
    {
        (this.job, this.request, this.database, this.files, this.records) = (job, request, database, files, records);
        entity = metadata.Entity(request.Entity);
        match = new MatchIndex(records, entity, request.Match);
        memory = request.DryRun ? new DryRunMemory(entity, request.Mapping) : null;
        report = job.Report is { } json ? JsonSerializer.Deserialize<ImportReport>(json, JobJson.Options)! : new ImportReport();
        position = job.Position;
        references = new References(entity, metadata, new LookupResolver(records, metadata), records, request.DryRun) { Commit = CommitMadeAsync, Made = report.CreatedReferences };
    }

    /// <summary>Imports what is left of the file.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (request.DryRun && position > 0)
        {
            await StartAgainAsync(ct);
        }

        await using var table = await OpenAsync(ct);
        var mapper = new RowMapper(entity, table.Headers, request.Mapping);
        references.NamesInFile = await NamesInFileAsync(mapper, ct);

        var batch = new List<MappedRow>(BatchRows);
        var keys = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (await table.ReadAsync(ct) is { } row)
        {
            if (row.Number <= position)
            {
                continue;
            }

            var mapped = mapper.Map(row);
            // Two rows of one batch with the same key would not see each other.
            var isRepeated = match.IsUsed && !keys.Add(RoughKey(mapped));
            if (batch.Count == BatchRows || isRepeated)
            {
                await SaveAsync(batch, mapper, ct);
                batch.Clear();
                keys.Clear();
                keys.Add(RoughKey(mapped));
            }

            batch.Add(mapped);
        }

        await SaveAsync(batch, mapper, ct);
        if (!request.DryRun)
        {
            await SetPendingAsync(mapper, ct);
        }
    }

    private Task<IImportTable> OpenAsync(CancellationToken ct) => files.OpenTableAsync(request.File, request.Encoding, request.Delimiter, request.Sheet, ct);

    /// <summary>A dry run remembers rows instead of storing them, so one that was interrupted begins anew.</summary>
    private async Task StartAgainAsync(CancellationToken ct)
    {
        report = new ImportReport();
        references.Made = 0;
        position = 0;
        await CommitAsync([], [], report, ct);
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("DELETE FROM crm.job_verdict WHERE job_id = $1", connection) { Parameters = { new() { Value = job.Id } } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What the rows of the file are called, when some refer to others of the same file.</summary>
    private async Task<HashSet<string>> NamesInFileAsync(RowMapper mapper, CancellationToken ct)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (mapper.Plans.FirstOrDefault(p => p.IsReference && p.Target == entity.Name) is not { } self)
        {
            return names;
        }

        var titles = (self.Mapping.By is { } by ? [by] : entity.TitleFields).Select(f => mapper.Plans.FirstOrDefault(p => p.Key == f)).OfType<FieldPlan>().ToList();
        await using var table = await OpenAsync(ct);
        while (await table.ReadAsync(ct) is { } row)
        {
            var name = string.Join(' ', titles.Select(t => t.Text(row.Values, c => mapper.ValueOf(row, c))).Where(t => t.Length > 0));
            if (name.Length > 0)
            {
                names.Add(name);
            }
        }

        return names;
    }

    private string RoughKey(MappedRow row) =>
        string.Join('\u001F', request.Match.Select(m => row.Values.GetValueOrDefault(m)?.ToString() ?? row.References.Find(r => r.Plan.Key == m)?.Name));

    private async Task SaveAsync(List<MappedRow> batch, RowMapper mapper, CancellationToken ct)
    {
        if (batch.Count == 0)
        {
            return;
        }

        await references.ResolveAsync(batch, mapper, ct);
        report.CreatedReferences = references.Made;
        var decided = await DecideAsync(batch, ct);
        var changes = decided.Where(d => d.Change is not null).ToList();
        var last = batch[^1].Source.Number;
        ImportReport? committed = null;
        var results = changes.Count == 0 ? [] : await records.SaveManyAsync(
            [.. changes.Select(c => c.Change!)],
            new SaveOptions(AllOrNothing: false, request.DryRun),
            async (connection, transaction, saved, token) =>
            {
                var (verdicts, after) = Judge(decided, saved);
                await WriteAsync(connection, transaction, verdicts, Pending(decided, saved), last, after, token);
                await BulkRows.KeepImportedAsync(connection, job.Id, Imported(changes, saved), token);
                committed = after;
            },
            ct);
        if (results.Length > 0 && results.All(r => r.Errors.Any(e => e.Code is ErrorCodes.Busy or ErrorCodes.Unavailable)))
        {
            // Nothing is wrong with the rows: the runner tries the batch again.
            throw new JobInterruptedException(results[0].Errors[0].Message);
        }

        if (committed is null)
        {
            // Nothing was stored, so nothing is lost between the save and this.
            var (verdicts, after) = Judge(decided, results);
            position = last;
            await CommitAsync(verdicts, [], after, ct);
            committed = after;
        }

        (report, position) = (committed, last);
        memory?.Remember(changes
            .Where((d, i) => d.Change!.Kind == ChangeKind.Create && results[i].Succeeded)
            .Select(d => (d.Row, match.IsUsed ? match.KeyOf(d.Row) : null)));
    }

    /// <summary>What is to be done with each row.</summary>
    private async Task<List<DecidedRow>> DecideAsync(List<MappedRow> batch, CancellationToken ct)
    {
        var found = match.IsUsed ? await match.FindAsync(batch.Where(r => !r.HasErrors), ct) : [];
        return [.. batch.Select(row => Decide(row, found))];
    }

    private DecidedRow Decide(MappedRow row, Dictionary<string, List<Record>> found)
    {
        if (row.HasErrors)
        {
            return new DecidedRow(row, null, null);
        }

        var key = match.IsUsed ? match.KeyOf(row) : null;
        var existing = key is null ? null : found.GetValueOrDefault(key);
        if (match.IsUsed && key is null && request.Mode != ImportMode.Create)
        {
            return Skip(row, isError: true, ErrorCodes.Required, Texts.Of("MatchValueMissing", match.Missing(row)));
        }

        if (existing is { Count: > 1 })
        {
            return Skip(row, isError: true, ImportCodes.Ambiguous, Texts.Of("AmbiguousMatch", existing.Count));
        }

        if (existing is [var record])
        {
            return request.Mode == ImportMode.Create
                ? Skip(row, isError: false, ImportCodes.Exists, Texts.Of("Exists"))
                : new DecidedRow(row, RecordChange.Update(entity.Name, record.Id, Without(row.Values, "id")) with { Source = "import" }, record.Version);
        }

        if (key is not null && memory?.HasKey(key) == true)
        {
            return request.Mode == ImportMode.Create ? Skip(row, isError: false, ImportCodes.Exists, Texts.Of("Exists")) : new DecidedRow(row, null, null) { IsUpdateOfRememberedRow = true };
        }

        if (request.Mode == ImportMode.Update)
        {
            return Skip(row, isError: true, ErrorCodes.NotFound, Texts.Of("NotThere"));
        }

        if (memory?.Repeated(row) is { } repeated)
        {
            row.Issues.Add(repeated);
            return new DecidedRow(row, null, null);
        }

        var id = row.Values.GetValueOrDefault("id") is Guid given ? given : RecordIds.Next();
        return new DecidedRow(row, new RecordChange(ChangeKind.Create, entity.Name, id, Without(row.Values, "id")) { Source = "import", AsksAboutDuplicates = !request.AcceptsDuplicates }, null);
    }

    private static DecidedRow Skip(MappedRow row, bool isError, string code, string message)
    {
        row.Issues.Add(new RowIssue(isError, code, null, null, null, message));
        return new DecidedRow(row, null, null);
    }

    private static Dictionary<string, object?> Without(Dictionary<string, object?> values, string key) =>
        values.ContainsKey(key) ? values.Where(v => v.Key != key).ToDictionary(StringComparer.Ordinal) : values;

    /// <summary>Verdicts of a batch and the report with them; may be asked more than once, so it changes nothing.</summary>
    private (List<RowVerdict> Verdicts, ImportReport Report) Judge(List<DecidedRow> decided, ImmutableArray<SaveResult> results)
    {
        var after = report.Copy();
        var verdicts = new List<RowVerdict>(decided.Count);
        var next = 0;
        foreach (var row in decided)
        {
            var verdict = row.Change is null
                ? Verdict(row, row.IsUpdateOfRememberedRow ? RowOutcome.Updated : RowOutcome.Skipped, null, [])
                : Verdict(row, results[next++]);
            verdicts.Add(verdict);
            after.Add(verdict);
        }

        return (verdicts, after);
    }

    private RowVerdict Verdict(DecidedRow row, SaveResult result)
    {
        // On a dry run a record that will be made has no id yet; that it is missing is no error of the row.
        var errors = result.Errors.Where(e => !(e.Code == ErrorCodes.Required && e.Field is { } field && row.Row.WouldExist.Contains(field))).ToList();
        if (errors.Count > 0)
        {
            return Verdict(row, RowOutcome.Skipped, null, errors);
        }

        var outcome = row.Change!.Kind == ChangeKind.Create ? RowOutcome.Created : result.Record?.Version == row.ExistingVersion ? RowOutcome.Unchanged : RowOutcome.Updated;
        return Verdict(row, outcome, request.DryRun && outcome == RowOutcome.Created ? null : row.Change.Id, []);
    }

    private RowVerdict Verdict(DecidedRow row, RowOutcome outcome, Guid? id, IReadOnlyCollection<ValidationError> errors) =>
        new(row.Row.Source.Number, row.Row.Source.Line, outcome, id, [.. row.Row.Issues, .. errors.Select(e => ToIssue(row.Row, e))]);

    private RowIssue ToIssue(MappedRow row, ValidationError error)
    {
        var mapping = error.Field is { } field ? request.Mapping.Fields.GetValueOrDefault(field) : null;
        // That a record is there already is no fault of the row.
        return new RowIssue(error.Code is not (ErrorCodes.Duplicate or ErrorCodes.PossibleDuplicate), error.Code, error.Field, mapping?.Column, error.Field is { } key ? row.Texts.GetValueOrDefault(key) : null, error.Message);
    }

    private static List<(MappedRow Row, NamedReference Reference, Guid Id)> Pending(List<DecidedRow> decided, ImmutableArray<SaveResult> results)
    {
        var changed = decided.Where(d => d.Change is not null).ToList();
        return [.. changed.Where((_, i) => results[i].Succeeded).SelectMany(d => d.Row.Pending.Select(p => (d.Row, p, d.Change!.Id)))];
    }

    /// <summary>What is to be taken back when the import is.</summary>
    private static List<ImportedRow> Imported(List<DecidedRow> changes, ImmutableArray<SaveResult> results) =>
        [.. changes.Select((c, i) => (Row: c, results[i].Record, results[i].Succeeded)).Where(c => c.Succeeded && c.Record!.Version != c.Row.ExistingVersion)
            .Select(c => new ImportedRow(c.Row.Row.Source.Number, c.Row.Change!.Id, null, c.Row.ExistingVersion ?? 0, c.Record!.Version))];

    private async Task CommitMadeAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, long made, IReadOnlyList<Record> records, CancellationToken ct)
    {
        var after = report.Copy();
        after.CreatedReferences = made;
        await job.CheckpointAsync(connection, transaction, position, after, ct);
        await BulkRows.KeepImportedAsync(connection, job.Id, [.. records.Select((r, i) => new ImportedRow(-(made - i), r.Id, r.Entity, 0, r.Version))], ct);
    }

    private async Task CommitAsync(List<RowVerdict> verdicts, List<(MappedRow, NamedReference, Guid)> pending, ImportReport after, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await WriteAsync(connection, transaction, verdicts, pending, position, after, ct);
        await transaction.CommitAsync(ct);
    }

    private async Task WriteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, List<RowVerdict> verdicts, List<(MappedRow Row, NamedReference Reference, Guid Id)> pending, long reached, ImportReport after, CancellationToken ct)
    {
        // The checkpoint first: who lost the lease must not even try the rest.
        await job.CheckpointAsync(connection, transaction, reached, after, ct);
        await VerdictStore.WriteAsync(connection, job.Id, verdicts, ct);
        await PendingReferences.AddAsync(connection, transaction, job.Id, pending, ct);
    }

    private async Task SetPendingAsync(RowMapper mapper, CancellationToken ct)
    {
        var pending = new PendingReferences(job, entity, records, references, database);
        report = await pending.SetAllAsync(mapper.Plans, report, position, ct);
    }

    private sealed record DecidedRow(MappedRow Row, RecordChange? Change, long? ExistingVersion)
    {
        public bool IsUpdateOfRememberedRow { get; init; }
    }
}

/// <summary>The database could not be written for a moment; nothing is wrong with the input.</summary>
internal sealed class JobInterruptedException(string message) : Exception(message);
