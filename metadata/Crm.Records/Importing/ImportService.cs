using System.Collections.Immutable;
using Crm.Records.Jobs;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>A file as it reads.</summary>
/// <param name="File">The file.</param>
/// <param name="Encoding">How it is read.</param>
/// <param name="IsCertain">Whether the encoding was given or proven; otherwise it is the best fit.</param>
/// <param name="Delimiter">What separates its columns.</param>
/// <param name="Headers">Names of its columns.</param>
/// <param name="Sample">Its first rows.</param>
public sealed record FileInspection(StoredFile File, string Encoding, bool IsCertain, char Delimiter, ImmutableArray<string> Headers, ImmutableArray<ImportRow> Sample)
{
    /// <summary>The sheet that is read; null for a text.</summary>
    public string? Sheet { get; init; }
}

/// <summary>A value of a column and how often it stands there.</summary>
/// <param name="Value">The value.</param>
/// <param name="Count">Rows that have it.</param>
public sealed record ValueCount(string Value, long Count);

/// <summary>What somebody wants imported.</summary>
/// <param name="Entity">Name of the entity.</param>
/// <param name="File">Id of the uploaded file.</param>
public sealed record ImportOptions(string Entity, Guid File)
{
    /// <summary>What becomes what; null to guess from the headers.</summary>
    public ImportMapping? Mapping { get; init; }

    /// <summary>What happens to rows whose record exists or does not.</summary>
    public ImportMode Mode { get; init; }

    /// <summary>Fields a row and its record have in common.</summary>
    public ImmutableArray<string> Match { get; init; } = [];

    /// <summary>Whether everything is rolled back.</summary>
    public bool DryRun { get; init; }

    /// <summary>Whether new records may be like some that are there, by rules that leave it to whoever makes them; otherwise their rows are left out.</summary>
    public bool AcceptsDuplicates { get; init; }

    /// <summary>How the file is written; null to find out.</summary>
    public string? Encoding { get; init; }

    /// <summary>What separates its columns; null to find out.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Which sheet of a workbook; null for the first one.</summary>
    public string? Sheet { get; init; }
}

/// <summary>What the wizard and the API do: look into files, and start imports once all that can be known before the first row is good.</summary>
public sealed class ImportService(ImportFiles files, JobQueue jobs, RecordEngine engine)
{
    private const int MaxDistinctValues = 1000;

    /// <summary>Looks into a file.</summary>
    /// <exception cref="ImportFileException">It cannot be read this way, or it is unclear how it is written.</exception>
    public async Task<FileInspection> InspectAsync(Guid file, string? encoding, string? delimiter, Actor actor, int rows = 10, string? sheet = null, CancellationToken ct = default)
    {
        var stored = await FindAsync(file, actor, ct);
        var name = EncodingOf(stored, encoding);
        sheet = stored.IsWorkbook ? sheet is { Length: > 0 } ? sheet : stored.Sheets[0] : null;
        await using var table = await files.OpenTableAsync(file, name, CsvTable.ParseDelimiter(delimiter), sheet, ct);
        var sample = ImmutableArray.CreateBuilder<ImportRow>();
        while (sample.Count < rows && await table.ReadAsync(ct) is { } row)
        {
            sample.Add(row);
        }

        return new FileInspection(stored, name, !string.IsNullOrEmpty(encoding) || stored.Encoding.IsCertain, (table as CsvTable)?.Delimiter ?? ',', table.Headers, sample.ToImmutable()) { Sheet = sheet };
    }

