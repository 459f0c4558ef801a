using System.Collections.Immutable;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records.Bulk;

/// <summary>What is to be done with many records of one entity.</summary>
/// <param name="Entity">Name of the entity.</param>
/// <param name="Action">What to do.</param>
public sealed record BulkRequest(string Entity, BulkAction Action)
{
    /// <summary>Most records that may be named one by one.</summary>
    public const int MaxIds = 10_000;

    /// <summary>Most records one bulk change may touch.</summary>
    public const int MaxRecords = 1_000_000;

    /// <summary>Most fields one bulk change may touch.</summary>
    public const int MaxFields = 50;

    /// <summary>The records by id; default to take <see cref="Query"/>.</summary>
    public ImmutableArray<Guid> Ids { get; init; }

    /// <summary>The records by a query, of which filter and search count.</summary>
    public RecordQuery? Query { get; init; }

    /// <summary>New values by field or property name; null to empty.</summary>
    public IReadOnlyDictionary<string, object?> Set { get; init; } = ImmutableDictionary<string, object?>.Empty;

    /// <summary>Texts to add to fields that hold several, such as tags.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<string>> Add { get; init; } = ImmutableDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Texts to take out of fields that hold several.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<string>> Remove { get; init; } = ImmutableDictionary<string, ImmutableArray<string>>.Empty;
}

/// <summary>What is done with each record.</summary>
public enum BulkAction
{
    /// <summary>Fields get other values.</summary>
    Update,

    /// <summary>The record is deleted.</summary>
    Delete,

    /// <summary>What an earlier bulk change did is taken back.</summary>
    Undo,
}

/// <summary>What a bulk job is to do; its records stand in their own table.</summary>
/// <param name="Entity">Name of the entity.</param>
/// <param name="Action">What to do.</param>
public sealed record BulkJob(string Entity, BulkAction Action)
{
    /// <summary>New values by field or property name.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Set { get; init; } = ImmutableSortedDictionary<string, JsonElement>.Empty;

    /// <summary>Texts to add.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Add { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Texts to take out.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Remove { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>The bulk change that is taken back.</summary>
    public Guid? UndoOf { get; init; }

    /// <summary>Whether what is taken back was an import: records it made are deleted.</summary>
    public bool IsOfImport { get; init; }
}

/// <summary>A bulk change that cannot be started; nothing was changed.</summary>
/// <param name="errors">Every reason.</param>
public sealed class BulkRefusedException(ImmutableArray<ValidationError> errors) : Exception(errors[0].Message)
{
    /// <summary>Code of a request that is too large.</summary>
    public const string TooMany = "limit";

    /// <summary>Every reason.</summary>
    public ImmutableArray<ValidationError> Errors { get; } = errors;
}
