using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>Writes history and outbox rows of many changes in one statement, and reads the history of a record.</summary>
internal static class HistoryStore
{
    /// <summary>Channel that wakes the <see cref="OutboxDispatcher"/>.</summary>
    public const string Channel = "crm_outbox";

    private const string IntoHistory = "INSERT INTO crm.history (at, user_id, user_name, entity, record_id, kind, version, source, causation, changes, cause_entity, cause_id)";
    private const string IntoOutbox = "INSERT INTO crm.outbox (at, user_id, entity, record_id, kind, version, fields, causation, cause_entity, cause_id)";
    private const string VersionSql = "SELECT version, pg_current_xact_id() FROM crm.metadata_version";

    private const string AppendSql =
        $"""
        WITH change AS (
            SELECT * FROM unnest($4::uuid[], $5::smallint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $12::uuid[])
                WITH ORDINALITY AS u(record_id, kind, version, source, changes, fields, cause, place)
        ), history AS (
            {IntoHistory}
            SELECT $1, $2, $3, $10, record_id, kind, version, source, $11, changes::jsonb, CASE WHEN cause IS NOT NULL THEN $13 END, cause FROM change ORDER BY place
        ), outbox AS (
            {IntoOutbox}
            SELECT $1, $2, $10, record_id, kind, version, string_to_array(fields, ','), $11, CASE WHEN cause IS NOT NULL THEN $13 END, cause FROM change ORDER BY place
        )
        {VersionSql}
        """;

    private const string AppendOneSql =
        $"""
        WITH history AS (
            {IntoHistory}
            VALUES ($1, $2, $3, $10, $4, $5, $6, $7, $11, $8::jsonb, $13, $12)
        ), outbox AS (
            {IntoOutbox}
            VALUES ($1, $2, $10, $4, $5, $6, string_to_array($9, ','), $11, $13, $12)
        )
        {VersionSql}
        """;

    /// <summary>Adds what the history and listeners are to know of changes.</summary>
    public static void Append(ChangeRun run, List<PendingChange> written, WriteBatch batch)
    {
        var fields = written.ConvertAll(c => FieldsOf(run.Table, c));
        var texts = HistoryJson.Write(written, fields);
        Append(
            run.Session,
            run.Table.Entity.Name,
            [.. written.Select((c, i) => new HistoryRow(c.Id, c.Kind, VersionOf(run.Table, c), c.Change.Source, texts[i], string.Join(',', fields[i].Select(f => f.Name))))],
            null,
            batch);
    }

    /// <summary>Writes rows of one entity, and tells its listeners.</summary>
    /// <param name="session">The save.</param>
    /// <param name="entity">Of which entity.</param>
    /// <param name="rows">What was written.</param>
    /// <param name="causeEntity">Of which entity the records are from whose save the rows followed; null when they were saved themselves.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task AppendAsync(SaveSession session, string entity, ImmutableArray<HistoryRow> rows, string? causeEntity = null, CancellationToken ct = default)
    {
        await using var batch = new WriteBatch(session);
        Append(session, entity, rows, causeEntity, batch);
        await batch.RunAsync(ct);
    }