    /// <summary>Values of some columns, the commonest first; null for a column of very many.</summary>
    public async Task<IReadOnlyDictionary<string, ImmutableArray<ValueCount>?>> ValuesAsync(FileInspection file, IReadOnlyCollection<string> columns, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        await using var table = await files.OpenTableAsync(file.File.Id, file.Encoding, file.Delimiter, file.Sheet, ct);
        var counts = columns.Distinct(StringComparer.OrdinalIgnoreCase).Select(c => (Column: c, Index: table.Headers.IndexOf(c), Values: new Dictionary<string, long>(StringComparer.Ordinal))).Where(c => c.Index >= 0).ToList();
        while (await table.ReadAsync(ct) is { } row)
        {
            foreach (var (_, index, values) in counts)
            {
                if (row.Values[index] is { Length: > 0 } value && (values.Count <= MaxDistinctValues || values.ContainsKey(value)))
                {
                    values[value] = values.GetValueOrDefault(value) + 1;
                }
            }
        }

        return counts.ToDictionary(
            c => c.Column,
            c => c.Values.Count > MaxDistinctValues ? (ImmutableArray<ValueCount>?)null : [.. c.Values.OrderByDescending(v => v.Value).ThenBy(v => v.Key, StringComparer.Ordinal).Select(v => new ValueCount(v.Key, v.Value))],
            StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Reads the whole file once, checks it and the mapping, and starts the import.</summary>
    /// <returns>The job.</returns>
    /// <exception cref="ImportFileException">The file or the mapping cannot be imported; nothing was started.</exception>
    public async Task<Job> StartAsync(ImportOptions options, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(actor);
        var (access, entity) = await OpenAsync(engine, options.Entity, actor, ct);
        var file = await InspectAsync(options.File, options.Encoding, options.Delimiter, actor, rows: 0, options.Sheet, ct);
        var mapping = options.Mapping ?? MappingGuess.Guess(entity, file.Headers);
        var problems = MappingCheck.Problems(access.Seen, entity, file.Headers, mapping, options.Mode, options.Match);
        if (!problems.IsEmpty)
        {
            throw new ImportFileException(ImportCodes.Mapping, problems[0].Message, problems[0].Field) { Details = problems };
        }

        var rows = await CountAsync(file, ct);
        if (rows == 0)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("NoRows"), "file");
        }

        var request = new ImportRequest(entity.Name, file.File.Id, file.File.Name, file.Encoding, file.Delimiter, mapping, options.Mode, options.Match, options.DryRun) { Sheet = file.Sheet, AcceptsDuplicates = options.AcceptsDuplicates };
        return await jobs.EnqueueAsync(ImportHandler.JobKind, request, actor, rows, ct);
    }

    /// <summary>Everything wrong with a mapping; the field of each is the part of the mapping at fault.</summary>
    public ImmutableArray<ValidationError> Problems(EntityDefinition entity, IEnumerable<string> headers, ImportMapping mapping, ImportMode mode, ImmutableArray<string> match) =>
        MappingCheck.Problems(engine.Metadata.Current, entity, headers, mapping, mode, match);

    /// <summary>The entity of this name or set.</summary>
    /// <exception cref="ImportFileException">There is none.</exception>
    public static EntityDefinition Entity(MetadataSnapshot snapshot, string name)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return (snapshot.TryEntity(name, out var entity) || snapshot.TrySet(name, out entity)) && !entity.IsHidden
            ? entity
            : throw new ImportFileException(ErrorCodes.UnknownEntity, Texts.Of("UnknownEntity", name), name);
    }

    /// <summary>An entity somebody may import into, and what they see.</summary>
    /// <exception cref="ImportFileException">There is none, or they may not.</exception>
    internal static async Task<(AccessView View, EntityDefinition Entity)> OpenAsync(RecordEngine engine, string name, Actor actor, CancellationToken ct)
    {
        var view = (await engine.Access.OfAsync(actor, engine.Metadata.Current, engine.Database, ct)).View;
        var entity = Entity(view.Seen, name);
        return view.ReachOf(entity, AccessOperation.Import) == Reach.None
            ? throw new ImportFileException(ErrorCodes.Access, AccessWords.Denied(view, entity, AccessOperation.Import, actor.Name), entity.Name)
            : (view, entity);
    }

    private static string EncodingOf(StoredFile file, string? given)
    {
        if (string.IsNullOrEmpty(given) || given == "auto")
        {
            return file.Encoding.Name ?? throw new ImportFileException(ImportCodes.Encoding, Texts.Of("EncodingUnclear"), "encoding") { Candidates = file.Encoding.Candidates };
        }

        var encoding = TextEncodings.Get(given);
        // The CSV reader takes UTF-8 as it comes; that it is valid was seen when the file was stored.
        if (encoding.CodePage == System.Text.Encoding.UTF8.CodePage && file.Encoding is not { Name: "utf-8", IsCertain: true })
        {
            throw new ImportFileException(ImportCodes.Encoding, Texts.Of("NotUtf8"), "encoding") { Candidates = file.Encoding.Candidates };
        }

        return encoding.WebName;
    }

    private async Task<StoredFile> FindAsync(Guid id, Actor actor, CancellationToken ct) =>
        await files.FindAsync(id, ct) is { } file && file.CreatedBy == actor.UserId ? file : throw new ImportFileException(ErrorCodes.NotFound, Texts.Of("NotYours"), "file");

    private async Task<long> CountAsync(FileInspection file, CancellationToken ct)
    {
        await using var table = await files.OpenTableAsync(file.File.Id, file.Encoding, file.Delimiter, file.Sheet, ct);
        var rows = 0L;
        while (await table.ReadAsync(ct) is not null)
        {
            rows++;
        }

        return rows;
    }
}
