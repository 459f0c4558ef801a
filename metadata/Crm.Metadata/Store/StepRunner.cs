using Crm.Sdk;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Does what a change left to be done on big tables, one step at a time over all hosts. Who works holds a lock of its database session: when the host dies the session
/// ends, and the next host finds the step still marked as running and does it again from a clean start.
/// </summary>
public sealed class StepRunner(CrmDatabase database, MetadataStore store, Notifications notifications, TimeProvider time, ILogger<StepRunner> log) : BackgroundService
{
    private const long LockKey = 0x43524d_53544550;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Does every step that waits, unless another host is at it.</summary>
    public async Task RunPendingAsync(CancellationToken ct = default)
    {
        // Asked again after the lock was given back: a step announced in between found it taken.
        while (await AnyAsync(ct) && await RunLockedAsync(ct))
        {
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var wake = new WakeUp();
        using var subscription = notifications.Subscribe(MetadataSteps.Channel, (_, _) =>
        {
            wake.Call();
            return Task.CompletedTask;
        });
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await RunPendingAsync(stoppingToken);
                }
                catch (NpgsqlException problem)
                {
                    log.LogWarning(problem, "A step of a change of definitions was interrupted; it is done again.");
                    await Task.Delay(Pause, time, stoppingToken);
                    continue;
                }

                // Now and then without a word: nobody tells when the host that worked was killed.
                await wake.SleepAsync(Poll, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops; another one, or the next start, goes on.
        }
    }

