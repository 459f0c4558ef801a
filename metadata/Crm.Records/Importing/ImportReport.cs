namespace Crm.Records.Importing;

/// <summary>What an import did so far; the report of its job. Rows read = created + updated + unchanged + skipped.</summary>
public sealed class ImportReport
{
    private const int MaxIssues = 500;
    private const int MaxLines = 5;

    private Dictionary<(bool, string, string?, string?), ImportIssue>? index;

    /// <summary>Rows read.</summary>
    public long Read { get; set; }

    /// <summary>Rows that became new records.</summary>
    public long Created { get; set; }

    /// <summary>Rows that changed a record.</summary>
    public long Updated { get; set; }

    /// <summary>Rows whose record had these values already.</summary>
    public long Unchanged { get; set; }

    /// <summary>Rows left out, each with its reason.</summary>
    public long Skipped { get; set; }

    /// <summary>Rows left out because of an error.</summary>
    public long Errors { get; set; }

    /// <summary>Rows kept with a warning.</summary>
    public long Warnings { get; set; }

    /// <summary>Records made for references nobody knew.</summary>
    public long CreatedReferences { get; set; }

    /// <summary>What there is to say, gathered by value.</summary>
    public IList<ImportIssue> Issues { get; init; } = [];

    /// <summary>A copy, to be added to without changing this one.</summary>
    internal ImportReport Copy() => new()
    {
        Read = Read,
        Created = Created,
        Updated = Updated,
        Unchanged = Unchanged,
        Skipped = Skipped,
        Errors = Errors,
        Warnings = Warnings,
        CreatedReferences = CreatedReferences,
        Issues = [.. Issues.Select(i => i.Copy())],
    };

    /// <summary>Counts a row.</summary>
    internal void Add(RowVerdict verdict)
    {
        Read++;
        switch (verdict.Outcome)
        {
            case RowOutcome.Created:
                Created++;
                break;
            case RowOutcome.Updated:
                Updated++;
                break;
            case RowOutcome.Unchanged:
                Unchanged++;
                break;
            default:
                Skipped++;
                break;
        }

        Errors += verdict.Severity == 2 ? 1 : 0;
        Warnings += verdict.Severity == 1 ? 1 : 0;
        // A row that is left out was not kept in spite of its warnings.
        foreach (var issue in verdict.Issues.Where(i => i.IsError || verdict.Severity < 2))
        {
            Add(issue, verdict.Line);
        }
    }

    /// <summary>Counts one thing said about a row.</summary>
    internal void Add(RowIssue issue, long line)
    {
        index ??= Issues.ToDictionary(i => (i.IsError, i.Code, i.Field, i.Value));
        var key = (issue.IsError, issue.Code, issue.Field, issue.Value);
        if (!index.TryGetValue(key, out var known))
        {
            // A column where every value is wrong must not make the report as long as the file.
            if (index.Count >= MaxIssues)
            {
                key = (issue.IsError, issue.Code, issue.Field, null);
            }

            if (!index.TryGetValue(key, out known))
            {
                known = new ImportIssue
                {
                    IsError = issue.IsError,
                    Code = issue.Code,
                    Field = issue.Field,
                    Column = issue.Column,
                    Value = key.Item4,
                    Message = key.Item4 is null && issue.Value is not null ? Texts.Of("OtherValues") : issue.Message,
                };
                index.Add(key, known);
                Issues.Add(known);
            }
        }

        known.Count++;
        if (known.Lines.Count < MaxLines)
        {
            known.Lines.Add(line);
        }
    }
}

/// <summary>One thing said about some rows.</summary>
public sealed class ImportIssue
{
    /// <summary>Whether the rows were left out because of it.</summary>
    public bool IsError { get; init; }

    /// <summary>Stable code.</summary>
    public required string Code { get; init; }

    /// <summary>The field; null for the whole row.</summary>
    public string? Field { get; init; }

    /// <summary>The column.</summary>
    public string? Column { get; init; }

    /// <summary>The value at fault.</summary>
    public string? Value { get; init; }

    /// <summary>For the user.</summary>
    public required string Message { get; init; }

    /// <summary>How many rows.</summary>
    public long Count { get; set; }

    /// <summary>The first lines it was said of.</summary>
    public IList<long> Lines { get; init; } = [];

    internal ImportIssue Copy() => new()
    {
        IsError = IsError,
        Code = Code,
        Field = Field,
        Column = Column,
        Value = Value,
        Message = Message,
        Count = Count,
        Lines = [.. Lines],
    };
}

/// <summary>What became of a row.</summary>
public enum RowOutcome
{
    /// <summary>A new record.</summary>
    Created,

    /// <summary>A record was changed.</summary>
    Updated,

    /// <summary>The record had these values already.</summary>
    Unchanged,

    /// <summary>Left out.</summary>
    Skipped,

    /// <summary>A record was deleted.</summary>
    Deleted,
}

/// <summary>The verdict of one row.</summary>
/// <param name="Row">Counted from 1.</param>
/// <param name="Line">The line in the file.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="RecordId">Its record; null when there is none, or on a dry run.</param>
/// <param name="Issues">What there is to say.</param>
public sealed record RowVerdict(long Row, long Line, RowOutcome Outcome, Guid? RecordId, IReadOnlyList<RowIssue> Issues)
{
    /// <summary>0 for nothing to say, 1 for a warning, 2 for an error.</summary>
    public int Severity => Issues.Any(i => i.IsError) ? 2 : Issues.Count > 0 ? 1 : 0;
}
