using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records.Jobs;

/// <summary>A job as others see it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">Which handler does it.</param>
/// <param name="State">How far it is.</param>
/// <param name="Position">Units of work done and committed.</param>
/// <param name="Total">Units in all, once known.</param>
/// <param name="Payload">What is to be done, as JSON.</param>
/// <param name="Report">What was done so far, as JSON of the handler; null before the first progress.</param>
/// <param name="Error">Why it failed, or why its last attempt did.</param>
/// <param name="CancelRequested">Whether somebody asked to stop it.</param>
/// <param name="CreatedBy">Who started it.</param>
/// <param name="CreatedByName">Their name then.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">When it first ran.</param>
/// <param name="FinishedAt">When it ended.</param>
public sealed record Job(
    Guid Id,
    string Kind,
    JobState State,
    long Position,
    long? Total,
    string Payload,
    string? Report,
    string? Error,
    bool CancelRequested,
    Guid CreatedBy,
    string CreatedByName,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt)
{
    /// <summary>What narrowed whoever asked for it, such as an API key; null when nothing did.</summary>
    public Guid? ScopeId { get; init; }

    /// <summary>Starts since it last got on.</summary>
    public int Attempts { get; init; }

    /// <summary>Starts after which it is given up when it does not get on.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>When it is started again at the earliest, while it waits.</summary>
    public DateTimeOffset RunAfter { get; init; }

    /// <summary>Whether somebody may see it: their own, whoever is narrowed what was asked for by the same, administrators all.</summary>
    public bool IsSeenBy(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return actor.IsAdministrator || (CreatedBy == actor.UserId && (actor.Scope is null || actor.Scope.Id == ScopeId));
    }

    /// <summary>Whether nothing more will happen.</summary>
    public bool IsFinished => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
}

/// <summary>How far a job is.</summary>
public enum JobState
{
    /// <summary>Waits for a host.</summary>
    Queued,

    /// <summary>A host works on it.</summary>
    Running,

    /// <summary>Done.</summary>
    Succeeded,

    /// <summary>Given up; its error says why.</summary>
    Failed,

    /// <summary>Stopped by a user; what was committed stays.</summary>
    Cancelled,
}

/// <summary>Does jobs of one kind.</summary>
public interface IJobHandler
{
    /// <summary>The kind.</summary>
    string Kind { get; }

    /// <summary>
    /// Does the job, or goes on where an earlier run ended: at <see cref="JobRun.Position"/>. Whatever it writes, it commits together with
    /// <see cref="JobRun.CheckpointAsync(Npgsql.NpgsqlConnection, Npgsql.NpgsqlTransaction, long, object?, CancellationToken)"/>, so that nothing happens twice.
    /// </summary>
    Task RunAsync(JobRun job, CancellationToken ct);
}

/// <summary>A job that cannot succeed however often it is tried.</summary>
/// <param name="message">The reason, for the user.</param>
public sealed class JobFailedException(string message) : Exception(message);

/// <summary>How jobs are run.</summary>
public sealed record JobOptions
{
    /// <summary>How long a host may be silent before another one takes over.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a host looks for work nobody told it of.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause before the second attempt; doubled for each further one.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Jobs one host runs at a time.</summary>
    public int Parallel { get; init; } = 2;
}

/// <summary>JSON of payloads and reports.</summary>
internal static class JobJson
{
    public static JsonSerializerOptions Options { get; } = Importing.ImportMapping.Json;
}
