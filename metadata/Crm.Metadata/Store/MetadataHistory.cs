using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Every version of the definitions: who made it, when and why, and what it changed property by property.</summary>
public sealed class MetadataHistory(CrmDatabase database)
{
    /// <summary>Most versions one answer holds.</summary>
    public const int MaxTop = 200;

    /// <summary>Versions, newest first.</summary>
    /// <param name="before">Only versions below this one; null for all.</param>
    /// <param name="top">How many, at most <see cref="MaxTop"/>.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<MetadataVersion>> ListAsync(long? before, int top, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<(long Version, DateTime At, Guid UserId, string UserName, string? Comment, string Changes, string Steps, string? Definitions)>(new CommandDefinition(
            """
            SELECT version, at, user_id, user_name, comment, changes::text, steps::text, definitions::text FROM crm.metadata_history
            WHERE @before::bigint IS NULL OR version < @before ORDER BY version DESC LIMIT @top
            """,
            new { before, top = Math.Clamp(top, 1, MaxTop) },
            cancellationToken: ct));
        return [.. rows.Select(r => new MetadataVersion(
            r.Version,
            new DateTimeOffset(DateTime.SpecifyKind(r.At, DateTimeKind.Utc)),
            r.UserId,
            r.UserName,
            r.Comment,
            [.. JsonNode.Parse(r.Steps)!.AsArray().Select(s => s!["text"]!.GetValue<string>())],
            RevertEdit.Refusal(r.Changes, r.Definitions is null ? null : DefinitionRow.Read(r.Definitions))))];
    }

    /// <summary>What changed between two versions; the first one's own changes are not in it.</summary>
    /// <param name="from">The earlier version; 0 for the empty beginning.</param>
    /// <param name="to">The later version.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The differences; null when one of the versions is not known, or was applied before differences were kept.</returns>
    public async Task<ImmutableArray<DefinitionDifference>?> CompareAsync(long from, long to, CancellationToken ct = default)
    {
        if (from < 0 || from >= to)
        {
            return null;
        }

        await using var connection = await database.OpenAsync(ct);
        var rows = (await connection.QueryAsync<(long Version, string? Definitions)>(new CommandDefinition(
            "SELECT version, definitions::text FROM crm.metadata_history WHERE version > @from AND version <= @to ORDER BY version", new { from, to }, cancellationToken: ct))).ToList();
        if (rows.Count != to - from || rows.Exists(r => r.Definitions is null))
        {
            return null;
        }

        var renames = await RenamesAsync(connection, null, from, to, ct);

        return
        [
            .. rows.SelectMany(r => DefinitionRow.Read(r.Definitions!).Select(d => d.Follow(renames.Where(n => n.Version > r.Version).Select(n => n.Rename))))
                .GroupBy(r => (r.Layer, r.Kind, r.Name))
                .OrderBy(g => g.Key)
                .SelectMany(g => DefinitionDifference.Between(g.First() with { After = g.Last().After, From = g.FirstOrDefault(r => r.From is not null)?.From })),
        ];
    }

    /// <summary>Who changed what the customer's layer says about an entity, property by property.</summary>
    /// <param name="entity">Name of the entity.</param>
    /// <param name="origins">The properties asked for.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The last change of each; nothing about a property that was changed before differences were kept.</returns>
    public async Task<IReadOnlyDictionary<PropertyOrigin, PropertyChange>> ChangesAsync(string entity, IEnumerable<PropertyOrigin> origins, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(origins);
        var open = origins.Where(o => o.IsCustomised).ToDictionary(o => o.Key, StringComparer.Ordinal);
        var found = new Dictionary<PropertyOrigin, PropertyChange>();
        if (open.Count == 0)
        {
            return found;
        }

        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<(long Version, DateTime At, Guid UserId, string UserName, string? Before, string? After)>(new CommandDefinition(
            """
            SELECT h.version, h.at, h.user_id, h.user_name, d->>'before', d->>'after'
            FROM crm.metadata_history h CROSS JOIN LATERAL jsonb_array_elements(h.definitions) d
            WHERE d->>'layer' = @layer AND d->>'kind' = 'entity' AND d->>'name' = coalesce(
                (SELECT r.from_name FROM crm.entity_rename AS r WHERE r.entity = @entity AND r.version > h.version ORDER BY r.id LIMIT 1), @entity)
            ORDER BY h.version DESC
            """,
            new { layer = Crm.Sdk.Origins.Custom, entity },
            cancellationToken: ct));
        foreach (var row in rows)
        {
            var (before, after) = (LayerSays.Of(Body(row.Before)), LayerSays.Of(Body(row.After)));
            foreach (var (key, origin) in open.Where(o => before.ContainsKey(o.Key) != after.ContainsKey(o.Key) || !JsonNode.DeepEquals(before.GetValueOrDefault(o.Key), after.GetValueOrDefault(o.Key))).ToList())
            {
                found.Add(origin, new PropertyChange(row.Version, new DateTimeOffset(DateTime.SpecifyKind(row.At, DateTimeKind.Utc)), row.UserId, row.UserName));
                open.Remove(key);
            }
        }

        return found;

        static JsonObject? Body(string? json) => json is null ? null : JsonNode.Parse(json) as JsonObject;
    }

    /// <summary>The name that an entity has now which somebody knows by an earlier one.</summary>
    /// <param name="former">A name that no entity and no set has now.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The name, and what its set was called when it lost the earlier one; null when no entity was called so.</returns>
    public async Task<(string Entity, string FormerSet)?> EntityNowAsync(string former, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.QueryFirstOrDefaultAsync<(string, string)?>(new CommandDefinition(
            "SELECT entity, from_set FROM crm.entity_rename WHERE from_name = @former OR from_set = @former ORDER BY id DESC LIMIT 1", new { former }, cancellationToken: ct));
    }

    /// <summary>Changes with what history knows of the versions they revert.</summary>
    internal static async Task<IReadOnlyList<MetadataChange>> ResolveAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<MetadataChange> changes, CancellationToken ct)
    {
        if (!changes.Any(c => c is MetadataChange.Revert))
        {
            return changes;
        }

        var resolved = new List<MetadataChange>(changes.Count);
        foreach (var change in changes)
        {
            if (change is MetadataChange.Revert revert)
            {
                var row = await connection.QuerySingleOrDefaultAsync<(string Changes, string? Definitions)?>(new CommandDefinition(
                    "SELECT changes::text, definitions::text FROM crm.metadata_history WHERE version = @version", new { version = revert.Version }, transaction, cancellationToken: ct));
                // By the names that everything has now.
                var renames = (await RenamesAsync(connection, transaction, revert.Version, long.MaxValue, ct)).Select(n => n.Rename).ToList();
                resolved.Add(row is { } found ? revert with { Changes = found.Changes, Rows = found.Definitions is null ? null : [.. DefinitionRow.Read(found.Definitions).Select(d => d.Follow(renames))] } : revert);
            }
            else
            {
                resolved.Add(change);
            }
        }

        return resolved;
    }

    /// <summary>Renames of entities in versions behind the first up to the last.</summary>
    private static async Task<List<(long Version, EntityRename Rename)>> RenamesAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, long after, long last, CancellationToken ct) =>
    [
        .. (await connection.QueryAsync<(long Version, string From, string To)>(new CommandDefinition(
            "SELECT version, from_name, to_name FROM crm.entity_rename WHERE version > @after AND version <= @last ORDER BY id", new { after, last }, transaction, cancellationToken: ct)))
            .Select(r => (r.Version, new EntityRename(r.From, r.To))),
    ];
}

/// <summary>One applied change of the definitions.</summary>
/// <param name="Version">The version it made.</param>
/// <param name="At">When.</param>
/// <param name="UserId">Who.</param>
/// <param name="UserName">Their name then.</param>
/// <param name="Comment">Why, if they said so.</param>
/// <param name="Steps">What was done, in words.</param>
/// <param name="NoRevert">Why it cannot be reverted, whatever came later; null when it may be.</param>
public sealed record MetadataVersion(long Version, DateTimeOffset At, Guid UserId, string UserName, string? Comment, ImmutableArray<string> Steps, string? NoRevert);
