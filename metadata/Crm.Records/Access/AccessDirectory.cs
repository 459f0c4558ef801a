using System.Collections.Concurrent;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Knows what users may do: read from the database once, and again when users, roles or teams changed.</summary>
internal sealed class AccessDirectory
{
    private const int MaxKnown = 10_000;

    private const string Sql =
        $"""
        WITH RECURSIVE below AS (
            SELECT $1::uuid AS id
            UNION
            SELECT u.id FROM records."user" AS u JOIN below AS b ON u."manager_id" = b.id
        ), mine AS (
            SELECT u."team_id" AS id FROM records."user" AS u WHERE u.id = $1 AND u."team_id" IS NOT NULL
            UNION
            SELECT m."team_id" FROM records."user_teams" AS m WHERE m."user_id" = $1
        ), under AS (
            SELECT id FROM mine
            UNION
            SELECT t.id FROM records."team" AS t JOIN under AS o ON t."parent_id" = o.id
        ), above AS (
            SELECT id FROM mine
            UNION
            SELECT t."parent_id" FROM records."team" AS t JOIN above AS o ON t.id = o.id WHERE t."parent_id" IS NOT NULL
        )
        SELECT {ActorAccess.VersionSql}, u."roles", ARRAY(SELECT id FROM below UNION SELECT p.id FROM crm.principal AS p JOIN above USING (id)), ARRAY(SELECT id FROM under),
               ARRAY(SELECT $1::uuid UNION SELECT '00000000-0000-0000-0000-000000000000' UNION SELECT id FROM above),
               ARRAY(SELECT p.id FROM crm.principal AS p JOIN under USING (id)),
               ARRAY(SELECT kind || ':' || entity FROM crm.access_mark ORDER BY 1), coalesce(u.is_administrator, false)
        FROM (SELECT 1) AS one LEFT JOIN records."user" AS u ON u.id = $1
        """;

    private readonly ConcurrentDictionary<Guid, (long Version, ActorFacts Facts)> known = new();

    /// <summary>What is known of somebody without asking the database: at worst what held when they last did something.</summary>
    public AccessView Known(Actor actor, MetadataSnapshot snapshot) =>
        actor.IsAdministrator ? AccessView.All(snapshot) : AccessView.Of(snapshot, known.TryGetValue(actor.UserId, out var entry) ? entry.Facts : ActorFacts.Nobody, actor.Scope);

    /// <summary>What somebody may do, from memory if it is known.</summary>
    public async ValueTask<ActorAccess> OfAsync(Actor actor, MetadataSnapshot snapshot, CrmDatabase database, CancellationToken ct)
    {
        if (Remembered(actor, snapshot, null) is { } access)
        {
            return access;
        }

        await using var connection = await database.OpenAsync(ct);
        return await LoadAsync(actor, snapshot, connection, null, ct);
    }

    /// <summary>What somebody may do at a version of users, roles and teams.</summary>
    public async ValueTask<ActorAccess> OfAsync(Actor actor, MetadataSnapshot snapshot, long version, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct) =>
        Remembered(actor, snapshot, version) ?? await LoadAsync(actor, snapshot, connection, transaction, ct);

    /// <summary>Forgets somebody.</summary>
    public void Forget(Actor actor) => known.TryRemove(actor.UserId, out _);

    private ActorAccess? Remembered(Actor actor, MetadataSnapshot snapshot, long? version) =>
        actor.IsAdministrator ? ActorAccess.All(snapshot)
        : known.TryGetValue(actor.UserId, out var entry) && (version is null || entry.Version == version) ? new ActorAccess(AccessView.Of(snapshot, entry.Facts, actor.Scope), entry.Version, entry.Facts)
        : null;

    private async Task<ActorAccess> LoadAsync(Actor actor, MetadataSnapshot snapshot, NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection, transaction) { Parameters = { new() { Value = actor.UserId } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var facts = new ActorFacts(
            await reader.IsDBNullAsync(1, ct) ? [] : [.. reader.GetFieldValue<string[]>(1)],
            reader.GetFieldValue<Guid[]>(2),
            reader.GetFieldValue<Guid[]>(3),
            reader.GetFieldValue<Guid[]>(4),
            reader.GetFieldValue<Guid[]>(5),
            [.. reader.GetFieldValue<string[]>(6)],
            reader.GetBoolean(7));
        if (known.Count >= MaxKnown)
        {
            known.Clear();
        }

        var version = reader.GetInt64(0);
        known[actor.UserId] = (version, facts);
        return new ActorAccess(AccessView.Of(snapshot, facts, actor.Scope), version, facts);
    }
}
