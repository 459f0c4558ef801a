using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// What follows from written records in others: roll-ups of the records they point to, formulas of the records that point to them, and so on from there. In the
/// transaction of the write, in one statement for all, under locks taken in the order of ids. Versions stay: nobody who edits such a record meets a conflict.
/// </summary>
internal sealed class Cascade
{
    private readonly SaveSession session;
    private readonly HashSet<(string Entity, Guid Id)> touched = [];

    private Cascade(SaveSession session) => this.session = session;

    public static async Task RunAsync(ChangeRun run, CancellationToken ct)
    {
        var cascade = new Cascade(run.Session);
        foreach (var group in RollUpGroup.OfChild(run.Session.Snapshot, run.Table.Entity.Name))
        {
            if (Parents(run, group) is { Count: > 0 } parents)
            {
                await cascade.RollUpAsync(group, [.. parents], ct);
            }
        }

        foreach (var group in LookedUpGroup.OfTarget(run.Session.Snapshot, run.Table.Entity.Name))
        {
            // What the store itself sets changes with every write.
            var changed = run.Changes.Where(c => c is { IsWritten: true, Kind: ChangeKind.Update } && (Reads(run, group, c.Changed) || group.Reads.Any(r => run.Table.System(r).IsStamp))).Select(c => c.Id);
            await cascade.LookUpAsync(group, [.. changed.Order()], ct);
        }

        await cascade.RefreshAsync(run, ct);
    }

    private static bool Reads(ChangeRun run, LookedUpGroup group, ImmutableArray<int> changed) => changed.Any(i => group.Reads.Contains(run.Table.Fields[i].Name));

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

    private async Task RollUpAsync(RollUpGroup group, Guid[] parents, CancellationToken ct)
    {
        // First the locks, in one order for all; the statement after sees what everybody wrote who had them before.
        await ExecuteAsync($"SELECT 1 FROM {Sql.Table(group.Parent.Name)} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", parents, ct);
        await FollowAsync(group.Parent, await ChangeAsync(group.UpdateSql, parents, ct), [.. group.RollUps.Select(r => r.Field.Name)], ct);
    }

    /// <summary>Formulas of the records that point to some that changed.</summary>
    private async Task LookUpAsync(LookedUpGroup group, Guid[] targets, CancellationToken ct)
    {
        if (targets.Length > 0)
        {
            await ExecuteAsync(group.LockSql, targets, ct);
            await FollowAsync(group.Entity, await ChangeAsync(group.UpdateSql, targets, ct), [.. group.Formulas.Select(f => f.Field.Name)], ct);
        }
    }

    /// <summary>What follows from new values of an entity's calculated fields.</summary>
    private async Task FollowAsync(EntityDefinition entity, Dictionary<Guid, long> records, HashSet<string> fields, CancellationToken ct)
    {
        if (records.Count == 0)
        {
            return;
        }

        touched.UnionWith(records.Keys.Select(id => (entity.Name, id)));
        var ids = records.Keys.Order().ToArray();
        foreach (var formula in EntityExpressions.Of(session.Snapshot, entity).Formulas.Where(f => f.Expression.Paths.Any(p => !p.IsLookedUp && fields.Contains(p.Field.Name))))
        {
            fields.Add(formula.Field.Name);
            await ExecuteAsync(new FormulaSql(entity, formula).Update("r.id = ANY($1)"), ids, ct);
        }

        await HistoryStore.AnnounceAsync(session, entity.Name, records, fields, ct);
        foreach (var group in RollUpGroup.OfChild(session.Snapshot, entity.Name).Where(g => g.Reads.Overlaps(fields)))
        {
            var pointer = Sql.Quote(group.Lookup.Name + group.Lookup.Type.Columns[0].Suffix);
            var parents = new List<Guid>();
            await using (var command = Command($"SELECT DISTINCT {pointer} FROM {Sql.Table(entity.Name)} WHERE id = ANY($1) AND {pointer} IS NOT NULL", ids))
            {
                await using var reader = await command.ExecuteReaderAsync(ct);
                while (await reader.ReadAsync(ct))
                {
                    parents.Add(reader.GetGuid(0));
                }
            }

            if (parents.Count > 0)
            {
                await RollUpAsync(group, [.. parents], ct);
            }
        }

        foreach (var group in LookedUpGroup.OfTarget(session.Snapshot, entity.Name).Where(g => g.Reads.Overlaps(fields)))
        {
            await LookUpAsync(group, ids, ct);
        }
    }

    /// <summary>Who asked for the write, and who follows it, sees what followed in the written records themselves.</summary>
    private async Task RefreshAsync(ChangeRun run, CancellationToken ct)
    {
        var table = run.Table;
        var stale = run.Changes.Where(c => c.IsWritten && touched.Contains((table.Entity.Name, c.Id))).ToDictionary(c => c.Id);
        if (stale.Count == 0)
        {
            return;
        }

        await using var command = Command($"SELECT {table.SelectList} FROM {table.Name} AS r WHERE r.id = ANY($1)", [.. stale.Keys]);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var row = RowReader.Read(reader, table.Fields);
            foreach (var field in table.Fields.Where(f => f.IsCalculated))
            {
                stale[(Guid)row[table.Id]!].Values[field.Index] = row[field.Index];
            }
        }
    }

    private async Task ExecuteAsync(string sql, Guid[] ids, CancellationToken ct)
    {
        await using var command = Command(sql, ids);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Runs a statement that answers with id and version of those it changed.</summary>
    private async Task<Dictionary<Guid, long>> ChangeAsync(string sql, Guid[] ids, CancellationToken ct)
    {
        var changed = new Dictionary<Guid, long>();
        await using var command = Command(sql, ids);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            changed[reader.GetGuid(0)] = reader.GetInt64(1);
        }

        return changed;
    }

    private NpgsqlCommand Command(string sql, Guid[] ids)
    {
        var command = session.Command(sql);
        // As long as it takes: a record with very many dependants could never be saved otherwise.
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        return command;
    }
}
