using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Workflows;

/// <summary>Workflows as administrators see and change them.</summary>
public sealed class WorkflowStore(CrmDatabase database, MetadataStore metadata, TimeProvider time)
{
    /// <summary>Channel of <see cref="Notifications"/>: workflows changed, or there is something to run.</summary>
    public const string Channel = "crm_workflows";

    /// <summary>Channel of <see cref="Notifications"/>: runs moved.</summary>
    public const string LogChannel = "crm_workflow_log";

    private const string Columns =
        "d.id, d.definition_id AS DefinitionId, d.version, d.name, d.description, d.entity, d.is_latest AS IsLatest, d.is_published AS IsPublished, d.created_at AS CreatedAt, d.created_by_name AS CreatedByName, d.published_at AS PublishedAt";

    private static readonly ActivityCatalog Activities = new();

    /// <summary>The latest version of each workflow, by name.</summary>
    public async Task<ImmutableArray<WorkflowDefinition>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition($"SELECT {Columns} FROM crm.workflow_definition AS d WHERE is_latest ORDER BY lower(name), id", cancellationToken: ct));
        return [.. rows.Select(r => r.ToDefinition())];
    }

    /// <summary>Ids of workflows of which a version is published, whichever it is.</summary>
    public async Task<FrozenSet<string>> PublishedAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return (await connection.QueryAsync<string>(new CommandDefinition("SELECT definition_id FROM crm.workflow_definition WHERE is_published", cancellationToken: ct))).ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>All versions of a workflow, newest first.</summary>
    public async Task<ImmutableArray<WorkflowDefinition>> VersionsAsync(string definitionId, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(
            $"SELECT {Columns} FROM crm.workflow_definition AS d WHERE definition_id = @definitionId ORDER BY version DESC", new { definitionId }, cancellationToken: ct));
        return [.. rows.Select(r => r.ToDefinition())];
    }

    /// <summary>One version with its model; null when there is none.</summary>
    /// <param name="definitionId">The workflow.</param>
    /// <param name="version">Which version; null for the latest.</param>
    /// <param name="isPublished">Whether the published version is meant, whatever its number.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<WorkflowDefinition?> FindAsync(string definitionId, int? version = null, bool isPublished = false, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await FindAsync(connection, null, definitionId, version, isPublished, ct);
    }

    /// <summary>Saves a draft: over the draft there is, or as a new version. What is wrong with it is told, and stored all the same.</summary>
    /// <param name="model">The definition as JSON of Elsa 3.</param>
    /// <param name="publish">Whether to publish it too, when nothing is wrong with it.</param>
    /// <param name="actor">Who saves.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<DefinitionSaved> SaveAsync(JsonObject model, bool publish, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(actor);
        var name = ActivityNode.Text(model["name"])?.Trim() is { Length: > 0 } given ? given : Texts.Of("Unnamed");
        if (name.Length > 200)
        {
            return new DefinitionSaved(null, [new DefinitionProblem(null, null, Texts.Of("NameTooLong", 200))]);
        }

        var definitionId = ActivityNode.Text(model["definitionId"]) is { Length: > 0 and <= 64 } known ? known : Guid.CreateVersion7().ToString("N");
        var graph = WorkflowGraph.Of(model);
        var check = new DefinitionCheck(metadata.Current, graph, Activities);
        var problems = check.Run();
        if (publish && !problems.IsEmpty)
        {
            // What is refused changes nothing, not even the draft.
            return new DefinitionSaved(null, problems);
        }

        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // Two who save at once make two versions, one after the other.
        await ExecuteAsync(connection, transaction, "SELECT pg_advisory_xact_lock(hashtextextended('workflow:' || @definitionId, 0))", new { definitionId }, ct);
        var latest = await FindAsync(connection, transaction, definitionId, null, false, ct);
        var id = latest is { IsDraft: true } ? latest.Id : Guid.CreateVersion7().ToString("N");
        await ExecuteAsync(
            connection,
            transaction,
            """
            UPDATE crm.workflow_definition SET is_latest = false WHERE definition_id = @definitionId AND id <> @id;
            INSERT INTO crm.workflow_definition (id, definition_id, version, name, description, entity, is_latest, model, uses, created_at, created_by, created_by_name)
            VALUES (@id, @definitionId, @version, @name, @description, @entity, true, @json::json, @uses, @now, @user, @userName)
            ON CONFLICT (id) DO UPDATE SET name = @name, description = @description, entity = @entity, model = @json::json, uses = @uses
            """,
            new
            {
                id,
                definitionId,
                version = latest is null ? 1 : latest.IsDraft ? latest.Version : latest.Version + 1,
                name,
                description = ActivityNode.Text(model["description"]),
                entity = graph.Entity,
                json = model.ToJsonString(),
                uses = check.Uses.ToArray(),
                now = time.GetUtcNow(),
                user = actor.UserId,
                userName = actor.Name,
            },
            ct);
        if (publish)
        {
            await PublishAsync(connection, transaction, id, definitionId, graph, ct);
        }

        var saved = await FindAsync(connection, transaction, definitionId, null, false, ct);
        await transaction.CommitAsync(ct);
        return new DefinitionSaved(saved, problems);
    }

    /// <summary>Publishes the latest version; events start it from now on.</summary>
    public async Task<DefinitionSaved> PublishAsync(string definitionId, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(connection, transaction, "SELECT pg_advisory_xact_lock(hashtextextended('workflow:' || @definitionId, 0))", new { definitionId }, ct);
        if (await FindAsync(connection, transaction, definitionId, null, false, ct) is not { } latest)
        {
            return new DefinitionSaved(null, []);
        }

        var graph = WorkflowGraph.Of(ModelOf(latest));
        var problems = new DefinitionCheck(metadata.Current, graph, Activities).Run();
        if (problems.IsEmpty)
        {
            await PublishAsync(connection, transaction, latest.Id, definitionId, graph, ct);
            latest = await FindAsync(connection, transaction, definitionId, null, false, ct);
            await transaction.CommitAsync(ct);
        }

        return new DefinitionSaved(latest, problems);
    }

    /// <summary>Events start the workflow no more; runs under way go on. Null when there is no such workflow.</summary>
    public async Task<WorkflowDefinition?> RetractAsync(string definitionId, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(
            connection,
            transaction,
            """
            DELETE FROM crm.workflow_trigger WHERE version_id IN (SELECT id FROM crm.workflow_definition WHERE definition_id = @definitionId);
            DELETE FROM crm.metadata_use WHERE kind = 'workflow' AND target = @definitionId;
            UPDATE crm.workflow_definition SET is_published = false WHERE definition_id = @definitionId AND is_published;
            SELECT pg_notify(@Channel, '')
            """,
            new { definitionId, Channel },
            ct);
        var latest = await FindAsync(connection, transaction, definitionId, null, false, ct);
        await transaction.CommitAsync(ct);
        return latest;
    }

    /// <summary>Makes an earlier version the latest again, as a draft; null when there is none.</summary>
    public async Task<DefinitionSaved?> RevertAsync(string definitionId, int version, Actor actor, CancellationToken ct = default) =>
        await FindAsync(definitionId, version, ct: ct) is { } old ? await SaveAsync(ModelOf(old), publish: false, actor, ct) : null;

    /// <summary>Removes a workflow with its versions and runs; false when there is none.</summary>
    public async Task<bool> DeleteAsync(string definitionId, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.ExecuteAsync(new CommandDefinition("DELETE FROM crm.workflow_definition WHERE definition_id = @definitionId", new { definitionId }, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition("DELETE FROM crm.metadata_use WHERE kind = 'workflow' AND target = @definitionId; SELECT pg_notify(@Channel, '')", new { definitionId, Channel }, cancellationToken: ct));
        return rows > 0;
    }

    /// <summary>What is wrong with a version as it is now.</summary>
    public ImmutableArray<DefinitionProblem> Check(WorkflowDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return new DefinitionCheck(metadata.Current, WorkflowGraph.Of(ModelOf(definition)), Activities).Run();
    }

    /// <summary>Whose changes start a workflow.</summary>
    internal async Task<ImmutableHashSet<string>> HeardAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return [.. await connection.QueryAsync<string>(new CommandDefinition("SELECT DISTINCT entity FROM crm.workflow_trigger", cancellationToken: ct))];
    }

    private static JsonObject ModelOf(WorkflowDefinition definition) => JsonNode.Parse(definition.Model)!.AsObject();

    private async Task PublishAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string id, string definitionId, WorkflowGraph graph, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        // What happened while the version before was published, and nobody has looked at yet, starts this one.
        var since = await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition(
            "SELECT min(since) FROM crm.workflow_trigger WHERE version_id IN (SELECT id FROM crm.workflow_definition WHERE definition_id = @definitionId)",
            new { definitionId },
            transaction,
            cancellationToken: ct)) ?? now.UtcDateTime;
        await ExecuteAsync(
            connection,
            transaction,
            """
            DELETE FROM crm.workflow_trigger WHERE version_id IN (SELECT id FROM crm.workflow_definition WHERE definition_id = @definitionId);
            DELETE FROM crm.metadata_use WHERE kind = 'workflow' AND target = @definitionId;
            UPDATE crm.workflow_definition SET is_published = false WHERE definition_id = @definitionId AND is_published AND id <> @id;
            UPDATE crm.workflow_definition SET is_published = true, published_at = coalesce(published_at, @now) WHERE id = @id;
            INSERT INTO crm.metadata_use (kind, target, name, used) SELECT 'workflow', definition_id, name, unnest(uses) FROM crm.workflow_definition WHERE id = @id;
            SELECT pg_notify(@Channel, '')
            """,
            new { id, definitionId, now, Channel },
            ct);
        foreach (var node in graph.All.Where(n => TriggerKinds.Is(n.Type) && n.CanStart))
        {
            var row = TriggerRow.Of(node, metadata.Current.Entity(node.Literal("entity")!), null);
            await ExecuteAsync(
                connection,
                transaction,
                """
                INSERT INTO crm.workflow_trigger (version_id, activity_id, entity, kinds, fields, field, from_value, to_value, since)
                VALUES (@id, @ActivityId, @Entity, @Kinds, @Fields, @Field, @From::jsonb, @To::jsonb, @since)
                """,
                new { id, row.ActivityId, row.Entity, row.Kinds, row.Fields, row.Field, row.From, row.To, since = DateTime.SpecifyKind(since, DateTimeKind.Utc) },
                ct);
        }
    }

    private static async Task<WorkflowDefinition?> FindAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, string definitionId, int? version, bool isPublished, CancellationToken ct)
    {
        var row = await connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition(
            $"""
            SELECT {Columns}, d.model::text FROM crm.workflow_definition AS d
            WHERE definition_id = @definitionId AND CASE WHEN @isPublished THEN is_published WHEN @version::integer IS NULL THEN is_latest ELSE version = @version END
            """,
            new { definitionId, version, isPublished },
            transaction,
            cancellationToken: ct));
        return row?.ToDefinition();
    }

    private static Task<int> ExecuteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, object parameters, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(sql, parameters, transaction, cancellationToken: ct));

    private sealed class Row
    {
        public required string Id { get; init; }

        public required string DefinitionId { get; init; }

        public int Version { get; init; }

        public required string Name { get; init; }

        public string? Description { get; init; }

        public string? Entity { get; init; }

        public bool IsLatest { get; init; }

        public bool IsPublished { get; init; }

        public DateTime CreatedAt { get; init; }

        public required string CreatedByName { get; init; }

        public DateTime? PublishedAt { get; init; }

        public string? Model { get; init; }

        public WorkflowDefinition ToDefinition() => new(
            Id, DefinitionId, Version, Name, Description, Entity, IsLatest, IsPublished, new DateTimeOffset(CreatedAt, TimeSpan.Zero), CreatedByName,
            PublishedAt is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : null)
        { Model = Model ?? "" };
    }
}
