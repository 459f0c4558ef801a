using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>What a share gives.</summary>
public enum ShareLevel
{
    /// <summary>The record may be read.</summary>
    Read = 1,

    /// <summary>The record may be read and changed.</summary>
    Write = 2,

    /// <summary>All that its owner may.</summary>
    Own = 3,
}

/// <summary>One share of a record.</summary>
/// <param name="With">Id of a user or a team; <see cref="Guid.Empty"/> for everybody.</param>
/// <param name="Level">What it gives.</param>
public sealed record Share(Guid With, ShareLevel Level)
{
    /// <summary>What the user or team is called; empty for everybody.</summary>
    public string Name { get; init; } = "";

    /// <summary>Whether it is a team.</summary>
    public bool IsTeam { get; init; }
}

/// <summary>Who sees a record besides what roles and visibility say.</summary>
/// <param name="IsRestricted">Whether only its owner and those it is shared with see it, although everybody sees others of its entity.</param>
/// <param name="Shares">With whom it is shared.</param>
/// <param name="MayChange">Whether whoever asks may change this.</param>
public sealed record Sharing(bool IsRestricted, ImmutableArray<Share> Shares, bool MayChange = false)
{
    /// <summary>Most shares of one record; more are a team.</summary>
    public const int MaxShares = 200;
}

/// <summary>What is special about who sees a record.</summary>
public enum ShareMark
{
    /// <summary>Nothing: who sees it follows from roles and visibility.</summary>
    None,

    /// <summary>Somebody has it shared.</summary>
    Shared,

    /// <summary>Only its owner and those it is shared with see it.</summary>
    Restricted,

    /// <summary>Everybody has it shared.</summary>
    Everybody,
}

/// <summary>Shares single records with users, teams or everybody, and restricts them.</summary>
public sealed class RecordSharing(RecordEngine engine)
{
    private const string MarkSql =
        """
        SELECT CASE WHEN EXISTS (SELECT 1 FROM crm.record_share WHERE record_id = $1 AND principal_id = '00000000-0000-0000-0000-000000000000') THEN 3
                    WHEN EXISTS (SELECT 1 FROM crm.record_restriction WHERE record_id = $1) THEN 2
                    WHEN EXISTS (SELECT 1 FROM crm.record_share WHERE record_id = $1) THEN 1
                    ELSE 0 END
        """;

    private const string ReadSql =
        """
        SELECT s.principal_id, s.level, coalesce(t.name, u.name, ''), t.id IS NOT NULL
        FROM crm.record_share AS s LEFT JOIN records."user" AS u ON u.id = s.principal_id LEFT JOIN records.team AS t ON t.id = s.principal_id
        WHERE s.record_id = $1 AND (s.principal_id = '00000000-0000-0000-0000-000000000000' OR u.id IS NOT NULL OR t.id IS NOT NULL)
        ORDER BY 3, 1
        """;

    /// <summary>What is special about who sees a record, for whoever has read it already.</summary>
    public async Task<ShareMark> MarkAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await engine.Database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(MarkSql, connection);
        command.Parameters.Add(new() { Value = id });
        return (ShareMark)(int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Who sees a record; null when there is none, or none that the actor sees.</summary>
    /// <exception cref="QueryException">There is no such entity.</exception>
    public async Task<Sharing?> FindAsync(Actor actor, string entity, Guid id, CancellationToken ct = default)
    {
        await using var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        return await VerdictAsync(session, entity, id, ct) is { } mayShare ? await ReadAsync(session.Connection, session.Transaction, id, ct) with { MayChange = mayShare } : null;
    }

    /// <summary>
    /// Who shared a record with whom, newest first, for those who may see with whom it is shared; empty for others, and for keys that are narrowed, which are not told of sharing at all.
    /// </summary>
    /// <exception cref="QueryException">There is no such entity.</exception>
    public async Task<ImmutableArray<ShareEntry>> HistoryAsync(Actor actor, string entity, Guid id, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        if (actor.Scope is not null)
        {
            return [];
        }

        await using var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        return await VerdictAsync(session, entity, id, ct) is null ? [] : await ShareHistory.ReadAsync(session, id, ct);
    }

    /// <summary>Says who sees a record, in place of what was said before.</summary>
    /// <returns>What holds now, or why it was refused; null when there is no such record, or none that the actor sees.</returns>
    /// <exception cref="QueryException">There is no such entity.</exception>
    public async Task<(Sharing? Sharing, ValidationError? Error)?> SaveAsync(Actor actor, string entity, Guid id, Sharing wanted, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(wanted);
        await using var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        if (await VerdictAsync(session, entity, id, ct, forChange: true) is not { } mayShare)
        {
            return null;
        }

        if (!mayShare)
        {
            return (null, new ValidationError(null, ErrorCodes.Access, AccessWords.Denied(session.Access.View, session.Snapshot.Entity(entity), AccessOperation.Share, actor.Name)));
        }

        if (wanted.Shares.Length > Sharing.MaxShares || wanted.Shares.DistinctBy(s => s.With).Count() != wanted.Shares.Length)
        {
            return (null, new ValidationError("shares", ErrorCodes.BadRequest, Texts.Of("SharesWrong", Sharing.MaxShares)));
        }

        if (!await AreKnownAsync(session, wanted.Shares, ct))
        {
            return (null, new ValidationError("shares", ErrorCodes.Unknown, Texts.Of("ShareUnknown")));
        }

        var before = await ReadAsync(session.Connection, session.Transaction, id, ct);
        await WriteAsync(session, entity, id, wanted, ct);
        var now = await ReadAsync(session.Connection, session.Transaction, id, ct) with { MayChange = true };
        await ShareHistory.AppendAsync(session.Connection, session.Transaction, actor, session.Now, id, before, now, ct);
        await session.IdentifyAsync(ct);
        await session.CommitAsync(ct);
        return (now, null);
    }

    /// <summary>Whether a record may be shared; null when it is not seen.</summary>
    internal static async Task<bool?> VerdictAsync(SaveSession session, string name, Guid id, CancellationToken ct, bool forChange = false)
    {
        var table = QueryCompiler.TableOf(session.Access.View.Seen, name);
        await session.LimitAsync(ct);
        // Two who share it at once do so one after the other: the history tells what each of them changed.
        await using (var locked = session.Command($"SELECT 1 FROM {table.Name} WHERE id = $1 FOR {(forChange ? "NO KEY UPDATE" : "KEY SHARE")}"))
        {
            locked.Parameters.Add(new() { Value = id });
            if (await locked.ExecuteScalarAsync(ct) is null)
            {
                return null;
            }
        }

        var verdicts = await AccessPolicy.VerdictsAsync(session, table.Entity, [id], ct, AccessOperation.Read, AccessOperation.Share);
        return verdicts.TryGetValue(id, out var verdict) && verdict[0] ? verdict[1] : null;
    }

    private static async Task<bool> AreKnownAsync(SaveSession session, ImmutableArray<Share> shares, CancellationToken ct)
    {
        Guid[] ids = [.. shares.Select(s => s.With).Where(i => i != Guid.Empty)];
        await using var command = session.Command("SELECT count(*) FROM (SELECT id FROM records.\"user\" WHERE id = ANY($1) UNION ALL SELECT id FROM records.team WHERE id = ANY($1)) AS known");
        command.Parameters.Add(ActorAccess.Ids(ids));
        return (long)(await command.ExecuteScalarAsync(ct))! == ids.Length;
    }

    private static async Task WriteAsync(SaveSession session, string entity, Guid id, Sharing wanted, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(session.Connection, session.Transaction);
        void Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var parameter in parameters)
            {
                command.Parameters.Add(parameter);
            }

            batch.BatchCommands.Add(command);
        }

