using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Records.Bulk;

/// <summary>What a bulk change did so far, or on a few records would do. Read = changed + unchanged + refused.</summary>
public sealed class BulkReport
{
    private const int MaxIssues = 200;
    private const int MaxExamples = 5;

    /// <summary>Records looked at.</summary>
    public long Read { get; set; }

    /// <summary>Records changed or deleted.</summary>
    public long Changed { get; set; }

    /// <summary>Records that had these values already.</summary>
    public long Unchanged { get; set; }

    /// <summary>Records left alone, each with its reasons.</summary>
    public long Refused { get; set; }

    /// <summary>The reasons, gathered.</summary>
    public IList<BulkIssue> Issues { get; init; } = [];

    /// <summary>A copy, to be added to without changing this one.</summary>
    internal BulkReport Copy() => new()
    {
        Read = Read,
        Changed = Changed,
        Unchanged = Unchanged,
        Refused = Refused,
        Issues = [.. Issues.Select(i => i.Copy())],
    };

    internal void Add(RowVerdict verdict)
    {
        Read++;
        Changed += verdict.Outcome is RowOutcome.Updated or RowOutcome.Deleted ? 1 : 0;
        Unchanged += verdict.Outcome == RowOutcome.Unchanged ? 1 : 0;
        Refused += verdict.Outcome == RowOutcome.Skipped ? 1 : 0;
        foreach (var issue in verdict.Issues)
        {
            var known = Issues.FirstOrDefault(i => i.Code == issue.Code && i.Field == issue.Field && i.Message == issue.Message);
            if (known is null && Issues.Count < MaxIssues)
            {
                Issues.Add(known = new BulkIssue { Code = issue.Code, Field = issue.Field, Message = issue.Message });
            }

            // Messages that name the record are as many as the records; those beyond count for the first of their kind.
            known ??= Issues.FirstOrDefault(i => i.Code == issue.Code) ?? Issues[^1];
            known.Count++;
            if (known.Examples.Count < MaxExamples && verdict.RecordId is { } id)
            {
                known.Examples.Add(id);
            }
        }
    }
}

/// <summary>One reason why some records were left alone.</summary>
public sealed class BulkIssue
{
    /// <summary>Stable code, see <see cref="ErrorCodes"/>.</summary>
    public required string Code { get; init; }

    /// <summary>The field; null for the whole record.</summary>
    public string? Field { get; init; }

    /// <summary>For the user; names the rule, when it was one.</summary>
    public required string Message { get; init; }

    /// <summary>How many records.</summary>
    public long Count { get; set; }

    /// <summary>Some of them.</summary>
    public IList<Guid> Examples { get; init; } = [];

    internal BulkIssue Copy() => new() { Code = Code, Field = Field, Message = Message, Count = Count, Examples = [.. Examples] };
}

/// <summary>What a bulk change would do.</summary>
/// <param name="Count">Records it is about.</param>
/// <param name="Sample">The verdict on some of them.</param>
public sealed record BulkPreview(long Count, BulkReport Sample);
