using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Metadata;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Workflows;

/// <summary>Takes runs that are due, and writes how far they are. Due times are of the host's clock, which can be moved; leases of the database's.</summary>
internal sealed class RunStore(CrmDatabase database, TimeProvider time)
{
    /// <summary>Any number will do as long as every host uses the same one.</summary>
    public const long WaitLock = 0x43524d_57414954;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    // A version that runs is never changed, but for the new name of an entity, which comes with a new version of the definitions.
    private readonly ConcurrentDictionary<string, (long Version, WorkflowGraph Graph)> graphs = new(StringComparer.Ordinal);

    /// <summary>Takes runs that are due, the longest due first; one that is about the same record as another waits until that one rests.</summary>
    public async Task<ImmutableArray<InstanceRow>> TakeAsync(int limit, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<InstanceRow>(new CommandDefinition(
            """
            UPDATE crm.workflow_instance AS i SET lease = @lease, leased_until = clock_timestamp() + @hold, attempts = attempts + 1
            FROM crm.workflow_definition AS d
            WHERE d.id = i.version_id AND i.id IN (
                SELECT w.id FROM crm.workflow_instance AS w
                WHERE w.due_at <= @now AND (w.leased_until IS NULL OR w.leased_until < clock_timestamp())
                  AND NOT EXISTS (
                    SELECT 1 FROM crm.workflow_instance AS e
                    WHERE e.record_id = w.record_id AND e.due_at <= w.due_at AND (e.due_at, coalesce(e.event_id, 0)) < (w.due_at, coalesce(w.event_id, 0)))
                ORDER BY w.due_at, w.event_id LIMIT @limit FOR UPDATE SKIP LOCKED)
            RETURNING i.id, i.version_id AS VersionId, i.version, d.name, i.trigger_activity AS TriggerActivity, i.entity, i.record_id AS RecordId, i.state::text, i.attempts, i.lease,
                i.due_at AS DueAt, i.event_id AS EventId
            """,
            new { limit, lease = Guid.CreateVersion7(), hold = Lease, now = time.GetUtcNow() },
            cancellationToken: ct));
        return [.. rows.OrderBy(r => r.DueAt).ThenBy(r => r.EventId)];
    }