    private static void Append(SaveSession session, string entity, ImmutableArray<HistoryRow> rows, string? causeEntity, WriteBatch batch)
    {
        // A single row without arrays: such a statement is planned once.
        var one = rows is [var only] ? only : null;
        var command = new NpgsqlBatchCommand(one is null ? AppendSql : AppendOneSql);
        void Add(object? value, NpgsqlDbType type) => command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        void AddOf<T>(Func<HistoryRow, T> value, NpgsqlDbType type) => Add(one is null ? rows.Select(value).ToArray() : value(one), one is null ? NpgsqlDbType.Array | type : type);
        Add(session.Now, NpgsqlDbType.TimestampTz);
        Add(session.Actor.UserId, NpgsqlDbType.Uuid);
        Add(session.Actor.Name, NpgsqlDbType.Text);
        AddOf(r => r.Id, NpgsqlDbType.Uuid);
        AddOf(r => (short)r.Kind, NpgsqlDbType.Smallint);
        AddOf(r => r.Version, NpgsqlDbType.Bigint);
        AddOf(r => r.Source, NpgsqlDbType.Text);
        AddOf(r => r.Changes, NpgsqlDbType.Text);
        AddOf(r => r.Fields, NpgsqlDbType.Text);
        Add(entity, NpgsqlDbType.Text);
        Add(session.CausationId, NpgsqlDbType.Uuid);
        AddOf(r => r.Cause, NpgsqlDbType.Uuid);
        Add(one is { Cause: null } ? null : causeEntity, NpgsqlDbType.Text);
        batch.AddHistory(command, takesAny: causeEntity is not null);
        // Announcements are sent by the commit, and committing with one takes a lock all others wait for: only where somebody listens.
        if (!session.Behaviors.ListenersOf(entity).IsEmpty || session.Engine.Behaviors.IsHeardOutside(entity))
        {
            batch.Add(new NpgsqlBatchCommand("SELECT pg_notify($1, '')") { Parameters = { new() { Value = Channel } } });
        }
    }

    public static async Task<ImmutableArray<HistoryEntry>> ReadAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, EntityTable table, Guid id, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                EntryNames.Command(table.Entity.Name),
                new("SELECT at, user_id, user_name, kind, version, source, changes::text, id, cause_entity, cause_id FROM crm.history WHERE record_id = $1 AND crm.entity_now(entity, id) = $2 ORDER BY version DESC, id DESC")
                {
                    Parameters = { new() { Value = id }, new() { Value = table.Entity.Name } },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var names = await EntryNames.ReadAsync((NpgsqlDataReader)reader, ct);
        var entries = ImmutableArray.CreateBuilder<HistoryEntry>();
        while (await reader.ReadAsync(ct))
        {
            entries.Add(new HistoryEntry(
                reader.GetFieldValue<DateTimeOffset>(0),
                reader.GetGuid(1),
                reader.GetString(2),
                (ChangeKind)reader.GetInt16(3),
                reader.GetInt64(4),
                reader.GetString(5),
                HistoryJson.Read(table, reader.GetString(6), names, reader.GetInt64(7)))
            {
                Cause = await reader.IsDBNullAsync(8, ct) ? null : new RecordRef(names.Entity(reader.GetInt64(7), reader.GetString(8)), reader.GetGuid(9)),
            });
        }

        return entries.DrainToImmutable();
    }

    /// <summary>Fields the change is about; what the store itself sets says nothing.</summary>
    private static List<TableField> FieldsOf(EntityTable table, PendingChange change) =>
        change.Kind == ChangeKind.Delete
            ? [.. table.Fields.Where(f => !f.IsStamp && change.Stored![f.Index] is not null)]
            : [.. table.Fields.Where(f => !f.IsStamp && !f.Type.AreEqual(change.Values[f.Index], change.Stored?[f.Index]))];

    private static long VersionOf(EntityTable table, PendingChange change) =>
        change.Kind == ChangeKind.Delete ? (long)change.Stored![table.Version]! + 1 : (long)change.Values[table.Version]!;
}

/// <summary>One write of one record.</summary>
/// <param name="Id">The record.</param>
/// <param name="Kind">What was done.</param>
/// <param name="Version">Its version after it.</param>
/// <param name="Source">Where the change came from.</param>
/// <param name="Changes">Fields from what to what, as JSON.</param>
/// <param name="Fields">Their names, with commas between them.</param>
/// <param name="Cause">The record whose save this followed from; null when the record was saved itself.</param>
internal sealed record HistoryRow(Guid Id, ChangeKind Kind, long Version, string Source, string Changes, string Fields, Guid? Cause = null);