    private async Task<bool> AnyAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT EXISTS (SELECT FROM crm.metadata_step WHERE state IN ('waiting', 'running'))", cancellationToken: ct));
    }

    private async Task<bool> RunLockedAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT pg_try_advisory_lock(@LockKey)", new { LockKey }, cancellationToken: ct)))
        {
            return false;
        }

        try
        {
            await ChangeRunner.OneCoreAsync(connection, isLocal: false, ct);
            await StepIndexes.SortLittleAsync(connection, ct);
            while (await NextAsync(connection, ct) is { } step)
            {
                await RunAsync(connection, step, ct);
            }

            return true;
        }
        finally
        {
            if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            {
                await connection.ExecuteAsync("SELECT pg_advisory_unlock(@LockKey)", new { LockKey });
            }
        }
    }

    private static async Task<Step?> NextAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.QuerySingleOrDefaultAsync<Step?>(new CommandDefinition(
            """
            UPDATE crm.metadata_step SET state = 'running', backend = pg_backend_pid(), started_at = coalesce(started_at, clock_timestamp())
            WHERE id = (SELECT id FROM crm.metadata_step WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 1)
            RETURNING id, kind, entity, array_to_string(coalesce(tables, ARRAY[entity]), ',') AS Tables, name, sql, plan::text AS Plan, cancel_requested AS IsCancelled, pg_notify(@Channel, '')::text AS Told
            """,
            new { MetadataSteps.Channel },
            cancellationToken: ct));

    private async Task RunAsync(NpgsqlConnection connection, Step step, CancellationToken ct)
    {
        var (state, error) = step.IsCancelled ? ("cancelled", null) : await TryAsync(connection, step, ct);
        if (state is null)
        {
            await Task.Delay(Pause, time, ct);
            return;
        }

        if (state != "done" && !await TryCleanAsync(connection, step, ct))
        {
            await Task.Delay(Pause, time, ct);
            return;
        }

        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.metadata_step SET state = @state, error = @error, backend = NULL, finished_at = clock_timestamp() WHERE id = @id AND state = 'running'; SELECT pg_notify(@Channel, '')",
            new { state, error, id = step.Id, MetadataSteps.Channel },
            cancellationToken: ct));
    }

    /// <summary>How it ended; null when it has to be done again.</summary>
    private async Task<(string? State, string? Error)> TryAsync(NpgsqlConnection connection, Step step, CancellationToken ct)
    {
        try
        {
            await DoAsync(connection, step, ct);
            return ("done", null);
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.QueryCanceled && !ct.IsCancellationRequested)
        {
            var isAsked = await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT cancel_requested FROM crm.metadata_step WHERE id = @Id", new { step.Id }, cancellationToken: ct));
            return isAsked ? ("cancelled", null) : (null, null);
        }
        catch (StepCancelledException)
        {
            return ("cancelled", null);
        }
        catch (StepFailedException problem)
        {
            return ("failed", problem.Message);
        }
        catch (StepBusyException)
        {
            return (null, null);
        }
        catch (PostgresException problem) when (problem.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable
            || (step.Kind == OnlineStep.Keys && problem.SqlState == PostgresErrorCodes.UndefinedColumn))
        {
            // Or the column was renamed or dropped between two batches.
            return (null, null);
        }
        catch (PostgresException problem) when (problem.SqlState.StartsWith("57P", StringComparison.Ordinal))
        {
            // The server, or our session, is being shut down: that says nothing about the step.
            throw;
        }
        catch (PostgresException problem)
        {
            log.LogWarning(problem, "A step of a change of definitions failed: {Sql}", step.Sql);
            return ("failed", problem.SqlState == PostgresErrorCodes.UniqueViolation ? MetadataTexts.Of("StepDoubles", await DataFacts.DoublesAsync(connection, step.Name, ct)) : problem.MessageText);
        }
    }

    private async Task DoAsync(NpgsqlConnection connection, Step step, CancellationToken ct)
    {
        if (step.Kind == "convert")
        {
            await Conversion(connection, step).RunAsync(step.Plan!, ct);
        }
        else if (await WantedAsync(step, ct) is not { } entity)
        {
            // A later change took it back.
        }
        else if (step.Kind == OnlineStep.Keys)
        {
            await new StepBatches(connection, time, step.Id).RunAsync(new KeyFill(entity, step.Name, step.Id).NextAsync, ct);
        }
        else if (step.Kind == "fill")
        {
            await new StepBatches(connection, time, step.Id).RunAsync(step.Sql, ct);
        }
        else if (step.Kind != "index" || !await StepIndexes.DropUnfinishedAsync(connection, step.Name, ct))
        {
            await connection.ExecuteAsync(new CommandDefinition(step.Sql, commandTimeout: 0, cancellationToken: ct));
        }
    }

    /// <summary>Takes back what a step that did not get to its end has left behind; false when somebody was in the way.</summary>
    private async Task<bool> TryCleanAsync(NpgsqlConnection connection, Step step, CancellationToken ct)
    {
        try
        {
            if (step.Kind == "index")
            {
                await StepIndexes.DropUnfinishedAsync(connection, step.Name, ct);
            }
            else if (step.Kind == "convert")
            {
                await Conversion(connection, step).GiveUpAsync(ct);
            }

            return true;
        }
        catch (PostgresException problem) when (problem.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
    }

    private ConversionRun Conversion(NpgsqlConnection connection, Step step) => new(connection, store, time, step.Id, [.. step.Tables.Split(',')]);

    /// <summary>The entity, when the definitions still ask for the step: a later change may have taken it back.</summary>
    private async Task<EntityDefinition?> WantedAsync(Step step, CancellationToken ct)
    {
        var snapshot = SnapshotBuilder.Build(await store.Runner.LoadAsync(ct));
        if (!snapshot.TryEntity(step.Entity, out var entity))
        {
            return null;
        }

        var table = TableShape.Of(entity, await store.Runner.FeaturesAsync(ct));
        var isWanted = step.Kind switch
        {
            "fill" => entity.TryField(step.Name, out _),
            OnlineStep.Keys => table.Columns.Any(c => c.Name == step.Name && c.Key is not null),
            _ => table.Indexes.Any(i => i.Name == step.Name) || table.ForeignKeys.Any(k => k.Name == step.Name),
        };
        return isWanted ? entity : null;
    }

    private sealed record Step(long Id, string Kind, string Entity, string Tables, string Name, string Sql, string? Plan, bool IsCancelled, string? Told);
}
