using System.Collections.Immutable;
using Dapper;

namespace Crm.Metadata;

/// <summary>Work that goes on after a change was applied, seen from outside: how far it is, stopping it, trying it again.</summary>
public sealed class MetadataSteps(CrmDatabase database)
{
    /// <summary>Channel of <see cref="Notifications"/>: there is work, or something changed about it.</summary>
    public const string Channel = "crm_metadata_steps";

    /// <summary>Everything open or failed, and what was done since yesterday; newest first.</summary>
    public async Task<ImmutableArray<MetadataStep>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<(long Id, long Version, string Entity, string Text, string Sql, string State, string? Error, int? Percent)>(new CommandDefinition(
            """
            SELECT s.id, s.version, s.entity, s.text, s.sql, s.state, s.error,
                CASE WHEN s.state = 'running' THEN least(100, CASE WHEN s.kind IN ('fill', 'keys', 'convert') AND p.pid IS NULL THEN 100 * s.done / nullif(c.rows, 0) ELSE 100 * p.blocks_done / nullif(p.blocks_total, 0) END)::int END
            FROM crm.metadata_step s
                LEFT JOIN pg_stat_progress_create_index p ON p.pid = s.backend
                CROSS JOIN LATERAL (SELECT sum(greatest(reltuples, 0)) AS rows FROM pg_class WHERE relnamespace = to_regnamespace('records') AND relname = ANY(coalesce(s.tables, ARRAY[s.entity]))) AS c
            WHERE s.state <> 'done' AND s.state <> 'cancelled' OR s.finished_at > clock_timestamp() - interval '1 day'
            ORDER BY s.id DESC LIMIT 100
            """,
            cancellationToken: ct));
        return [.. rows.Select(r => new MetadataStep(r.Id, r.Version, r.Entity, r.Text, r.Sql, Enum.Parse<MetadataStepState>(r.State, ignoreCase: true), r.Error, r.Percent))];
    }

    /// <summary>Stops a step; what it did so far is taken back. The definitions stay as they are: the step can be tried again.</summary>
    /// <returns>False when there is no such step, or it has ended.</returns>
    public async Task<bool> CancelAsync(long id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        // The session of a step that runs is interrupted; should it be at the next step already, that one simply starts again.
        return await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            """
            WITH stopped AS (
                UPDATE crm.metadata_step SET
                    cancel_requested = true,
                    finished_at = CASE WHEN state = 'waiting' THEN clock_timestamp() END,
                    state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END
                WHERE id = @id AND state IN ('waiting', 'running') RETURNING state, backend)
            SELECT count(*) FROM (SELECT CASE WHEN state = 'running' THEN pg_cancel_backend(backend) END, pg_notify(@Channel, '') FROM stopped) AS done
            """,
            new { id, Channel },
            cancellationToken: ct)) > 0;
    }

    /// <summary>Tries a step again that failed or was stopped.</summary>
    /// <returns>False when there is no such step, or it prepared a version of a module that nobody wants any more.</returns>
    public async Task<bool> RetryAsync(long id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            """
            WITH again AS (
                UPDATE crm.metadata_step SET state = 'waiting', cancel_requested = false, error = NULL, finished_at = NULL
                WHERE id = @id AND state IN ('failed', 'cancelled') AND (kind <> 'convert' OR plan IS NOT NULL) RETURNING id)
            SELECT count(*) FROM (SELECT pg_notify(@Channel, '') FROM again) AS done
            """,
            new { id, Channel },
            cancellationToken: ct)) > 0;
    }
}

/// <summary>One piece of work after a change.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">The version of the definitions that asked for it.</param>
/// <param name="Entity">Name of the entity, the first when there are several.</param>
/// <param name="Text">In words.</param>
/// <param name="Sql">What runs in the database.</param>
/// <param name="State">How far it is.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Percent">Progress, where the database tells.</param>
public sealed record MetadataStep(long Id, long Version, string Entity, string Text, string Sql, MetadataStepState State, string? Error, int? Percent);

/// <summary>How far a step is.</summary>
public enum MetadataStepState
{
    /// <summary>Waits for a host.</summary>
    Waiting,

    /// <summary>A host works on it.</summary>
    Running,

    /// <summary>Done.</summary>
    Done,

    /// <summary>Could not be done; its error says why. It can be tried again.</summary>
    Failed,

    /// <summary>Stopped by an administrator. It can be tried again.</summary>
    Cancelled,
}
