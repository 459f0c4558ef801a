using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Who looked at a record within one hour.</summary>
/// <param name="UserId">Who.</param>
/// <param name="UserName">What they were called then.</param>
/// <param name="FirstAt">When they opened it first in that hour.</param>
/// <param name="LastAt">When they opened it last in that hour.</param>
/// <param name="Times">How often they opened it in that hour.</param>
public sealed record RecordView(Guid UserId, string UserName, DateTimeOffset FirstAt, DateTimeOffset LastAt, int Times);

/// <summary>Who looked at which record, of entities that keep it: the page of a record and the record by itself in the API, not its row in a list.</summary>
public sealed class ViewLog(RecordEngine engine)
{
    /// <summary>Most views that are told of one record.</summary>
    public const int Most = 500;

    private const string NoteSql =
        """
        INSERT INTO crm.record_view (record_id, hour, user_id, user_name, first_at, last_at) VALUES ($1, date_trunc('hour', $2::timestamptz, 'UTC'), $3, $4, $2, $2)
        ON CONFLICT (record_id, hour, user_id) DO UPDATE SET user_name = excluded.user_name, last_at = greatest(crm.record_view.last_at, excluded.last_at), times = crm.record_view.times + 1
        """;

    private const string ReadSql = "SELECT user_id, user_name, first_at, last_at, times FROM crm.record_view WHERE record_id = $1 ORDER BY hour DESC, last_at DESC, user_id LIMIT $2";

    /// <summary>Keeps that somebody looked. It is written before they see anything: what cannot be noted is not shown.</summary>
    internal static async Task NoteAsync(NpgsqlConnection connection, Actor actor, Guid id, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(NoteSql, connection) { Parameters = { new() { Value = id }, new() { Value = now }, new() { Value = actor.UserId }, new() { Value = actor.Name } } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Who looked at a record, the last ones first.</summary>
    /// <param name="actor">Who asks: somebody who may share the record, because who reads what is not for everybody.</param>
    /// <param name="entity">Its entity.</param>
    /// <param name="id">The record.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>At most <see cref="Most"/> views; null when there is no such record, or none that the actor may share.</returns>
    /// <exception cref="QueryException">There is no such entity.</exception>
    public async Task<ImmutableArray<RecordView>?> ReadAsync(Actor actor, string entity, Guid id, CancellationToken ct = default)
    {
        await using var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        if (await RecordSharing.VerdictAsync(session, entity, id, ct) is not true)
        {
            return null;
        }

        await using var command = session.Command(ReadSql);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = Most });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var views = ImmutableArray.CreateBuilder<RecordView>();
        while (await reader.ReadAsync(ct))
        {
            views.Add(new RecordView(reader.GetGuid(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetInt32(4)));
        }

        return views.ToImmutable();
    }
}
