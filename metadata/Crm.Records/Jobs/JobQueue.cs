using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Records.Jobs;

/// <summary>Takes jobs in and tells how they are doing. Any host may ask; any host may do the work.</summary>
public sealed class JobQueue(CrmDatabase database, Notifications notifications)
{
    /// <summary>Hosts are woken here when there is work or somebody asked to cancel.</summary>
    public const string WorkChannel = "crm_jobs";

    /// <summary>Announces progress; the payload is the job's id.</summary>
    public const string ProgressChannel = "crm_job_progress";

    private const string Columns =
        "id, kind, state, position, total, payload, report, error, cancel_requested, created_by, created_by_name, created_at, started_at, finished_at, (scope ->> 'id')::uuid, attempts, max_attempts, run_after";

    /// <summary>Adds a job.</summary>
    /// <param name="kind">Which handler does it.</param>
    /// <param name="payload">What is to be done; stored as JSON.</param>
    /// <param name="actor">For whom.</param>
    /// <param name="total">Units of work, when known.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<Job> EnqueueAsync(string kind, object payload, Actor actor, long? total = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await EnqueueAsync(connection, transaction, id, kind, payload, actor, ct);
        if (total is { } units)
        {
            await SetTotalAsync(connection, transaction, id, units, ct);
        }

