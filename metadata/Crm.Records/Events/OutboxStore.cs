using Crm.Metadata;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Records;

/// <summary>Reads and settles rows of the outbox.</summary>
internal sealed class OutboxStore(CrmDatabase database)
{
    private const int MaxErrorLength = 2000;

    /// <summary>Events that are due, oldest first; those of a record wait until the one before is settled.</summary>
    public static async Task<List<OutboxRow>> DueAsync(NpgsqlConnection connection, int limit, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<OutboxRow>(new CommandDefinition(
            $"""
            SELECT id, told, {EventRow.Columns}
            FROM crm.outbox AS o
            WHERE o.next_at <= now()
              AND NOT EXISTS (SELECT 1 FROM crm.outbox AS e WHERE e.attempts > 0 AND e.record_id = o.record_id AND e.id < o.id AND e.next_at > now())
            ORDER BY o.id
            LIMIT @limit
            """,
            new { limit },
            cancellationToken: ct));
        return rows.AsList();
    }

    /// <summary>How long until the next event is due; null when there is none.</summary>
    public static async Task<TimeSpan?> NextAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<TimeSpan?>(new CommandDefinition("SELECT min(next_at) - now() FROM crm.outbox WHERE attempts > 0 AND next_at > now()", cancellationToken: ct));

    /// <summary>Everybody was told.</summary>
    public async Task DeleteAsync(IEnumerable<long> ids, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("DELETE FROM crm.outbox WHERE id = ANY(@ids)", new { ids = ids.ToArray() }, cancellationToken: ct));
    }

    /// <summary>Somebody could not be told: later again. The pause is counted by the database's clock, which all hosts share.</summary>
    public async Task PostponeAsync(OutboxRow row, IEnumerable<string> told, TimeSpan pause, string error, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.outbox SET attempts = attempts + 1, next_at = now() + @pause, told = @told, error = @error WHERE id = @Id",
            new { row.Id, pause, told = told.ToArray(), error = error.Length > MaxErrorLength ? error[..MaxErrorLength] : error },
            cancellationToken: ct));
    }
}

/// <summary>A row of the outbox.</summary>
internal sealed class OutboxRow : EventRow
{
    public long Id { get; init; }

    public required string[] Told { get; init; }

    public RecordChanged ToEvent() => ToEvent(Id);
}
