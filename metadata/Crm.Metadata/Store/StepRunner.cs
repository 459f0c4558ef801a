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
        using var wake = new SemaphoreSlim(0);
        using var subscription = notifications.Subscribe(MetadataSteps.Channel, (_, _) =>
        {
            wake.Release();
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
                await wake.WaitAsync(Poll, stoppingToken);
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
        await using var connection = await database.OpenAsync(ct);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT pg_try_advisory_lock(@LockKey)", new { LockKey }, cancellationToken: ct)))
        {
            return false;
        }

        try
        {
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
            RETURNING id, kind, entity, name, sql, cancel_requested AS IsCancelled, pg_notify(@Channel, '')::text AS Told
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

        if (state != "done" && step.Kind == "index")
        {
            await DropUnfinishedAsync(connection, step.Name, ct);
        }

        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.metadata_step SET state = @state, error = @error, backend = NULL, finished_at = clock_timestamp() WHERE id = @id; SELECT pg_notify(@Channel, '')",
            new { state, error, id = step.Id, MetadataSteps.Channel },
            cancellationToken: ct));
    }

    /// <summary>How it ended; null when it has to be done again.</summary>
    private async Task<(string? State, string? Error)> TryAsync(NpgsqlConnection connection, Step step, CancellationToken ct)
    {
        try
        {
            if (await IsWantedAsync(step, ct) && (step.Kind != "index" || !await DropUnfinishedAsync(connection, step.Name, ct)))
            {
                await (step.Kind == "fill" ? FillAsync(connection, step, ct) : connection.ExecuteAsync(new CommandDefinition(step.Sql, commandTimeout: 0, cancellationToken: ct)));
            }

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
        catch (PostgresException problem) when (problem.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable)
        {
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

    /// <summary>Batch after batch, each with its progress in one transaction, so that it goes on where it stopped.</summary>
    private static async Task<int> FillAsync(NpgsqlConnection connection, Step step, CancellationToken ct)
    {
        for (var batches = 0; ; batches++)
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var fill = new NpgsqlCommand(step.Sql.Replace("$1", "(SELECT position FROM crm.metadata_step WHERE id = $1)", StringComparison.Ordinal), connection, transaction)
            {
                CommandTimeout = 0,
                Parameters = { new() { Value = step.Id } },
            };
            await using var reader = await fill.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            if (await reader.IsDBNullAsync(0, ct))
            {
                return batches;
            }

            var (last, count) = (reader.GetGuid(0), reader.GetInt64(1));
            await reader.DisposeAsync();
            await connection.ExecuteAsync(new CommandDefinition(
                "UPDATE crm.metadata_step SET position = @last, done = done + @count WHERE id = @id; SELECT pg_notify(@Channel, '')",
                new { last, count, id = step.Id, MetadataSteps.Channel },
                transaction,
                cancellationToken: ct));
            await transaction.CommitAsync(ct);
            if (await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT cancel_requested FROM crm.metadata_step WHERE id = @id", new { id = step.Id }, cancellationToken: ct)))
            {
                throw new StepCancelledException();
            }
        }
    }

    /// <summary>Whether the definitions still ask for it: a later change may have taken it back.</summary>
    private async Task<bool> IsWantedAsync(Step step, CancellationToken ct)
    {
        var snapshot = SnapshotBuilder.Build(await store.Runner.LoadAsync(ct));
        if (!snapshot.TryEntity(step.Entity, out var entity))
        {
            return false;
        }

        var table = TableShape.Of(entity, await store.Runner.FeaturesAsync(ct));
        return table.Indexes.Any(i => i.Name == step.Name) || table.ForeignKeys.Any(k => k.Name == step.Name) || (step.Kind == "fill" && entity.TryField(step.Name, out _));
    }

    /// <summary>Removes what an interrupted run left behind: an index nobody may use, which every write keeps up to date all the same.</summary>
    /// <returns>Whether there is an index that can be used.</returns>
    private static async Task<bool> DropUnfinishedAsync(NpgsqlConnection connection, string name, CancellationToken ct)
    {
        var isValid = await connection.ExecuteScalarAsync<bool?>(new CommandDefinition(
            "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(@table)", new { table = Sql.Table(name) }, cancellationToken: ct));
        if (isValid == false)
        {
            await connection.ExecuteAsync(new CommandDefinition($"DROP INDEX CONCURRENTLY IF EXISTS {Sql.Table(name)}", commandTimeout: 0, cancellationToken: ct));
        }

        return isValid == true;
    }

    private sealed class StepCancelledException() : Exception("An administrator stopped the step.");

    private sealed record Step(long Id, string Kind, string Entity, string Name, string Sql, bool IsCancelled, string? Told);
}
