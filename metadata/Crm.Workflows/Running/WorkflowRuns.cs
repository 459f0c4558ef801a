using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;

namespace Crm.Workflows;

/// <summary>Runs as administrators see, start and stop them.</summary>
public sealed class WorkflowRuns(CrmDatabase database, TimeProvider time)
{
    private const string Columns =
        """
        i.id, i.definition_id AS DefinitionId, i.version_id AS VersionId, i.version, d.name, i.status, i.entity, i.record_id AS RecordId, i.parent, i.depth, i.incident::text AS Incident,
        i.due_at AS DueAt, i.created_at AS CreatedAt, i.updated_at AS UpdatedAt, i.finished_at AS FinishedAt
        """;

    /// <summary>Runs, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="top">How many at most.</param>
    /// <param name="skip">How many newer ones to leave out.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<(ImmutableArray<WorkflowInstance> Runs, long Count)> ListAsync(RunFilter filter, int top, int skip = 0, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        const string Where =
            """
            WHERE (@DefinitionId::text IS NULL OR i.definition_id = @DefinitionId) AND (@Status::text IS NULL OR i.status = @Status)
              AND (@RecordId::uuid IS NULL OR i.record_id = @RecordId) AND (@Version::integer IS NULL OR i.version = @Version)
            """;
        await using var connection = await database.OpenAsync(ct);
        await using var reader = await connection.QueryMultipleAsync(new CommandDefinition(
            $"""
            SELECT {Columns} FROM crm.workflow_instance AS i JOIN crm.workflow_definition AS d ON d.id = i.version_id
            {Where} ORDER BY i.created_at DESC, i.id DESC LIMIT @top OFFSET @skip;
            SELECT count(*) FROM crm.workflow_instance AS i {Where}
            """,
            new { filter.DefinitionId, filter.Status, filter.RecordId, filter.Version, top, skip },
            cancellationToken: ct));
        var rows = await reader.ReadAsync<Row>();
        return ([.. rows.Select(r => r.ToInstance())], await reader.ReadSingleAsync<long>());
    }

    /// <summary>One run; null when there is none.</summary>
    public async Task<WorkflowInstance?> FindAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition(
            $"SELECT {Columns} FROM crm.workflow_instance AS i JOIN crm.workflow_definition AS d ON d.id = i.version_id WHERE i.id = @id", new { id }, cancellationToken: ct));
        return row?.ToInstance();
    }

    /// <summary>What a run did, oldest first.</summary>
    public async Task<ImmutableArray<JournalEntry>> JournalAsync(Guid id, int top = 500, int skip = 0, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<(long Id, DateTime At, string? ActivityId, string? Type, string? Name, string What, string? Outcome, string? Message)>(new CommandDefinition(
            """
            SELECT id, at, activity_id, activity_type, activity_name, event, outcome, message
            FROM crm.workflow_journal WHERE instance_id = @id ORDER BY id LIMIT @top OFFSET @skip
            """,
            new { id, top, skip },
            cancellationToken: ct));
        return [.. rows.Select(r => new JournalEntry(r.Id, new DateTimeOffset(r.At, TimeSpan.Zero), r.ActivityId, r.Type, r.Name, r.What, r.Outcome, r.Message))];
    }

    /// <summary>Starts the published version of a workflow by hand; limits of chains do not count for it.</summary>
    /// <param name="definitionId">The workflow.</param>
    /// <param name="record">The record it is about; null for none.</param>
    /// <param name="actor">Who starts it.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Id of the run; null when no version is published.</returns>
    public async Task<Guid?> StartAsync(string definitionId, Guid? record, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await database.OpenAsync(ct);
        var id = Guid.CreateVersion7();
        var rows = await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.workflow_instance (id, definition_id, version_id, version, entity, record_id, user_id, root, depth, status, due_at, created_at, updated_at)
            SELECT @id, definition_id, id, version, CASE WHEN @record::uuid IS NOT NULL THEN entity END, @record, @user, @id, 0, 'running', @now, @now, @now
            FROM crm.workflow_definition WHERE definition_id = @definitionId AND is_published
            """,
            new { id, definitionId, record, user = actor.UserId, now = time.GetUtcNow() },
            cancellationToken: ct));
        await NotifyAsync(ct);
        return rows > 0 ? id : null;
    }

    /// <summary>Goes on with a run that failed, at the activity that failed; false when it did not fail.</summary>
    public Task<bool> RetryAsync(Guid id, Actor actor, CancellationToken ct = default) => MoveAsync(
        id, "Retried", actor, "status = 'running', incident = NULL, due_at = @now, attempts = 0, finished_at = NULL", "status = 'faulted'", ct);

    /// <summary>Stops a run for good; what it wrote stays. False when it is over already.</summary>
    public Task<bool> CancelAsync(Guid id, Actor actor, CancellationToken ct = default) => MoveAsync(
        id, "Cancelled", actor, "status = 'cancelled', due_at = NULL, lease = NULL, leased_until = NULL, finished_at = @now", "status IN ('running', 'suspended', 'faulted')", ct);

    private async Task<bool> MoveAsync(Guid id, string what, Actor actor, string set, string condition, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var now = time.GetUtcNow();
        var rows = await connection.ExecuteAsync(new CommandDefinition(
            $"""
            WITH moved AS (UPDATE crm.workflow_instance SET {set}, updated_at = @now WHERE id = @id AND {condition} RETURNING id)
            INSERT INTO crm.workflow_journal (instance_id, at, event, message) SELECT id, @now, @what, @Name FROM moved
            """,
            new { id, what, actor.Name, now },
            cancellationToken: ct));
        await NotifyAsync(ct);
        return rows > 0;
    }

    private async Task NotifyAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { WorkflowStore.Channel }, cancellationToken: ct));
    }

    private sealed class Row
    {
        public Guid Id { get; init; }

        public required string DefinitionId { get; init; }

        public required string VersionId { get; init; }

        public int Version { get; init; }

        public required string Name { get; init; }

        public required string Status { get; init; }

        public string? Entity { get; init; }

        public Guid? RecordId { get; init; }

        public Guid? Parent { get; init; }

        public int Depth { get; init; }

        public string? Incident { get; init; }

        public DateTime? DueAt { get; init; }

        public DateTime CreatedAt { get; init; }

        public DateTime UpdatedAt { get; init; }

        public DateTime? FinishedAt { get; init; }

        public WorkflowInstance ToInstance()
        {
            var incident = Incident is null ? null : JsonSerializer.Deserialize<Incident>(Incident);
            return new WorkflowInstance(
                Id, DefinitionId, VersionId, Version, Name, Status, Entity, RecordId, Parent, Depth, incident?.ActivityId, incident?.Activity, incident?.Code, incident?.Message, Utc(DueAt), Utc(CreatedAt)!.Value,
                Utc(UpdatedAt)!.Value, Utc(FinishedAt));
        }

        private static DateTimeOffset? Utc(DateTime? at) => at is { } given ? new DateTimeOffset(given, TimeSpan.Zero) : null;
    }
}

/// <summary>A run of a workflow.</summary>
/// <param name="Id">Its id; history and outbox name it as the causation of what it wrote.</param>
/// <param name="DefinitionId">The workflow.</param>
/// <param name="VersionId">The version it began with, and keeps.</param>
/// <param name="Version">Its number.</param>
/// <param name="Name">Name of the workflow.</param>
/// <param name="Status"><c>running</c>, <c>suspended</c>, <c>finished</c>, <c>faulted</c> or <c>cancelled</c>.</param>
/// <param name="Entity">Entity of the record it is about.</param>
/// <param name="RecordId">The record it is about.</param>
/// <param name="Parent">The run that set it off by what it wrote.</param>
/// <param name="Depth">How many runs are above it.</param>
/// <param name="IncidentActivityId">The activity that failed.</param>
/// <param name="IncidentActivity">Its name.</param>
/// <param name="IncidentCode">Stable code.</param>
/// <param name="Incident">Why it failed.</param>
/// <param name="DueAt">When it goes on.</param>
/// <param name="CreatedAt">When it was started.</param>
/// <param name="UpdatedAt">When it last moved.</param>
/// <param name="FinishedAt">When it ended.</param>
public sealed record WorkflowInstance(
    Guid Id, string DefinitionId, string VersionId, int Version, string Name, string Status, string? Entity, Guid? RecordId, Guid? Parent, int Depth, string? IncidentActivityId, string? IncidentActivity,
    string? IncidentCode, string? Incident, DateTimeOffset? DueAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? FinishedAt)
{
    /// <summary>Whether nothing more will happen, unless a person says so.</summary>
    public bool IsOver => Status is "finished" or "cancelled" or "faulted";
}

/// <summary>Which runs are meant.</summary>
/// <param name="DefinitionId">Of which workflow; null for all.</param>
/// <param name="Status">In which status; null for all.</param>
/// <param name="RecordId">About which record; null for all.</param>
/// <param name="Version">Of which version; null for all.</param>
public sealed record RunFilter(string? DefinitionId = null, string? Status = null, Guid? RecordId = null, int? Version = null);

/// <summary>A line of a run's journal.</summary>
/// <param name="Id">Grows.</param>
/// <param name="At">When.</param>
/// <param name="ActivityId">Which activity; null for the run itself.</param>
/// <param name="ActivityType">Its kind.</param>
/// <param name="ActivityName">Its name.</param>
/// <param name="Event"><c>Started</c>, <c>Completed</c>, <c>Suspended</c>, <c>Resumed</c>, <c>Faulted</c>, <c>Cancelled</c>, <c>Retried</c> or <c>Written</c>.</param>
/// <param name="Outcome">How it ended, when not simply done.</param>
/// <param name="Message">More about it.</param>
public sealed record JournalEntry(long Id, DateTimeOffset At, string? ActivityId, string? ActivityType, string? ActivityName, string Event, string? Outcome, string? Message);
