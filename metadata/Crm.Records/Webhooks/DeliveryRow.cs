namespace Crm.Records.Webhooks;

/// <summary>A row of <c>crm.webhook_delivery</c>.</summary>
internal sealed class DeliveryRow : EventRow
{
    /// <summary>Columns under the names of the properties.</summary>
    public new const string Columns = "id, event_id AS EventId, payload, state, next_at AS NextAt, status, answer, finished_at AS FinishedAt, " + EventRow.Columns;

    public Guid Id { get; init; }

    public long EventId { get; init; }

    public string? Payload { get; init; }

    public required string State { get; init; }

    public DateTime NextAt { get; init; }

    public int? Status { get; init; }

    public string? Answer { get; init; }

    public DateTime? FinishedAt { get; init; }

    public LeasedDelivery ToLeased() => new(Id, ToEvent(EventId), Payload, Attempts);

    public WebhookDelivery ToDelivery() =>
        new(Id, ToEvent(EventId), State, Attempts, new DateTimeOffset(NextAt, TimeSpan.Zero), Status, Answer, FinishedAt is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : null);
}
