using Crm.Metadata;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// What follows from written records in others: roll-ups of the records they point to, formulas there that read them, and so on upwards. In the transaction of
/// the write, in one statement for all, under locks taken in the order of ids. Versions stay: nobody who edits such a record meets a conflict.
/// </summary>
internal static class Cascade
{
    public static async Task RunAsync(ChangeRun run, CancellationToken ct)
    {
        var groups = RollUpGroup.OfChild(run.Session.Snapshot, run.Table.Entity.Name);
        foreach (var group in groups)
        {
            if (Parents(run, group) is { Count: > 0 } parents)
            {
                await RollUpAsync(run.Session, group, [.. parents], ct);
            }
        }
    }

    /// <summary>Parents whose roll-ups may have changed.</summary>
    private static HashSet<Guid> Parents(ChangeRun run, RollUpGroup group)
    {
        var parents = new HashSet<Guid>();
        if (!run.Table.TryField(group.Lookup.Name, out var lookup))
        {
            return parents;
        }

        foreach (var change in run.Changes.Where(c => c.IsWritten))
        {
            var (old, now) = (change.Stored?[lookup.Index] as Guid?, change.Kind == ChangeKind.Delete ? null : change.Values[lookup.Index] as Guid?);
            if (old == now && !change.Changed.Any(i => group.Reads.Contains(run.Table.Fields[i].Name)))
            {
                continue;
            }

            parents.UnionWith(new[] { old, now }.OfType<Guid>());
        }

        return parents;
    }

    private static async Task RollUpAsync(SaveSession session, RollUpGroup group, Guid[] parents, CancellationToken ct)
    {
        // First the locks, in one order for all; the statement after sees what everybody wrote who had them before.
        await using (var locking = session.Command($"SELECT 1 FROM {Sql.Table(group.Parent.Name)} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"))
        {
            Add(locking, parents);
            await locking.ExecuteNonQueryAsync(ct);
        }

        var changed = new Dictionary<Guid, long>();
        await using (var command = session.Command(group.UpdateSql))
        {
            Add(command, parents);
            await ReadAsync(command, changed, ct);
        }

        if (changed.Count > 0)
        {
            await FollowAsync(session, group.Parent, changed, [.. group.RollUps.Select(r => r.Field.Name)], ct);
        }
    }

    /// <summary>What follows from new values of an entity's calculated fields.</summary>
    private static async Task FollowAsync(SaveSession session, EntityDefinition entity, Dictionary<Guid, long> records, HashSet<string> fields, CancellationToken ct)
    {
        var ids = records.Keys.Order().ToArray();
        foreach (var formula in EntityExpressions.Of(session.Snapshot, entity).Formulas.Where(f => f.Expression.Paths.Any(p => fields.Contains(p.Field.Name))))
        {
            fields.Add(formula.Field.Name);
            var value = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix)).Write(formula);
            await using var command = session.Command($"UPDATE {Sql.Table(entity.Name)} AS r SET {Sql.Quote(formula.Field.Name)} = {value} WHERE r.id = ANY($1)");
            Add(command, ids);
            await command.ExecuteNonQueryAsync(ct);
        }

        await HistoryStore.AnnounceAsync(session, entity.Name, records, fields, ct);
        foreach (var group in RollUpGroup.OfChild(session.Snapshot, entity.Name).Where(g => g.Reads.Overlaps(fields)))
        {
            var pointer = Sql.Quote(group.Lookup.Name + group.Lookup.Type.Columns[0].Suffix);
            var parents = new List<Guid>();
            await using (var command = session.Command($"SELECT DISTINCT {pointer} FROM {Sql.Table(entity.Name)} WHERE id = ANY($1) AND {pointer} IS NOT NULL"))
            {
                Add(command, ids);
                await using var reader = await command.ExecuteReaderAsync(ct);
                while (await reader.ReadAsync(ct))
                {
                    parents.Add(reader.GetGuid(0));
                }
            }

            if (parents.Count > 0)
            {
                await RollUpAsync(session, group, [.. parents], ct);
            }
        }
    }

    private static async Task ReadAsync(NpgsqlCommand command, Dictionary<Guid, long> changed, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            changed[reader.GetGuid(0)] = reader.GetInt64(1);
        }
    }

    private static void Add(NpgsqlCommand command, Guid[] ids) => command.Parameters.Add(new() { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
}
