using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;

namespace Crm.Records.Webhooks;

/// <summary>Webhooks as administrators see and change them.</summary>
public sealed class WebhookStore(CrmDatabase database)
{
    /// <summary>Channel of <see cref="Notifications"/>: something is to be sent, or webhooks changed.</summary>
    public const string Channel = "crm_webhooks";

    /// <summary>Channel of <see cref="Notifications"/>: an attempt ended.</summary>
    public const string LogChannel = "crm_webhook_log";

    /// <summary>All webhooks, by name.</summary>
    public async Task<ImmutableArray<Webhook>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<WebhookRow>(new CommandDefinition(
            """
            SELECT w.id, w.name, w.url, w.entities, w.kinds, w.is_active AS IsActive, w.created_by_name AS CreatedByName, w.created_at AS CreatedAt, d.waiting, d.failed
            FROM crm.webhook AS w
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'failed') AS failed
                FROM crm.webhook_delivery WHERE webhook = w.id AND state <> 'delivered'
            ) AS d
            ORDER BY lower(w.name), w.id
            """,
            cancellationToken: ct));
        return [.. rows.Select(r => r.ToWebhook())];
    }

    /// <summary>Makes a webhook.</summary>
    /// <param name="input">What it is.</param>
    /// <param name="secret">Its secret, sealed.</param>
    /// <param name="actor">Who makes it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<Guid> CreateAsync(WebhookInput input, string secret, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(actor);
        var id = Guid.CreateVersion7();
        await ExecuteAsync(
            """
            INSERT INTO crm.webhook (id, name, url, secret, entities, kinds, is_active, created_by, created_by_name)
            VALUES (@id, @Name, @Url, @secret, @Entities, @Kinds, @IsActive, @user, @userName)
            """,
            new { id, input.Name, Url = input.Url.AbsoluteUri, secret, Entities = input.Entities.ToArray(), Kinds = Numbers(input.Kinds), input.IsActive, user = actor.UserId, userName = actor.Name },
            ct);
        return id;
    }

    /// <summary>Changes a webhook; false when there is none of this id.</summary>
    public Task<bool> UpdateAsync(Guid id, WebhookInput input, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return ExecuteAsync(
            "UPDATE crm.webhook SET name = @Name, url = @Url, entities = @Entities, kinds = @Kinds, is_active = @IsActive WHERE id = @id",
            new { id, input.Name, Url = input.Url.AbsoluteUri, Entities = input.Entities.ToArray(), Kinds = Numbers(input.Kinds), input.IsActive },
            ct);
    }

    /// <summary>Gives a webhook another secret, sealed; false when there is none of this id.</summary>
    public Task<bool> SetSecretAsync(Guid id, string secret, CancellationToken ct = default) =>
        ExecuteAsync("UPDATE crm.webhook SET secret = @secret WHERE id = @id", new { id, secret }, ct);

    /// <summary>Removes a webhook with what was and was not sent to it; false when there is none of this id.</summary>
    public Task<bool> DeleteAsync(Guid id, CancellationToken ct = default) => ExecuteAsync("DELETE FROM crm.webhook WHERE id = @id", new { id }, ct);

    /// <summary>What was sent to a webhook, newest first.</summary>
    /// <param name="id">The webhook.</param>
    /// <param name="state">Only those in this state; null for all.</param>
    /// <param name="before">Only events older than this one; null for the newest.</param>
    /// <param name="top">How many at most.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<WebhookDelivery>> DeliveriesAsync(Guid id, string? state, long? before, int top, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<DeliveryRow>(new CommandDefinition(
            $"""
            SELECT {DeliveryRow.Columns} FROM crm.webhook_delivery
            WHERE webhook = @id AND (@state::text IS NULL OR state = @state) AND (@before::bigint IS NULL OR event_id < @before)
            ORDER BY event_id DESC LIMIT @top
            """,
            new { id, state, before, top },
            cancellationToken: ct));
        return [.. rows.Select(r => r.ToDelivery())];
    }

    /// <summary>What was sent; null when there is no such delivery, empty before the first attempt.</summary>
    public async Task<string?> PayloadAsync(Guid id, Guid delivery, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteScalarAsync<string?>(
            new CommandDefinition("SELECT coalesce(payload, '') FROM crm.webhook_delivery WHERE webhook = @id AND id = @delivery", new { id, delivery }, cancellationToken: ct));
    }

    /// <summary>Sends a delivery again that has ended; false when there is none.</summary>
    public Task<bool> ReplayAsync(Guid id, Guid delivery, CancellationToken ct = default) => ExecuteAsync(
        """
        UPDATE crm.webhook_delivery SET state = 'waiting', attempts = 0, next_at = clock_timestamp(), leased_until = NULL, finished_at = NULL
        WHERE webhook = @id AND id = @delivery AND state <> 'waiting'
        """,
        new { id, delivery },
        ct);

    /// <summary>Sends everything again that failed; how many.</summary>
    public async Task<int> ReplayFailedAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE crm.webhook_delivery SET state = 'waiting', attempts = 0, next_at = clock_timestamp(), leased_until = NULL, finished_at = NULL WHERE webhook = @id AND state = 'failed';
            SELECT pg_notify(@Channel, '');
            """,
            new { id, Channel },
            cancellationToken: ct));
    }

    /// <summary>Whose changes somebody is told of; null for all entities.</summary>
    public async Task<ImmutableHashSet<string>?> HeardAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var lists = (await connection.QueryAsync<string[]>(new CommandDefinition("SELECT entities FROM crm.webhook WHERE is_active", cancellationToken: ct))).AsList();
        return lists.Any(l => l.Length == 0) ? null : [.. lists.SelectMany(l => l)];
    }

    private async Task<bool> ExecuteAsync(string sql, object parameters, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { Channel }, cancellationToken: ct));
        return rows > 0;
    }

    private static short[] Numbers(ImmutableArray<ChangeKind> kinds) => [.. kinds.Select(k => (short)k)];

    private sealed class WebhookRow
    {
        public Guid Id { get; init; }

        public required string Name { get; init; }

        public required string Url { get; init; }

        public required string[] Entities { get; init; }

        public required short[] Kinds { get; init; }

        public bool IsActive { get; init; }

        public required string CreatedByName { get; init; }

        public DateTime CreatedAt { get; init; }

        public long Waiting { get; init; }

        public long Failed { get; init; }

        public Webhook ToWebhook() => new(
            Id, Name, new Uri(Url), [.. Entities], [.. Kinds.Select(k => (ChangeKind)k)], IsActive, CreatedByName, new DateTimeOffset(CreatedAt, TimeSpan.Zero), Waiting, Failed);
    }
}
