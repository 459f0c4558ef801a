using Crm.Sdk;

namespace Crm.Records;

/// <summary>What a row about a change of a record holds, wherever it waits.</summary>
internal abstract class EventRow
{
    /// <summary>Columns under the names of the properties.</summary>
    public const string Columns = "at, user_id AS UserId, entity, record_id AS RecordId, kind, version, fields, cause_entity AS CauseEntity, cause_id AS CauseId, attempts";

    public DateTime At { get; init; }

    public Guid UserId { get; init; }

    public required string Entity { get; init; }

    public Guid RecordId { get; init; }

    public short Kind { get; init; }

    public long Version { get; init; }

    public required string[] Fields { get; init; }

    public string? CauseEntity { get; init; }

    public Guid? CauseId { get; init; }

    public int Attempts { get; init; }

    protected RecordChanged ToEvent(long id) =>
        new(id, (ChangeKind)Kind, Entity, RecordId, Version, [.. Fields], new DateTimeOffset(At, TimeSpan.Zero), UserId)
        {
            Cause = CauseId is { } cause ? new RecordRef(CauseEntity!, cause) : null,
        };
}
