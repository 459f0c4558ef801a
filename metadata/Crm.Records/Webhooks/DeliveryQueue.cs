using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Records.Webhooks;

/// <summary>What is to be sent to webhooks: taken by one host at a time, in order per record and webhook, and settled afterwards.</summary>
public sealed class DeliveryQueue(CrmDatabase database) : IOutboxConsumer
{
    private const int MaxAnswer = 2000;

    /// <summary>
    /// Pauses after failed attempts, about three days in all; then the delivery has failed. As https://www.standardwebhooks.com proposes.
    /// </summary>
    public static ImmutableArray<TimeSpan> Pauses { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(14),
        TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>Writes down which webhooks must be told of committed changes; again for the same changes does nothing.</summary>
    async Task IOutboxConsumer.TakeAsync(NpgsqlConnection connection, IReadOnlyList<long> events, CancellationToken ct)
    {
        var added = await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.webhook_delivery (webhook, event_id, at, user_id, entity, record_id, kind, version, fields, cause_entity, cause_id)
            SELECT w.id, o.id, o.at, o.user_id, o.entity, o.record_id, o.kind, o.version, o.fields, o.cause_entity, o.cause_id
            FROM crm.webhook AS w JOIN crm.outbox AS o ON (w.entities = '{}' OR o.entity = ANY(w.entities)) AND o.kind = ANY(w.kinds) AND o.at >= w.created_at
            WHERE w.is_active AND o.id = ANY(@events)
            ON CONFLICT (webhook, event_id) DO NOTHING
            """,
            new { events = events.ToArray() },
            cancellationToken: ct));
        if (added > 0)
        {
            await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { WebhookStore.Channel }, cancellationToken: ct));
        }
    }

    /// <summary>Webhooks that something is due for, and how long until the next is due after those; null when nothing waits.</summary>
    public async Task<(ImmutableArray<Guid> Due, TimeSpan? Next)> DueAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = (await connection.QueryAsync<(Guid Webhook, TimeSpan Until)>(new CommandDefinition(
            """
            SELECT d.webhook, greatest(min(greatest(d.next_at, coalesce(d.leased_until, '-infinity'))) - clock_timestamp(), interval '0')
            FROM crm.webhook_delivery AS d JOIN crm.webhook AS w ON w.id = d.webhook AND w.is_active
            WHERE d.state = 'waiting'
            GROUP BY d.webhook
            """,
            cancellationToken: ct))).AsList();
        var later = rows.Where(r => r.Until > TimeSpan.Zero).Select(r => (TimeSpan?)r.Until).Min();
        return ([.. rows.Where(r => r.Until == TimeSpan.Zero).Select(r => r.Webhook)], later);
    }

    /// <summary>Where to send; null when the webhook is gone or off.</summary>
    public async Task<(WebhookTarget Target, Actor? Actor)?> TargetAsync(Guid webhook, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(string Url, string Secret, Guid CreatedBy)?>(
            new CommandDefinition("SELECT url, secret, created_by FROM crm.webhook WHERE id = @webhook AND is_active", new { webhook }, cancellationToken: ct));
        return row is var (url, secret, user) ? (new WebhookTarget(new Uri(url), secret, user), await Actors.FindAsync(connection, user, ct)) : null;
    }

    /// <summary>Takes deliveries that are due. Nobody else gets them, or later ones of their records, until they are settled or the lease ends.</summary>
    /// <param name="webhook">Of which webhook.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="lease">For how long.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<LeasedDelivery>> LeaseAsync(Guid webhook, int limit, TimeSpan lease, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<DeliveryRow>(new CommandDefinition(
            $"""
            UPDATE crm.webhook_delivery SET attempts = attempts + 1, leased_until = clock_timestamp() + @lease
            WHERE id IN (
                SELECT d.id FROM crm.webhook_delivery AS d
                WHERE d.webhook = @webhook AND d.state = 'waiting' AND d.next_at <= clock_timestamp() AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
                  AND NOT EXISTS (
                    SELECT 1 FROM crm.webhook_delivery AS e
                    WHERE e.webhook = d.webhook AND e.record_id = d.record_id AND e.state = 'waiting' AND e.event_id < d.event_id)
                ORDER BY d.event_id LIMIT @limit FOR UPDATE SKIP LOCKED)
            RETURNING {DeliveryRow.Columns}
            """,
            new { webhook, limit, lease },
            cancellationToken: ct));
        return [.. rows.OrderBy(r => r.EventId).Select(r => r.ToLeased())];
    }

    /// <summary>Keeps what is about to be sent, so that every further attempt sends the same.</summary>
    public async Task KeepAsync(IReadOnlyDictionary<Guid, string> payloads, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(payloads);
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.webhook_delivery AS d SET payload = p.payload FROM unnest(@ids, @texts) AS p(id, payload) WHERE d.id = p.id AND d.payload IS NULL",
            new { ids = payloads.Keys.ToArray(), texts = payloads.Values.ToArray() },
            cancellationToken: ct));
    }

    /// <summary>Writes down how an attempt ended.</summary>
    /// <param name="delivery">The attempt.</param>
    /// <param name="isDelivered">Whether the receiver took it.</param>
    /// <param name="status">HTTP status of the answer; null when there was none.</param>
    /// <param name="answer">The answer, or why there was none.</param>
    /// <param name="isFinal">Whether there is no point in trying again.</param>
    /// <param name="ct">Cancels.</param>
    public async Task SettleAsync(LeasedDelivery delivery, bool isDelivered, int? status, string? answer, bool isFinal = false, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        TimeSpan? pause = isDelivered || isFinal || delivery.Attempt > Pauses.Length ? null : Pauses[delivery.Attempt - 1];
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE crm.webhook_delivery SET
                state = @state, status = @status, answer = @answer, leased_until = NULL,
                next_at = clock_timestamp() + coalesce(@pause, interval '0'),
                finished_at = CASE WHEN @pause::interval IS NULL THEN clock_timestamp() END
            WHERE id = @Id AND state = 'waiting' AND attempts = @Attempt;
            SELECT pg_notify(@LogChannel, '');
            """,
            new
            {
                delivery.Id,
                delivery.Attempt,
                WebhookStore.LogChannel,
                state = isDelivered ? "delivered" : pause is null ? "failed" : "waiting",
                status,
                answer = answer is { Length: > MaxAnswer } ? answer[..MaxAnswer] : answer,
                pause,
            },
            cancellationToken: ct));
    }

    /// <summary>Forgets what ended more than thirty days ago.</summary>
    public async Task ClearAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("DELETE FROM crm.webhook_delivery WHERE finished_at < clock_timestamp() - interval '30 days'", cancellationToken: ct));
    }
}
