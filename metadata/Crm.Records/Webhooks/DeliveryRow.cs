using Crm.Sdk;

namespace Crm.Records.Webhooks;

/// <summary>A row of <c>crm.webhook_delivery</c>.</summary>
internal sealed class DeliveryRow
{
    /// <summary>Columns under the names of the properties.</summary>
    public const string Columns =
        "id, event_id AS EventId, at, user_id AS UserId, entity, record_id AS RecordId, kind, version, fields, cause_entity AS CauseEntity, cause_id AS CauseId, payload, state, attempts, next_at AS NextAt, status, answer, finished_at AS FinishedAt";

    public Guid Id { get; init; }

    public long EventId { get; init; }

    public DateTime At { get; init; }

    public Guid UserId { get; init; }

    public required string Entity { get; init; }

    public Guid RecordId { get; init; }

    public short Kind { get; init; }

    public long Version { get; init; }

    public required string[] Fields { get; init; }

    public string? CauseEntity { get; init; }

    public Guid? CauseId { get; init; }

    public string? Payload { get; init; }

    public required string State { get; init; }

    public int Attempts { get; init; }

    public DateTime NextAt { get; init; }

    public int? Status { get; init; }

    public string? Answer { get; init; }

    public DateTime? FinishedAt { get; init; }

    public LeasedDelivery ToLeased() => new(Id, ToEvent(), Payload, Attempts);

    public WebhookDelivery ToDelivery() =>
        new(Id, ToEvent(), State, Attempts, new DateTimeOffset(NextAt, TimeSpan.Zero), Status, Answer, FinishedAt is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : null);

    private RecordChanged ToEvent() => new(EventId, (ChangeKind)Kind, Entity, RecordId, Version, [.. Fields], new DateTimeOffset(At, TimeSpan.Zero), UserId) { Cause = CauseId is { } cause ? new RecordRef(CauseEntity!, cause) : null };
}
