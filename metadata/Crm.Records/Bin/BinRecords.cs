using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Bin;

/// <summary>What is looked for in the recycle bin.</summary>
public sealed record BinQuery
{
    /// <summary>Most records of a page.</summary>
    public const int MaxTop = 200;

    /// <summary>Only of this entity; null for all.</summary>
    public string? Entity { get; init; }

    /// <summary>Only what is called so, in part; null for all.</summary>
    public string? Search { get; init; }

    /// <summary>How many.</summary>
    public int Top { get; init; } = 50;

    /// <summary>Where the page before ended; null for the first.</summary>
    public string? After { get; init; }
}

/// <summary>A deleted record.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Entity">Its entity.</param>
/// <param name="Title">What it was called; empty when it had no name, or one that may not be read.</param>
/// <param name="DeletedAt">When.</param>
/// <param name="DeletedBy">By whom.</param>
/// <param name="DeletedByName">Their name then.</param>
/// <param name="Source">What set it off: <c>form</c>, <c>api</c>, <c>bulk</c>, a workflow, a module.</param>
/// <param name="Children">Deleted records that pointed to it.</param>
public sealed record BinRecord(Guid Id, string Entity, string Title, DateTimeOffset DeletedAt, Guid DeletedBy, string DeletedByName, string Source, long Children);

/// <summary>Some of the deleted records, newest first.</summary>
/// <param name="Records">The records.</param>
/// <param name="Next">Where the next page begins; null when there is none.</param>
public sealed record BinPage(ImmutableArray<BinRecord> Records, string? Next);

/// <summary>What became of a record that was to be restored.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Entity">Its entity; null when there is no such record in the bin, or none that may be seen.</param>
/// <param name="Title">What it was called.</param>
/// <param name="Errors">Why it could not be restored; empty when it was.</param>
public sealed record RestoreVerdict(Guid Id, string? Entity, string Title, ImmutableArray<ValidationError> Errors);

/// <summary>What a record held when it was deleted, for the save that makes it again.</summary>
/// <param name="Values">By name of the field.</param>
/// <param name="Version">The version of its deletion.</param>
/// <param name="CreatedAt">When it was first made.</param>
/// <param name="CreatedBy">By whom.</param>
/// <param name="GoesAlong">Whether it was deleted with another record, and comes back with it.</param>
internal sealed record Remains(IReadOnlyDictionary<string, object?> Values, long Version, DateTimeOffset CreatedAt, Guid CreatedBy, bool GoesAlong);
