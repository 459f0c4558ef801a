using System.Collections.Immutable;
using System.Text.Json;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>One user, team or everybody whose share of a record changed.</summary>
/// <param name="With">Id of the user or team; <see cref="Guid.Empty"/> for everybody.</param>
/// <param name="IsTeam">Whether it is a team.</param>
/// <param name="Name">What it was called then; empty for everybody.</param>
/// <param name="Before">What it could do; null when the record was not shared with it.</param>
/// <param name="After">What it may do since; null when the share was taken back.</param>
public sealed record ShareChange(Guid With, bool IsTeam, string Name, ShareLevel? Before, ShareLevel? After);

/// <summary>One change of who sees a record.</summary>
/// <param name="At">When.</param>
/// <param name="UserId">Who.</param>
/// <param name="UserName">Their name then.</param>
/// <param name="Restricted">Whether the record was restricted or opened; null when that stayed.</param>
/// <param name="Shares">Whose share changed.</param>
public sealed record ShareEntry(DateTimeOffset At, Guid UserId, string UserName, bool? Restricted, ImmutableArray<ShareChange> Shares);

/// <summary>What happened to a record: somebody wrote it, or changed who sees it. One of the two is null.</summary>
/// <param name="Write">The write.</param>
/// <param name="Sharing">The change of who sees it.</param>
public sealed record HistoryLine(HistoryEntry? Write, ShareEntry? Sharing)
{
    /// <summary>Both in one list, newest first; writes stay in the order of their versions.</summary>
    public static IEnumerable<HistoryLine> Of(ImmutableArray<HistoryEntry> writes, ImmutableArray<ShareEntry> sharings)
    {
        var next = 0;
        foreach (var write in writes)
        {
            for (; next < sharings.Length && sharings[next].At > write.At; next++)
            {
                yield return new HistoryLine(null, sharings[next]);
            }

            yield return new HistoryLine(write, null);
        }

        foreach (var sharing in sharings.Skip(next))
        {
            yield return new HistoryLine(null, sharing);
        }
    }
}

/// <summary>Writes and reads who shared a record with whom. The record itself does not change by it: no version, no listener, no webhook.</summary>
internal static class ShareHistory
{
    /// <summary>Notes what differs, if anything does.</summary>
    public static async Task AppendAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Actor actor, DateTimeOffset at, Guid id, Sharing before, Sharing after, CancellationToken ct)
    {
        var changes = Changes(before, after);
        bool? restricted = before.IsRestricted == after.IsRestricted ? null : after.IsRestricted;
        if (changes.IsEmpty && restricted is null)
        {
            return;
        }

        await using var command = new NpgsqlCommand(
            "INSERT INTO crm.share_history (record_id, at, user_id, user_name, restricted, shares) VALUES ($1, $2, $3, $4, $5, $6)", connection, transaction)
        {
            Parameters =
            {
                new() { Value = id },
                new() { Value = at, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                new() { Value = actor.UserId },
                new() { Value = actor.Name },
                new() { Value = (object?)restricted ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Boolean },
                new() { Value = JsonSerializer.Serialize(changes, JsonSerializerOptions.Web), NpgsqlDbType = NpgsqlDbType.Jsonb },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Newest first.</summary>
    public static async Task<ImmutableArray<ShareEntry>> ReadAsync(SaveSession session, Guid id, CancellationToken ct)
    {
        var entries = ImmutableArray.CreateBuilder<ShareEntry>();
        await using var command = session.Command("SELECT at, user_id, user_name, restricted, shares::text FROM crm.share_history WHERE record_id = $1 ORDER BY id DESC");
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            entries.Add(new ShareEntry(
                reader.GetFieldValue<DateTimeOffset>(0),
                reader.GetGuid(1),
                reader.GetString(2),
                await reader.IsDBNullAsync(3, ct) ? null : reader.GetBoolean(3),
                JsonSerializer.Deserialize<ImmutableArray<ShareChange>>(reader.GetString(4), JsonSerializerOptions.Web)));
        }

        return entries.DrainToImmutable();
    }

    private static ImmutableArray<ShareChange> Changes(Sharing before, Sharing after)
    {
        var (old, now) = (before.Shares.ToDictionary(s => s.With), after.Shares.ToDictionary(s => s.With));
        return
        [
            .. after.Shares.Where(s => old.GetValueOrDefault(s.With)?.Level != s.Level).Select(s => new ShareChange(s.With, s.IsTeam, s.Name, old.GetValueOrDefault(s.With)?.Level, s.Level)),
            .. before.Shares.Where(s => !now.ContainsKey(s.With)).Select(s => new ShareChange(s.With, s.IsTeam, s.Name, s.Level, null)),
        ];
    }
}
