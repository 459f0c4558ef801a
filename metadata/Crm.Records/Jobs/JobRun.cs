using System.Text.Json;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Jobs;

/// <summary>One run of a job by this host, valid as long as it holds the lease.</summary>
public sealed class JobRun
{
    private readonly CrmDatabase database;
    private readonly JobOptions options;
    private readonly string payload;
    private readonly Guid createdBy;
    private readonly AccessScope? scope;

    internal JobRun(CrmDatabase database, JobOptions options, Guid id, Guid lease, string kind, long position, long? total, string payload, string? report, Guid createdBy, AccessScope? scope)
    {
        this.database = database;
        this.options = options;
        this.payload = payload;
        this.createdBy = createdBy;
        this.scope = scope;
        (Id, Lease, Kind, Position, Total, Report) = (id, lease, kind, position, total, report);
    }

    /// <summary>The job.</summary>
    public Guid Id { get; }

    /// <summary>Units of work that are done and committed.</summary>
    public long Position { get; }

    /// <summary>Units in all, once known.</summary>
    public long? Total { get; }

    /// <summary>The last report, as JSON; null before the first.</summary>
    public string? Report { get; }

    internal Guid Lease { get; }

    internal string Kind { get; }

    internal bool IsCancelRequested { get; init; }

    /// <summary>What is to be done.</summary>
    public T Payload<T>() => JsonSerializer.Deserialize<T>(payload, JobJson.Options) ?? throw new JobFailedException("The job has no payload.");

    /// <summary>For whom, with the rights they have now, narrowed as when they asked for it.</summary>
    /// <exception cref="JobFailedException">The user is gone.</exception>
    public async Task<Actor> ActorAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var actor = await Actors.FindAsync(connection, createdBy, ct) ?? throw new JobFailedException("The user who started the job does not exist any more or is not active.");
        return actor with { Scope = scope };
    }

    /// <summary>Writes progress in the transaction of the work it tells of.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="position">Units done, these included.</param>
    /// <param name="report">What was done in all so far; stored as JSON.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="OperationCanceledException">Another host does the job by now: the transaction must not be committed.</exception>
    public async Task CheckpointAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, long position, object? report, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE crm.job SET position = $3, report = coalesce($4, report), attempts = 0, error = NULL, lease_until = clock_timestamp() + $5
            WHERE id = $1 AND lease = $2 AND state = 'running'
            RETURNING pg_notify($6, id::text)
            """,
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = Id },
                new() { Value = Lease },
                new() { Value = position },
                new() { Value = report is null ? DBNull.Value : JsonSerializer.Serialize(report, JobJson.Options), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
                new() { Value = options.Lease },
                new() { Value = JobQueue.ProgressChannel },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
        {
            throw new OperationCanceledException("Another host has taken over the job.");
        }
    }

    /// <summary>Writes progress of work that changed nothing.</summary>
    public async Task CheckpointAsync(long position, object? report, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await CheckpointAsync(connection, transaction, position, report, ct);
        await transaction.CommitAsync(ct);
    }
}
