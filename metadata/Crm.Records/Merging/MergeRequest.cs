using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Merging;

/// <summary>Records that are to become one.</summary>
/// <param name="Entity">Their entity.</param>
/// <param name="Survivor">The one that stays.</param>
/// <param name="Others">Those that go into the recycle bin.</param>
public sealed record MergeRequest(string Entity, Guid Survivor, ImmutableArray<Guid> Others)
{
    /// <summary>Most records that become one at a time, the survivor among them.</summary>
    public const int MaxRecords = 10;

    /// <summary>Most records that may point to the others.</summary>
    public const int MaxMoved = 10_000;

    /// <summary>By field: the record whose value is kept, or <see cref="Guid.Empty"/> for those of all together. What is not named keeps the survivor's value, or that of the first other when it has none.</summary>
    public IReadOnlyDictionary<string, Guid> Choices { get; init; } = ImmutableDictionary<string, Guid>.Empty;
}

/// <summary>What became of a merge, or of taking it back.</summary>
/// <param name="Id">The merge, for taking it back; null when it was refused.</param>
/// <param name="Errors">Why it was refused.</param>
public sealed record MergeResult(Guid? Id, ImmutableArray<ValidationError> Errors)
{
    /// <summary>Records and links that point to the survivor now, or to the others again.</summary>
    public int Moved { get; init; }

    /// <summary>Of a merge that was taken back: what changed since and was left as it is.</summary>
    public ImmutableArray<MergeConflict> Conflicts { get; init; } = [];

    internal static MergeResult Refused(params ImmutableArray<ValidationError> errors) => new(null, errors);
}

/// <summary>A field that changed since a merge and was left as it is.</summary>
/// <param name="Entity">Of which entity.</param>
/// <param name="Record">Of which record.</param>
/// <param name="Field">Which field.</param>
public sealed record MergeConflict(string Entity, Guid Record, string Field);
