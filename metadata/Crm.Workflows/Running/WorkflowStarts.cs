using Crm.Records;
using Dapper;
using Npgsql;

namespace Crm.Workflows;

/// <summary>
/// Wakes runs that wait for a record, and makes runs of what happened to records, in one statement for many events: a workflow is started once by an event, however often the event is told.
/// </summary>
internal sealed class WorkflowStarts(TimeProvider time) : IOutboxConsumer
{
    public async Task TakeAsync(NpgsqlConnection connection, IReadOnlyList<long> events, CancellationToken ct)
    {
        var started = await connection.ExecuteAsync(new CommandDefinition(
            """
            WITH start AS (
                SELECT DISTINCT ON (d.definition_id, o.id)
                    gen_random_uuid() AS id, d.definition_id, d.id AS version_id, d.version, t.activity_id, o.id AS event_id, o.entity, o.record_id, o.user_id, o.causation
                FROM crm.outbox AS o
                JOIN crm.workflow_trigger AS t ON t.entity = o.entity AND o.kind = ANY(t.kinds) AND (o.kind <> 0 OR o.version = 1) AND (t.fields = '{}' OR t.fields && o.fields) AND o.at >= t.since
                JOIN crm.workflow_definition AS d ON d.id = t.version_id AND d.is_published
                LEFT JOIN LATERAL (
                    SELECT h.changes -> t.field AS change FROM crm.history AS h
                    WHERE h.record_id = o.record_id AND h.version = o.version AND crm.entity_now(h.entity, h.id) = o.entity AND h.causation = o.causation
                      AND h.cause_id IS NOT DISTINCT FROM o.cause_id AND jsonb_exists(h.changes, t.field)
                    ORDER BY h.id LIMIT 1
                ) AS h ON t.field IS NOT NULL
                WHERE o.id = ANY(@events)
                  AND (t.field IS NULL OR h.change IS NOT NULL AND (t.from_value IS NULL OR h.change -> 0 = t.from_value) AND (t.to_value IS NULL OR h.change -> 1 = t.to_value))
                ORDER BY d.definition_id, o.id, t.activity_id
            ), placed AS (
                SELECT s.*, p.id AS parent, coalesce(p.root, s.id) AS root, coalesce(p.depth + 1, 0) AS depth,
                    p.depth + 1 > @Depth OR (SELECT count(*) FROM (SELECT 1 FROM crm.workflow_instance AS c WHERE c.root = p.root AND c.depth > 0 LIMIT @Chain) AS c) >= @Chain AS is_loop
                FROM start AS s LEFT JOIN crm.workflow_instance AS p ON p.id = s.causation
            )
            INSERT INTO crm.workflow_instance
                (id, definition_id, version_id, version, trigger_activity, event_id, entity, record_id, user_id, root, parent, depth, status, incident, due_at, created_at, updated_at)
            SELECT id, definition_id, version_id, version, activity_id, event_id, entity, record_id, user_id, root, parent, depth,
                CASE WHEN is_loop THEN 'faulted' ELSE 'running' END,
                CASE WHEN is_loop THEN json_build_object('Code', 'loop', 'Message', @message::text, 'At', @now::timestamptz) END,
                CASE WHEN is_loop THEN NULL ELSE @now END, @now, @now
            FROM placed ORDER BY event_id
            ON CONFLICT (definition_id, event_id) DO NOTHING
            """,
            new { events = events.ToArray(), RunLimits.Depth, RunLimits.Chain, message = Texts.Of("Loop", RunLimits.Depth, RunLimits.Chain), now = time.GetUtcNow() },
            cancellationToken: ct));
        if (started + await WakeAsync(connection, events, ct) > 0)
        {
            await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { WorkflowStore.Channel }, cancellationToken: ct));
        }
    }

    /// <summary>Marks where runs wait for what happened. The run is locked first, as by who moves it on.</summary>
    private async Task<int> WakeAsync(NpgsqlConnection connection, IReadOnlyList<long> events, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var parameters = new { events = events.ToArray(), RunStore.WaitLock, now = time.GetUtcNow() };
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_xact_lock(@WaitLock)", parameters, transaction, cancellationToken: ct));
        const string Waiting =
            """
            crm.workflow_bookmark AS b JOIN crm.outbox AS o ON o.record_id = b.record_id AND o.entity = b.entity AND o.kind = ANY(b.kinds)
              AND (o.version > b.version OR o.cause_id IS NOT NULL AND o.at >= b.created_at) AND (b.fields = '{}' OR o.kind <> 1 OR b.fields && o.fields)
            WHERE b.event_id IS NULL AND o.id = ANY(@events)
            """;
        Guid[] woken = [.. await connection.QueryAsync<Guid>(new CommandDefinition(
            $"SELECT i.id FROM crm.workflow_instance AS i WHERE i.id IN (SELECT b.instance_id FROM {Waiting}) ORDER BY i.id FOR UPDATE", parameters, transaction, cancellationToken: ct))];
        if (woken.Length > 0)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                $"""
                UPDATE crm.workflow_bookmark AS w SET event_id = e.id, event_kind = e.kind
                FROM (SELECT DISTINCT ON (b.id) b.id AS bookmark, o.id, o.kind FROM {Waiting} ORDER BY b.id, o.id) AS e WHERE w.id = e.bookmark;
                UPDATE crm.workflow_instance SET due_at = @now WHERE id = ANY(@woken) AND status = 'suspended'
                """,
                new { parameters.events, parameters.now, woken },
                transaction,
                cancellationToken: ct));
        }

        await transaction.CommitAsync(ct);
        return woken.Length;
    }
}