        await transaction.CommitAsync(ct);
        return (await FindAsync(id, ct))!;
    }

    /// <summary>Adds a job in a transaction that writes more of what it needs.</summary>
    internal static Task EnqueueAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, string kind, object payload, Actor actor, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.job (id, kind, payload, created_by, created_by_name, scope) VALUES (@id, @kind, @payload::jsonb, @user, @name, @scope::jsonb);
            SELECT pg_notify(@channel, '');
            """,
            new { id, kind, payload = JsonSerializer.Serialize(payload, JobJson.Options), user = actor.UserId, name = actor.Name, scope = actor.Scope?.ToString(), channel = WorkChannel },
            transaction,
            cancellationToken: ct));

    /// <summary>Nobody else decides on a job until the end of the transaction: it is either taken back or tried again.</summary>
    /// <returns>Its state; null when there is none.</returns>
    internal static Task<string?> HoldAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, CancellationToken ct) =>
        connection.ExecuteScalarAsync<string?>(new CommandDefinition("SELECT state FROM crm.job WHERE id = @id FOR UPDATE", new { id }, transaction, cancellationToken: ct));

    /// <summary>Says how many units of work a job has.</summary>
    internal static Task SetTotalAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, long total, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("UPDATE crm.job SET total = @total WHERE id = @id", new { id, total }, transaction, cancellationToken: ct));

    /// <summary>Finds a job; null when there is none.</summary>
    public async Task<Job?> FindAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await ReadAsync(connection, "WHERE id = $1", id, ct);
    }

    /// <summary>The newest jobs that somebody may see.</summary>
    /// <param name="filter">Which of them.</param>
    /// <param name="actor">Who asks: users see their own, whoever is narrowed what was asked for by the same, administrators all.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<Job>> ListAsync(JobFilter filter, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT {Columns} FROM crm.job
            WHERE ($1 IS NULL OR kind = $1) AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR created_by = $3) AND ($4 IS NULL OR (scope ->> 'id')::uuid = $4)
                AND ($5 IS NULL OR (created_at, id) < (SELECT created_at, id FROM crm.job WHERE id = $5))
            ORDER BY created_at DESC, id DESC LIMIT $6
            """,
            connection)
        {
            Parameters =
            {
                new() { Value = (object?)filter.Kind ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                new() { Value = (object?)filter.State?.ToString().ToLowerInvariant() ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                new() { Value = actor.IsAdministrator ? DBNull.Value : actor.UserId, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
                new() { Value = (object?)actor.Scope?.Id ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
                new() { Value = (object?)filter.Before ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
                new() { Value = filter.Top },
            },
        };
        return [.. await ReadAllAsync(command, ct)];
    }

    /// <summary>Tries a job again that was given up; it goes on where it was.</summary>
    /// <returns>False when it is not given up, or was taken back.</returns>
    public async Task<bool> RetryAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await HoldAsync(connection, transaction, id, ct);
            // The reason stands until it gets on: whoever looks meanwhile sees why it is tried again.
            var isTried = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                """
                WITH again AS (
                    UPDATE crm.job SET state = 'queued', attempts = 0, run_after = clock_timestamp(), finished_at = NULL, cancel_requested = false
                    WHERE id = @id AND state = 'failed' AND NOT EXISTS (SELECT FROM crm.job AS u WHERE u.kind = 'bulk' AND u.payload ? 'undo_of' AND u.state IN ('queued', 'running', 'succeeded') AND u.payload ->> 'undo_of' = @text)
                    RETURNING id)
                SELECT count(*) FROM (SELECT pg_notify(@work, ''), pg_notify(@progress, @text) FROM again) AS told
                """,
                new { id, text = id.ToString(), work = WorkChannel, progress = ProgressChannel },
                transaction,
                cancellationToken: ct)) > 0;
            await transaction.CommitAsync(ct);
            return isTried;
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // A way back that failed, and was taken another time since.
            return false;
        }
    }

    /// <summary>Asks to stop a job: one that waits ends at once, one that runs ends after the batch it is at.</summary>
    /// <returns>The job; null when there is none.</returns>
    public async Task<Job?> CancelAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE crm.job SET
                cancel_requested = true,
                finished_at = CASE WHEN state = 'queued' THEN clock_timestamp() END,
                state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
            WHERE id = @id AND state IN ('queued', 'running');
            SELECT pg_notify(@work, @text), pg_notify(@progress, @text);
            """,
            new { id, text = id.ToString(), work = WorkChannel, progress = ProgressChannel },
            cancellationToken: ct));
        return await ReadAsync(connection, "WHERE id = $1", id, ct);
    }

    /// <summary>Calls back whenever a job made progress or ended; also now and then without need.</summary>
    public IDisposable Watch(Guid id, Func<CancellationToken, Task> changed)
    {
        var text = id.ToString();
        return notifications.Subscribe(ProgressChannel, (payload, ct) => payload == text || payload.Length == 0 ? changed(ct) : Task.CompletedTask);
    }

    /// <summary>Waits until a job has ended.</summary>
    public async Task<Job> WaitAsync(Guid id, CancellationToken ct = default)
    {
        using var changes = new SemaphoreSlim(0);
        using var watch = Watch(id, _ =>
        {
            changes.Release();
            return Task.CompletedTask;
        });
        while (true)
        {
            await changes.WaitAsync(ct);
            if (await FindAsync(id, ct) is not { } job)
            {
                throw new KeyNotFoundException($"There is no job {id}.");
            }

            if (job.IsFinished)
            {
                return job;
            }
        }
    }

    private static async Task<Job?> ReadAsync(NpgsqlConnection connection, string where, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM crm.job {where}", connection) { Parameters = { new() { Value = id } } };
        return (await ReadAllAsync(command, ct)).FirstOrDefault();
    }

    private static async Task<List<Job>> ReadAllAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        var jobs = new List<Job>();
        while (await reader.ReadAsync(ct))
        {
            jobs.Add(new Job(
                reader.GetGuid(0),
                reader.GetString(1),
                Enum.Parse<JobState>(reader.GetString(2), ignoreCase: true),
                reader.GetInt64(3),
                await reader.IsDBNullAsync(4, ct) ? null : reader.GetInt64(4),
                reader.GetString(5),
                await reader.IsDBNullAsync(6, ct) ? null : reader.GetString(6),
                await reader.IsDBNullAsync(7, ct) ? null : reader.GetString(7),
                reader.GetBoolean(8),
                reader.GetGuid(9),
                reader.GetString(10),
                reader.GetFieldValue<DateTimeOffset>(11),
                await reader.IsDBNullAsync(12, ct) ? null : reader.GetFieldValue<DateTimeOffset>(12),
                await reader.IsDBNullAsync(13, ct) ? null : reader.GetFieldValue<DateTimeOffset>(13))
            {
                ScopeId = await reader.IsDBNullAsync(14, ct) ? null : reader.GetGuid(14),
                Attempts = reader.GetInt32(15),
                MaxAttempts = reader.GetInt32(16),
                RunAfter = reader.GetFieldValue<DateTimeOffset>(17),
            });
        }

        return jobs;
    }
}
