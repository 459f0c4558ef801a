using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>New versions of modules for which big tables are being prepared: one step each, found again by whoever declares the same, given up when something else is declared.</summary>
internal static class WaitingModules
{
    /// <summary>Gives up what is prepared for another version of the module: nobody wants it any more.</summary>
    /// <param name="connection">A connection.</param>
    /// <param name="transaction">Under the lock of definitions.</param>
    /// <param name="declare">What the module declares now.</param>
    /// <param name="statements">What would be done for it; null when that is not known, because it cannot be done as things stand.</param>
    /// <param name="ct">Cancels.</param>
    public static Task<int> GiveUpAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataChange.Declare declare, string? statements, CancellationToken ct) =>
        // The step keeps its row until its table is clean again; without a plan it cannot be tried once more.
        connection.ExecuteAsync(new CommandDefinition(
            """
            WITH stopped AS (
                UPDATE crm.metadata_step SET
                    plan = NULL,
                    cancel_requested = true,
                    finished_at = CASE WHEN state = 'waiting' THEN clock_timestamp() ELSE finished_at END,
                    state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END
                WHERE kind = 'convert' AND state <> 'done' AND plan->'declare'->>'id' = @module
                    AND NOT (plan->'declare' = @declared::jsonb AND (@statements::text IS NULL OR plan->>'statements' = @statements))
                RETURNING state, backend)
            SELECT CASE WHEN state = 'running' THEN pg_cancel_backend(backend) END, pg_notify(@Channel, '') FROM stopped
            """,
            new { module = declare.Module.Id, declared = DeclareJson.Write(declare).ToJsonString(), statements, MetadataSteps.Channel },
            transaction,
            cancellationToken: ct));

    /// <summary>How the step fares that prepares tables for just this declaration; null when there is none.</summary>
    /// <param name="connection">A connection.</param>
    /// <param name="transaction">Under the lock of definitions.</param>
    /// <param name="declare">What the module declares.</param>
    /// <param name="version">Version of the definitions.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<ApplyResult?> FindAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataChange.Declare declare, long version, CancellationToken ct) =>
        await connection.QueryFirstOrDefaultAsync<(long Id, string State, string? Error)?>(new CommandDefinition(
            "SELECT id, state, error FROM crm.metadata_step WHERE kind = 'convert' AND state <> 'done' AND plan->'declare' = @declared::jsonb ORDER BY id DESC LIMIT 1",
            new { declared = DeclareJson.Write(declare).ToJsonString() },
            transaction,
            cancellationToken: ct)) is { } step
            ? new ApplyResult(version, Problems(step.State, step.Error), Changed: false) { Step = step.Id }
            : null;

    private static System.Collections.Immutable.ImmutableArray<PlanMessage> Problems(string state, string? error) => state switch
    {
        "failed" => [new PlanMessage(PlanCodes.Preparation, MetadataTexts.Of("ModuleStepFailed", error))],
        "cancelled" => [new PlanMessage(PlanCodes.Preparation, MetadataTexts.Of("ModuleStepStopped"))],
        _ => [],
    };
}
