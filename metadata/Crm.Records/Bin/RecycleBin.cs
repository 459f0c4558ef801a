using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Bin;

/// <summary>
/// What was deleted and can be restored. A record is restored by the same door as every other write: rules, unique values and rights of today hold, roll-ups and
/// formulas follow, and history, listeners and webhooks are told.
/// </summary>
public sealed class RecycleBin(RecordEngine engine)
{
    /// <summary>Most records that are restored or deleted for good at a time.</summary>
    public const int MaxRecords = 1000;

    /// <summary>The source of restored records in the history.</summary>
    public const string Source = "restore";

    /// <summary>Deleted records that somebody may restore, newest first.</summary>
    /// <exception cref="QueryException">The page to go on from is none.</exception>
    public async Task<BinPage> ListAsync(Actor actor, BinQuery query, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        var after = query.After is null ? ((DateTimeOffset, Guid)?)null : Place(query.After) ?? throw new QueryException(ErrorCodes.BadRequest, Texts.Of("BadCursor"), "after");
        await using var session = await OpenAsync(actor, ct);
        var seen = new BinAccess(session.Access);
        await using var command = session.Command("");
        seen.Bind(command.Parameters);
        string Add(object value)
        {
            command.Parameters.Add(new() { Value = value });
            return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}");
        }

        var conditions = new List<string> { "NOT b.is_link", seen.Condition("b"), $"{seen.Nameless} IS NOT NULL" };
        if (!string.IsNullOrWhiteSpace(query.Search))
        {
            conditions.Add($"crm.fold(b.title) LIKE crm.fold_like({Add(query.Search.Trim())}) AND NOT b.entity = ANY({seen.Nameless})");
        }

        if (query.Entity is not null)
        {
            conditions.Add($"b.entity = {Add(query.Entity)}");
        }

        if (after is var (at, id))
        {
            conditions.Add($"(b.deleted_at, b.id) < ({Add(at)}, {Add(id)})");
        }

        var top = Math.Clamp(query.Top, 1, BinQuery.MaxTop);
        command.CommandText =
            $"""
            SELECT b.id, b.entity, CASE WHEN b.entity = ANY({seen.Nameless}) THEN '' ELSE b.title END, b.deleted_at, b.deleted_by, b.deleted_by_name, b.source,
                (SELECT count(*) FROM crm.bin AS c WHERE c.refs @> ARRAY[b.id] AND NOT c.is_link AND {seen.Condition("c")})
            FROM crm.bin AS b WHERE {string.Join(" AND ", conditions)}
            ORDER BY b.deleted_at DESC, b.id DESC LIMIT {Add(top + 1)}
            """;
        var records = ImmutableArray.CreateBuilder<BinRecord>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (records.Count == top)
            {
                return new BinPage(records.ToImmutable(), Place(records[^1]));
            }

