using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Records that are likely the same.</summary>
/// <param name="Rule">Name of the first rule that says so.</param>
/// <param name="Records">Their ids, oldest first.</param>
public sealed record DuplicateSet(string Rule, ImmutableArray<Guid> Records);

/// <summary>Finds records that are there and alike, by the entity's rules about duplicates, among those somebody may read.</summary>
public sealed class DuplicateFinder(RecordEngine engine)
{
    /// <summary>Most pairs that are looked at for each rule: the rest is found once these are merged.</summary>
    public const int MaxPairs = 500;

    private const int MaxOfOne = 20;

    private const int Timeout = 30_000;

    /// <summary>Sets of records that are alike.</summary>
    /// <exception cref="QueryException">There is no such entity, or it has too many records to be compared in time.</exception>
    public async Task<ImmutableArray<DuplicateSet>> FindAsync(Actor actor, string entity, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        var table = AccessPolicy.MayRead(actor)
            ? QueryCompiler.TableOf(session.Access.View.Seen, entity)
            : throw new QueryException(ErrorCodes.Access, Texts.Of("AccessDenied", actor.Name, entity), entity);
        var sets = new Dictionary<Guid, (string Rule, SortedSet<Guid> Ids)>();
        try
        {
            foreach (var rule in table.Duplicates)
            {
                foreach (var (one, other) in await PairsAsync(session, table, rule, ct))
                {
                    Join(sets, rule.Definition.Name, one, other);
                }
            }
        }
        catch (PostgresException problem) when (PostgresErrors.IsOfQuery(problem, ct))
        {
            throw PostgresErrors.OfQuery(problem);
        }

        return [.. sets.Values.Distinct().Select(s => new DuplicateSet(s.Rule, [.. s.Ids]))];
    }

    private static async Task<List<(Guid One, Guid Other)>> PairsAsync(SaveSession session, EntityTable table, DuplicateRule rule, CancellationToken ct)
    {
        string And(string alias) => session.Access.View.Condition(table.Entity, AccessOperation.Read, alias) is { } condition ? " AND " + condition : "";
        var command = new NpgsqlBatchCommand(
            $"""
            SELECT a.id, b.id
            FROM {table.Name} AS a JOIN LATERAL (
                SELECT r.id FROM {table.Name} AS r WHERE r.id > a.id AND {string.Join(" AND ", rule.Parts.Select(p => p.Like("a", "r")))}{And("r")} LIMIT {MaxOfOne}
            ) AS b ON true
            WHERE {string.Join(" AND ", rule.Parts.Select(p => p.Stored("a") + " IS NOT NULL"))}{And("a")}
            LIMIT {MaxPairs}
            """);
        session.Access.Bind(command.Parameters);
        await using var batch = new NpgsqlBatch(session.Connection, session.Transaction)
        {
            BatchCommands =
            {
                new($"SELECT set_config('statement_timeout', '{Timeout}', true), set_config('pg_trgm.word_similarity_threshold', '{rule.Threshold}', true)"),
                command,
            },
        };
        var pairs = new List<(Guid, Guid)>();
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            pairs.Add((reader.GetGuid(0), reader.GetGuid(1)));
        }

        return pairs;
    }

    private static void Join(Dictionary<Guid, (string Rule, SortedSet<Guid> Ids)> sets, string rule, Guid one, Guid other)
    {
        var known = sets.TryGetValue(one, out var set) || sets.TryGetValue(other, out set) ? set : (Rule: rule, Ids: []);
        foreach (var id in new[] { one, other })
        {
            known.Ids.UnionWith(sets.TryGetValue(id, out var its) ? its.Ids : [id]);
        }

        foreach (var id in known.Ids)
        {
            sets[id] = known;
        }
    }
}
