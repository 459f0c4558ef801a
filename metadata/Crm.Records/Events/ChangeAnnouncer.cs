using System.Collections.Immutable;
using System.Globalization;
using Crm.Metadata;
using Dapper;
using Npgsql;

namespace Crm.Records;

/// <summary>
/// Announces to all hosts which records changed, and nothing about what they hold: whoever shows them reads them again, as far as its user may. One statement for many events.
/// </summary>
public sealed class ChangeAnnouncer : IOutboxConsumer
{
    /// <summary>Channel of <see cref="Notifications"/>; the payload is read by <see cref="Read"/>.</summary>
    public const string Channel = "crm_records";

    // An announcement holds at most 8,000 bytes; a record takes up to 57 of them. Where more changed at once, pages read again anyway.
    private const int MaxRecords = 100;

    /// <inheritdoc/>
    public Task TakeAsync(NpgsqlConnection connection, IReadOnlyList<long> events, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return connection.ExecuteAsync(new CommandDefinition(
            """
            SELECT pg_notify(@Channel, CASE WHEN count(*) > @MaxRecords THEN entity ELSE entity || ' ' || string_agg(record_id || ':' || version, ',') END)
            FROM (SELECT entity, record_id, max(version) AS version FROM crm.outbox WHERE id = ANY(@events) GROUP BY entity, record_id) AS changed
            GROUP BY entity
            """,
            new { Channel, MaxRecords, events = events.ToArray() },
            cancellationToken: ct));
    }

    /// <summary>What an announcement says: the entity, and the versions its records have now; no records when they were too many to name.</summary>
    public static (string Entity, ImmutableDictionary<Guid, long> Versions) Read(string payload)
    {
        ArgumentException.ThrowIfNullOrEmpty(payload);
        var parts = payload.Split(' ', 2);
        return (parts[0], parts.Length == 1 ? ImmutableDictionary<Guid, long>.Empty : parts[1].Split(',').Select(r => r.Split(':')).ToImmutableDictionary(r => Guid.Parse(r[0]), r => long.Parse(r[1], CultureInfo.InvariantCulture)));
    }
}