            records.Add(new BinRecord(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetGuid(4), reader.GetString(5), reader.GetString(6), reader.GetInt64(7)));
        }

        return new BinPage(records.ToImmutable(), null);
    }

    /// <summary>Makes deleted records again, each with the links that went with it.</summary>
    /// <param name="actor">Who restores.</param>
    /// <param name="ids">The records.</param>
    /// <param name="withChildren">Whether deleted records that pointed to them come back too, and those that pointed to these.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>A verdict on each: one that cannot be restored does not keep the others.</returns>
    /// <exception cref="QueryException">There are too many of them.</exception>
    public async Task<ImmutableArray<RestoreVerdict>> RestoreAsync(Actor actor, IReadOnlyCollection<Guid> ids, bool withChildren = false, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var (rows, remains) = await ReadAsync(actor, ids, withChildren, ct);
        var ordered = Order([.. rows.Where(r => remains.ContainsKey(r.Id))]);
        RecordChange[] changes = [.. ordered.Select(r => new RecordChange(ChangeKind.Create, r.Entity, r.Id, ImmutableDictionary<string, object?>.Empty) { Source = Source })];
        var results = await SaveBatch.SaveAsync(
            () => new SaveSession(engine, actor) { Remains = remains }, changes, new SaveOptions(AllOrNothing: false), (connection, transaction, saved, token) => TakeOutAsync(connection, transaction, changes, saved, token), ct);
        var verdicts = ordered.Zip(results).ToDictionary(p => p.First.Id, p => p.Second);
        return
        [
            .. rows.Where(r => !r.IsLink).Select(r => new RestoreVerdict(
                r.Id, r.Entity, r.Title, verdicts.TryGetValue(r.Id, out var result) ? result.Errors : [new ValidationError(null, ErrorCodes.NotFound, Texts.Of("BinEmptied"))])),
            .. ids.Distinct().Where(id => rows.TrueForAll(r => r.Id != id)).Select(id => new RestoreVerdict(id, null, "", [new ValidationError(null, ErrorCodes.NotFound, Texts.Of("NotInBin"))])),
        ];
    }

    /// <summary>Deletes records for good: they cannot be restored, and their history keeps who did what when, but no values.</summary>
    /// <returns>How many; those that are not in the bin, or may not be seen there, count nothing.</returns>
    /// <exception cref="QueryException">There are too many of them.</exception>
    public async Task<int> PurgeAsync(Actor actor, IReadOnlyCollection<Guid> ids, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Limit(ids.Count);
        await using var session = await OpenAsync(actor, ct);
        var seen = new BinAccess(session.Access);
        await using var command = session.Command($"SELECT b.id FROM crm.bin AS b WHERE b.id = ANY(${seen.Parameters + 1}) AND NOT b.is_link AND {seen.Condition("b")} AND {seen.Nameless} IS NOT NULL ORDER BY b.id FOR UPDATE");
        seen.Bind(command.Parameters);
        command.Parameters.Add(ActorAccess.Ids([.. ids]));
        var found = await IdsAsync(command, ct);
        await BinEnd.PurgeAsync(session, found, ct);
        await session.IdentifyAsync(ct);
        await session.CommitAsync(ct);
        return found.Length;
    }

    /// <summary>Days that deleted records are kept; 0 for as long as nobody deletes them for good.</summary>
    public async Task<int> KeepDaysAsync(CancellationToken ct = default)
    {
        await using var connection = await engine.Database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("SELECT keep_days FROM crm.bin_setting", connection);
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Says how long deleted records are kept.</summary>
    /// <param name="days">From 0, which is for ever, to <see cref="MaxKeepDays"/>.</param>
    /// <param name="ct">Cancels.</param>
    public async Task SetKeepDaysAsync(int days, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(days);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(days, MaxKeepDays);
        await using var connection = await engine.Database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("UPDATE crm.bin_setting SET keep_days = $1", connection) { Parameters = { new() { Value = days } } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Longest time deleted records can be kept, in days: a hundred years.</summary>
    public const int MaxKeepDays = 36_500;

    private async Task<SaveSession> OpenAsync(Actor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        if (!AccessPolicy.MayRead(actor))
        {
            throw new QueryException(ErrorCodes.Access, Texts.Of("AccessDenied", actor.Name, Texts.Of("Bin")), null);
        }

        var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        return session;
    }

    /// <summary>Rows of the bin with the links that went with them, and what their records held.</summary>
    internal async Task<(List<BinRow> Rows, Dictionary<Guid, Remains> Remains)> ReadAsync(Actor actor, IReadOnlyCollection<Guid> ids, bool withChildren, CancellationToken ct)
    {
        Limit(ids.Count);
        await using var session = await OpenAsync(actor, ct);
        var rows = await RowsAsync(session, ids, withChildren, ct);
        Limit(rows.Count(r => !r.IsLink));
        var remains = new Dictionary<Guid, Remains>();
        foreach (var group in rows.GroupBy(r => r.Entity))
        {
            // Links of an entity that is gone or hidden stay away, as they would if nothing had been deleted.
            if (session.Snapshot.TryEntity(group.Key, out var entity) && !entity.IsHidden)
            {
                var held = await BinStore.ReadAsync(session, EntityTable.Of(entity), [.. group], ct);
                foreach (var row in group.Where(r => held.ContainsKey(r.Id)))
                {
                    remains[row.Id] = new Remains(held[row.Id], row.Version, row.CreatedAt, row.CreatedBy, row.IsLink);
                }
            }
        }

        return (rows, remains);
    }

    private static async Task<List<BinRow>> RowsAsync(SaveSession session, IReadOnlyCollection<Guid> ids, bool withChildren, CancellationToken ct)
    {
        var seen = new BinAccess(session.Access);
        var wanted = string.Create(CultureInfo.InvariantCulture, $"${seen.Parameters + 1}");
        var children = withChildren ? $"UNION SELECT c.id FROM wanted AS w JOIN crm.bin AS c ON c.refs @> ARRAY[w.id] WHERE NOT c.is_link AND {seen.Condition("c")}" : "";
        await using var command = session.Command(
            $"""
            WITH RECURSIVE wanted(id) AS (
                SELECT b.id FROM crm.bin AS b WHERE b.id = ANY({wanted}) AND NOT b.is_link AND {seen.Condition("b")} AND {seen.Nameless} IS NOT NULL
                {children}
            ), few AS (SELECT id FROM wanted LIMIT {MaxRecords + 1})
            SELECT b.id, b.entity, CASE WHEN b.entity = ANY({seen.Nameless}) THEN '' ELSE b.title END, b.refs, b.is_link, b.version, b.created_at, b.created_by
            FROM crm.bin AS b WHERE b.id IN (SELECT id FROM few) OR b.is_link AND b.refs && (SELECT array_agg(id) FROM few)
            ORDER BY b.is_link, b.deleted_at, b.id
            """);
        seen.Bind(command.Parameters);
        command.Parameters.Add(ActorAccess.Ids([.. ids]));
        var rows = new List<BinRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new BinRow(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<Guid[]>(3), reader.GetBoolean(4), reader.GetInt64(5), reader.GetFieldValue<DateTimeOffset>(6), reader.GetGuid(7)));
        }

        return rows;
    }

    /// <summary>Records after those they point to, links last.</summary>
    internal static List<BinRow> Order(List<BinRow> rows)
    {
        var (byId, ordered, visited) = (rows.ToDictionary(r => r.Id), new List<BinRow>(rows.Count), new HashSet<Guid>());
        // Neighbours of one entity are written together.
        foreach (var row in rows.OrderBy(r => r.IsLink).ThenBy(r => r.Entity, StringComparer.Ordinal))
        {
            Visit(row);
        }

        return ordered;

        void Visit(BinRow row)
        {
            if (visited.Add(row.Id))
            {
                foreach (var id in row.Refs)
                {
                    if (byId.TryGetValue(id, out var other))
                    {
                        Visit(other);
                    }
                }

                ordered.Add(row);
            }
        }
    }

    private static async Task TakeOutAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, RecordChange[] changes, ImmutableArray<SaveResult> saved, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("DELETE FROM crm.bin WHERE id = ANY($1)", connection, transaction);
        command.Parameters.Add(ActorAccess.Ids([.. changes.Zip(saved).Where(p => p.Second.Succeeded).Select(p => p.First.Id)]));
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<Guid[]> IdsAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var ids = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            ids.Add(reader.GetGuid(0));
        }

        return [.. ids];
    }

    private static void Limit(int count)
    {
        if (count > MaxRecords)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("BinTooMany", MaxRecords), "ids");
        }
    }

    private static string Place(BinRecord record) => string.Create(CultureInfo.InvariantCulture, $"{record.DeletedAt.UtcTicks}_{record.Id:N}");

    private static (DateTimeOffset At, Guid Id)? Place(string text) =>
        text.Split('_') is [var ticks, var id] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTime.MaxValue.Ticks && Guid.TryParse(id, out var key)
            ? (new DateTimeOffset(at, TimeSpan.Zero), key)
            : null;
}