    /// <summary>How long until something is due; null when nothing is.</summary>
    public async Task<TimeSpan?> NextAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var due = await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition(
            "SELECT due_at FROM crm.workflow_instance WHERE due_at IS NOT NULL AND (leased_until IS NULL OR leased_until < clock_timestamp()) ORDER BY due_at LIMIT 1", cancellationToken: ct));
        return due is { } at ? new DateTimeOffset(at, TimeSpan.Zero) - time.GetUtcNow() : null;
    }

    /// <summary>A version of a workflow as it is run.</summary>
    /// <param name="versionId">The version.</param>
    /// <param name="definitions">Version of the definitions it is run under.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<WorkflowGraph> GraphAsync(string versionId, long definitions, CancellationToken ct)
    {
        if (graphs.TryGetValue(versionId, out var known) && known.Version == definitions)
        {
            return known.Graph;
        }

        await using var connection = await database.OpenAsync(ct);
        var model = await connection.ExecuteScalarAsync<string>(new CommandDefinition("SELECT model::text FROM crm.workflow_definition WHERE id = @versionId", new { versionId }, cancellationToken: ct));
        var graph = WorkflowGraph.Of(JsonNode.Parse(model!)!.AsObject());
        graphs[versionId] = (definitions, graph);
        return graph;
    }

    /// <summary>Writes how far a run is, in the transaction of what it wrote.</summary>
    /// <exception cref="LeaseLostException">Somebody else has the run, or it was stopped: nothing may be written.</exception>
    public static async Task WriteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Run run, CancellationToken ct)
    {
        var isOver = run.Incident is not null || run.IsIdle;
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                // Who waits for a record, and who tells those that wait, take turns, and before they lock a run: no event falls between.
                Command("SELECT CASE WHEN $1 THEN pg_advisory_xact_lock_shared($2) END", run.NewBookmarks.Exists(b => b.Watch is not null), WaitLock),
                Command("SELECT id FROM crm.workflow_instance WHERE id = $1 AND lease = $2 FOR UPDATE", run.Instance.Id, run.Instance.Lease),
                Command("DELETE FROM crm.workflow_bookmark WHERE instance_id = $1 AND (frame = ANY($2) OR id = ANY($3))", run.Instance.Id, run.Ended.ToArray(), run.Woken.ToArray()),
            },
        };
        foreach (var bookmark in run.NewBookmarks)
        {
            var (id, frame, activity, due, watch, created) = bookmark;
            batch.BatchCommands.Add(Command(
                """
                INSERT INTO crm.workflow_bookmark (id, instance_id, frame, activity_id, due_at, entity, record_id, version, kinds, fields, created_at, event_id, event_kind)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, e.id, e.kind
                FROM (SELECT 1) AS one LEFT JOIN LATERAL (
                    SELECT id, kind FROM crm.history
                    WHERE record_id = $7 AND crm.entity_now(entity, id) = $6 AND (version > $8 OR cause_id IS NOT NULL AND at >= $11) AND kind = ANY($9)
                      AND ($10 = '{}' OR kind <> 1 OR EXISTS (SELECT 1 FROM jsonb_object_keys(changes) AS k WHERE k = ANY($10)))
                    ORDER BY id LIMIT 1
                ) AS e ON true
                """,
                id, run.Instance.Id, frame, activity, Nullable(due, NpgsqlDbType.TimestampTz), Nullable(watch?.Entity, NpgsqlDbType.Text), Nullable(watch?.RecordId, NpgsqlDbType.Uuid),
                Nullable(watch?.Version, NpgsqlDbType.Bigint), watch?.Kinds ?? [], watch?.Fields ?? [], created));
        }

        if (run.Journal.Count > 0)
        {
            batch.BatchCommands.Add(Command(
                """
                INSERT INTO crm.workflow_journal (instance_id, at, activity_id, activity_type, activity_name, event, outcome, message)
                SELECT $1, at, activity_id, activity_type, activity_name, event, outcome, message
                FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
                    WITH ORDINALITY AS u(at, activity_id, activity_type, activity_name, event, outcome, message, place) ORDER BY place
                """,
                run.Instance.Id, run.Journal.Select(l => l.At).ToArray(), run.Journal.Select(l => l.ActivityId).ToArray(), run.Journal.Select(l => l.ActivityType).ToArray(),
                run.Journal.Select(l => l.ActivityName).ToArray(), run.Journal.Select(l => l.Event).ToArray(), run.Journal.Select(l => l.Outcome).ToArray(), run.Journal.Select(l => l.Message).ToArray()));
        }

        // A statement of its own sees what happened to bookmarks until the row was locked.
        batch.BatchCommands.Add(Command(
            """
            UPDATE crm.workflow_instance AS i SET
                status = $2, state = $3::json, incident = $4::json, updated_at = $5, attempts = 0,
                finished_at = CASE WHEN $2 = 'finished' THEN $5::timestamptz END,
                due_at = CASE $2 WHEN 'running' THEN $5
                    WHEN 'suspended' THEN (SELECT min(CASE WHEN b.event_id IS NULL THEN b.due_at ELSE $5 END) FROM crm.workflow_bookmark AS b WHERE b.instance_id = i.id) END,
                lease = CASE WHEN $6 THEN NULL ELSE lease END,
                leased_until = CASE WHEN $6 THEN NULL ELSE clock_timestamp() + $7 END
            WHERE id = $1
            """,
            run.Instance.Id, run.Status, run.State.ToJson(), Nullable(run.Incident is { } incident ? JsonSerializer.Serialize(incident) : null, NpgsqlDbType.Text), run.Now, isOver, Lease));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (!await reader.NextResultAsync(ct) || !await reader.ReadAsync(ct))
        {
            throw new LeaseLostException();
        }
    }

    /// <summary>As <see cref="WriteAsync(NpgsqlConnection, NpgsqlTransaction, Run, CancellationToken)"/>, in a transaction of its own.</summary>
    public async Task WriteAsync(Run run, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await WriteAsync(connection, transaction, run, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Lets go of a run without having got anywhere; it is tried again later.</summary>
    public async Task PostponeAsync(InstanceRow instance, TimeSpan pause, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.workflow_instance SET due_at = @due, lease = NULL, leased_until = NULL WHERE id = @Id AND lease = @Lease",
            new { instance.Id, instance.Lease, due = time.GetUtcNow() + pause },
            cancellationToken: ct));
    }

    /// <summary>Places where a run waited whose moment or event has come.</summary>
    public async Task<ImmutableArray<(Guid Id, int Frame, string ActivityId, short? EventKind)>> WokenAsync(Guid instance, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return [.. await connection.QueryAsync<(Guid, int, string, short?)>(new CommandDefinition(
            """
            SELECT id, frame, activity_id, event_kind FROM crm.workflow_bookmark
            WHERE instance_id = @instance AND (event_id IS NOT NULL OR due_at <= @now) ORDER BY coalesce(due_at, created_at), id
            """,
            new { instance, now = time.GetUtcNow() },
            cancellationToken: ct))];
    }

    /// <summary>Tells pages that runs moved.</summary>
    public async Task AnnounceAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@LogChannel, '')", new { WorkflowStore.LogChannel }, cancellationToken: ct));
    }

    /// <summary>Forgets runs that ended long ago.</summary>
    public async Task ClearAsync(TimeSpan age, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("DELETE FROM crm.workflow_instance WHERE finished_at < @before", new { before = time.GetUtcNow() - age }, commandTimeout: 300, cancellationToken: ct));
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }

        return command;
    }

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}

/// <summary>Another host goes on with the run, or somebody stopped it.</summary>
internal sealed class LeaseLostException() : Exception("Another host goes on with the run, or somebody stopped it.");