        NpgsqlParameter Value(object value) => new() { Value = value };
        Add("DELETE FROM crm.record_share WHERE record_id = $1 AND principal_id <> ALL($2)", Value(id), ActorAccess.Ids([.. wanted.Shares.Select(s => s.With)]));
        Add(
            """
            INSERT INTO crm.record_share (record_id, principal_id, entity, level, at, user_id)
            SELECT $1, principal_id, $2, level, $3, $4 FROM unnest($5::uuid[], $6::smallint[]) AS w(principal_id, level)
            ON CONFLICT (record_id, principal_id) DO UPDATE SET level = excluded.level, at = excluded.at, user_id = excluded.user_id WHERE crm.record_share.level <> excluded.level
            """,
            Value(id),
            Value(entity),
            Value(session.Now),
            Value(session.Actor.UserId),
            ActorAccess.Ids([.. wanted.Shares.Select(s => s.With)]),
            new() { Value = wanted.Shares.Select(s => (short)s.Level).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint });
        Add(
            wanted.IsRestricted
                ? "INSERT INTO crm.record_restriction (record_id, entity, at, user_id) VALUES ($1, $2, $3, $4) ON CONFLICT (record_id) DO NOTHING"
                : "DELETE FROM crm.record_restriction WHERE record_id = $1 AND ($2::text, $3::timestamptz, $4::uuid) IS NOT NULL",
            Value(id),
            Value(entity),
            Value(session.Now),
            Value(session.Actor.UserId));
        // From the first one of its kind on the statements about the entity ask for it.
        Add(
            """
            WITH marked AS (
                INSERT INTO crm.access_mark (entity, kind)
                SELECT $1, kind FROM unnest($2::text[]) AS kind ON CONFLICT DO NOTHING RETURNING 1
            )
            UPDATE crm.access_version SET version = version + 1 WHERE EXISTS (SELECT 1 FROM marked)
            """,
            Value(entity),
            Value(new[] { wanted.Shares.IsEmpty ? null : AccessView.ShareMark, wanted.IsRestricted ? AccessView.RestrictionMark : null }.OfType<string>().ToArray()));
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Who sees a record now.</summary>
    internal static async Task<Sharing> ReadAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid id, CancellationToken ct)
    {
        var shares = ImmutableArray.CreateBuilder<Share>();
        await using (var command = new NpgsqlCommand(ReadSql, connection, transaction))
        {
            command.Parameters.Add(new() { Value = id });
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                shares.Add(new Share(reader.GetGuid(0), (ShareLevel)reader.GetInt16(1)) { Name = reader.GetString(2), IsTeam = reader.GetBoolean(3) });
            }
        }

        await using var restricted = new NpgsqlCommand("SELECT EXISTS (SELECT 1 FROM crm.record_restriction WHERE record_id = $1)", connection, transaction);
        restricted.Parameters.Add(new() { Value = id });
        return new Sharing((bool)(await restricted.ExecuteScalarAsync(ct))!, shares.DrainToImmutable());
    }

    /// <summary>How a level is written in the API.</summary>
    public static string Word(ShareLevel level) => level.ToString().ToLower(CultureInfo.InvariantCulture);
}
