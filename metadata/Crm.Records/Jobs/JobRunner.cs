using System.Collections.Concurrent;
using System.Collections.Frozen;
using Crm.Metadata;
using Crm.Sdk;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Records.Jobs;

/// <summary>
/// Does the jobs of the queue. A job belongs to a host as long as the host renews its lease, by the clock of the database; a host that was killed
/// loses it, and another one goes on at the last committed position.
/// </summary>
public sealed class JobRunner(CrmDatabase database, Notifications notifications, IEnumerable<IJobHandler> handlers, JobOptions options, TimeProvider time, ILogger<JobRunner> log) : BackgroundService
{
    private readonly FrozenDictionary<string, IJobHandler> handlers = handlers.ToFrozenDictionary(h => h.Kind);
    private readonly ConcurrentDictionary<Guid, RunningJob> running = new();
    private readonly SemaphoreSlim wake = new(0);

    /// <inheritdoc/>
    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = notifications.Subscribe(JobQueue.WorkChannel, (payload, _) =>
        {
            if (Guid.TryParse(payload, out var cancelled) && running.TryGetValue(cancelled, out var job))
            {
                job.CancelForUser();
            }

            wake.Release();
            return Task.CompletedTask;
        });
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await StartWaitingJobsAsync(stoppingToken);
                await WaitForWorkAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops; its jobs give their leases back below.
        }

        await Task.WhenAll(running.Values.Select(r => r.Work));
    }

    private async Task WaitForWorkAsync(CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(options.Poll, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            await wake.WaitAsync(both.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Looks for jobs whose host was killed: nobody tells of those.
        }
    }

    private async Task StartWaitingJobsAsync(CancellationToken stopping)
    {
        while (running.Count < options.Parallel)
        {
            try
            {
                await GiveUpAsync(stopping);
                if (await ClaimAsync(stopping) is not { } job)
                {
                    return;
                }

                var entry = new RunningJob(stopping);
                if (job.IsCancelRequested)
                {
                    entry.CancelForUser();
                }

                running[job.Id] = entry;
                entry.Work = Task.Run(() => WorkAsync(job, entry), CancellationToken.None);
            }
            catch (NpgsqlException problem)
            {
                log.LogWarning(problem, "The queue of jobs cannot be read; trying again.");
                return;
            }
        }
    }

    /// <summary>Ends jobs that were started often enough without getting anywhere: what they do may be what kills the host.</summary>
    private async Task GiveUpAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(
            """
            UPDATE crm.job SET state = 'failed', finished_at = clock_timestamp(), lease = NULL,
                error = coalesce(error || ' ', '') || $1
            WHERE state = 'running' AND lease_until < clock_timestamp() AND attempts >= max_attempts
            RETURNING id, pg_notify($2, id::text)
            """,
            connection)
        {
            Parameters = { new() { Value = "The hosts that worked on it stopped without a word, each time at the same place." }, new() { Value = JobQueue.ProgressChannel } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<JobRun?> ClaimAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(
            """
            UPDATE crm.job SET state = 'running', lease = $1, lease_until = clock_timestamp() + $2, attempts = attempts + 1,
                started_at = coalesce(started_at, clock_timestamp())
            WHERE id = (
                SELECT id FROM crm.job
                WHERE kind = ANY($3) AND (state = 'queued' AND run_after <= clock_timestamp() OR state = 'running' AND lease_until < clock_timestamp())
                ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING id, lease, kind, position, total, payload, report, created_by, cancel_requested, scope::text
            """,
            connection)
        {
            Parameters = { new() { Value = Guid.CreateVersion7() }, new() { Value = options.Lease }, new() { Value = handlers.Keys.ToArray() } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? new JobRun(
                database,
                options,
                reader.GetGuid(0),
                reader.GetGuid(1),
                reader.GetString(2),
                reader.GetInt64(3),
                await reader.IsDBNullAsync(4, ct) ? null : reader.GetInt64(4),
                reader.GetString(5),
                await reader.IsDBNullAsync(6, ct) ? null : reader.GetString(6),
                reader.GetGuid(7),
                await reader.IsDBNullAsync(9, ct) ? null : AccessScope.Parse(reader.GetString(9)))
            { IsCancelRequested = reader.GetBoolean(8) }
            : null;
    }

    private async Task WorkAsync(JobRun job, RunningJob entry)
    {
        var heartbeat = BeatAsync(job, entry);
        var end = await RunHandlerAsync(job, entry);
        await entry.StopBeatingAsync();
        await heartbeat;
        await EndAsync(job, end);
        running.TryRemove(job.Id, out _);
        entry.Dispose();
        wake.Release();
    }

    private async Task<JobEnd> RunHandlerAsync(JobRun job, RunningJob entry)
    {
        try
        {
            await handlers[job.Kind].RunAsync(job, entry.Token);
            return new JobEnd("succeeded", null);
        }
        catch (JobFailedException failure)
        {
            return new JobEnd("failed", failure.Message);
        }
        catch (OperationCanceledException)
        {
            return entry.IsCancelledByUser ? new JobEnd("cancelled", null) : new JobEnd("queued", null);
        }
        catch (Exception problem)
        {
            // Whatever a handler throws is the job's fault, not the runner's; it is kept with the job.
            log.LogError(problem, "Job {Job} of kind {Kind} failed at {Position}.", job.Id, job.Kind, job.Position);
            return new JobEnd("retry", problem.Message);
        }
    }

    /// <summary>Renews the lease, and hears of a cancellation this host was not told of.</summary>
    private async Task BeatAsync(JobRun job, RunningJob entry)
    {
        while (await entry.NextBeatAsync(options.Lease / 3, time))
        {
            try
            {
                await using var connection = await database.OpenAsync(entry.Token);
                await using var command = new NpgsqlCommand(
                    "UPDATE crm.job SET lease_until = clock_timestamp() + $3 WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING cancel_requested",
                    connection)
                {
                    Parameters = { new() { Value = job.Id }, new() { Value = job.Lease }, new() { Value = options.Lease } },
                };
                switch (await command.ExecuteScalarAsync(entry.Token))
                {
                    case null:
                        log.LogWarning("Another host has taken over job {Job}.", job.Id);
                        entry.Abandon();
                        return;
                    case true:
                        entry.CancelForUser();
                        break;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (NpgsqlException problem)
            {
                // The next beat tries again; if the database stays away, the lease ends and so does the work.
                log.LogWarning(problem, "The lease of job {Job} could not be renewed.", job.Id);
            }
        }
    }

    /// <summary>Writes how the run ended, unless another host has the job by now.</summary>
    private async Task EndAsync(JobRun job, JobEnd end)
    {
        try
        {
            await using var connection = await database.OpenAsync(CancellationToken.None);
            await using var command = new NpgsqlCommand(
                """
                UPDATE crm.job SET
                    state = CASE WHEN $3 <> 'retry' THEN $3 WHEN attempts >= max_attempts THEN 'failed' ELSE 'queued' END,
                    finished_at = CASE WHEN $3 IN ('succeeded', 'failed', 'cancelled') OR $3 = 'retry' AND attempts >= max_attempts THEN clock_timestamp() END,
                    attempts = CASE WHEN $3 = 'queued' THEN greatest(attempts - 1, 0) ELSE attempts END,
                    run_after = CASE WHEN $3 = 'retry' THEN clock_timestamp() + $5 * power(2, least(attempts, 8) - 1) ELSE run_after END,
                    error = CASE WHEN $3 = 'succeeded' THEN NULL ELSE coalesce($4, error) END,
                    lease = NULL, lease_until = NULL
                WHERE id = $1 AND lease = $2 AND state = 'running'
                RETURNING pg_notify($6, id::text), CASE WHEN state = 'queued' THEN pg_notify($7, '') END
                """,
                connection)
            {
                Parameters =
                {
                    new() { Value = job.Id },
                    new() { Value = job.Lease },
                    new() { Value = end.State },
                    new() { Value = (object?)end.Error ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                    new() { Value = options.Backoff },
                    new() { Value = JobQueue.ProgressChannel },
                    new() { Value = JobQueue.WorkChannel },
                },
            };
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException problem)
        {
            // The lease runs out and another host goes on; progress was written with the work.
            log.LogWarning(problem, "The end of job {Job} could not be written.", job.Id);
        }
    }

    private sealed record JobEnd(string State, string? Error);

    /// <summary>What this host holds of a job while it runs it.</summary>
    private sealed class RunningJob : IDisposable
    {
        private readonly CancellationTokenSource cancel;
        private readonly CancellationTokenSource stopBeating = new();

        public RunningJob(CancellationToken stopping)
        {
            cancel = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            Token = cancel.Token;
        }

        public Task Work { get; set; } = Task.CompletedTask;

        public CancellationToken Token { get; }

        public bool IsCancelledByUser { get; private set; }

        public void CancelForUser()
        {
            IsCancelledByUser = true;
            Abandon();
        }

        public void Abandon()
        {
            try
            {
                cancel.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It ended in the same moment.
            }
        }

        public Task StopBeatingAsync() => stopBeating.CancelAsync();

        public async Task<bool> NextBeatAsync(TimeSpan interval, TimeProvider time)
        {
            await Task.Delay(interval, time, stopBeating.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return !stopBeating.IsCancellationRequested && !Token.IsCancellationRequested;
        }

        public void Dispose()
        {
            cancel.Dispose();
            stopBeating.Dispose();
        }
    }
}
