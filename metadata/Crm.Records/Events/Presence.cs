using System.Collections.Concurrent;
using System.Collections.Immutable;
using Crm.Metadata;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Records;

/// <summary>Somebody who has a record open.</summary>
/// <param name="UserId">The user.</param>
/// <param name="IsEditing">Whether they typed something that is not saved.</param>
public sealed record Present(Guid UserId, bool IsEditing);

/// <summary>
/// Who has which record open, at any host. A page that ended without saying so, because its host was killed, is forgotten after a minute. Ask for a record only on behalf of somebody who
/// sees it.
/// </summary>
public sealed class Presence(CrmDatabase database, TimeProvider time, ILogger<Presence> log) : BackgroundService
{
    /// <summary>What announcements name instead of an entity when somebody came to a record, or left it.</summary>
    public const string Announced = "crm.presence";

    private const string Expired = "interval '1 minute'";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<Guid, Row> pages = new();

    /// <summary>Says that a page shows a record, and whether something was typed there.</summary>
    public async Task EnterAsync(Guid page, Guid record, Guid user, bool isEditing, CancellationToken ct = default)
    {
        pages[page] = new Row(page, record, user, isEditing);
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.presence (page, record_id, user_id, is_editing, seen_at) VALUES (@page, @record, @user, @isEditing, now())
            ON CONFLICT (page) DO UPDATE SET record_id = excluded.record_id, is_editing = excluded.is_editing, seen_at = excluded.seen_at;
            SELECT pg_notify(@Channel, @payload)
            """,
            new { page, record, user, isEditing, ChangeAnnouncer.Channel, payload = $"{Announced} {record}:0" },
            cancellationToken: ct));
        if (!pages.ContainsKey(page))
        {
            // It left before it was there.
            await RemoveAsync(connection, page, record, ct);
        }
    }

    /// <summary>Says that a page is gone.</summary>
    public async Task LeaveAsync(Guid page, CancellationToken ct = default)
    {
        if (!pages.TryRemove(page, out var row))
        {
            return;
        }

        await using var connection = await database.OpenAsync(ct);
        await RemoveAsync(connection, page, row.Record, ct);
    }

    /// <summary>Everybody else who has a record open; those who are editing it first.</summary>
    public async Task<ImmutableArray<Present>> OthersAsync(Guid record, Guid user, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return [.. await connection.QueryAsync<Present>(new CommandDefinition(
            $"""
            SELECT user_id AS UserId, bool_or(is_editing) AS IsEditing FROM crm.presence
            WHERE record_id = @record AND user_id <> @user AND seen_at > now() - {Expired}
            GROUP BY user_id ORDER BY 2 DESC, 1
            """,
            new { record, user },
            cancellationToken: ct))];
    }

    /// <summary>Says of all pages of this host that they are still there, and forgets those whose host does not say so any more.</summary>
    internal async Task RenewAsync(CancellationToken ct)
    {
        var rows = pages.Values.ToList();
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.presence (page, record_id, user_id, is_editing, seen_at)
            SELECT *, now() FROM unnest(@pages, @records, @users, @editing)
            ON CONFLICT (page) DO UPDATE SET seen_at = excluded.seen_at
            """,
            new
            {
                pages = rows.ConvertAll(r => r.Page).ToArray(),
                records = rows.ConvertAll(r => r.Record).ToArray(),
                users = rows.ConvertAll(r => r.User).ToArray(),
                editing = rows.ConvertAll(r => r.IsEditing).ToArray(),
            },
            cancellationToken: ct));
        // A page that left while this was being said may have come back by it; one that leaves from here on goes by itself.
        var left = rows.FindAll(r => !pages.ContainsKey(r.Page));
        await connection.ExecuteAsync(new CommandDefinition(
            $"""
            WITH gone AS (DELETE FROM crm.presence WHERE seen_at < now() - {Expired} OR page = ANY (@left) RETURNING record_id)
            SELECT pg_notify(@Channel, '{Announced} ' || record_id || ':0') FROM gone
            """,
            new { left = left.ConvertAll(r => r.Page).ToArray(), ChangeAnnouncer.Channel },
            cancellationToken: ct));
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RenewAsync(stoppingToken);
            }
            catch (Exception problem) when (problem is NpgsqlException or TimeoutException)
            {
                log.LogWarning(problem, "Who has records open could not be said; trying again.");
            }
        }
    }

    private static Task<int> RemoveAsync(NpgsqlConnection connection, Guid page, Guid record, CancellationToken ct) => connection.ExecuteAsync(new CommandDefinition(
        "DELETE FROM crm.presence WHERE page = @page; SELECT pg_notify(@Channel, @payload)",
        new { page, ChangeAnnouncer.Channel, payload = $"{Announced} {record}:0" },
        cancellationToken: ct));

    private sealed record Row(Guid Page, Guid Record, Guid User, bool IsEditing);
}
