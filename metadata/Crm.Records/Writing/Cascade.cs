using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// What follows from written records in others: roll-ups of the records they point to, formulas of the records that point to them, and so on from there. In the
/// transaction of the write, in one statement for all, under locks taken in the order of ids. Versions stay: nobody who edits such a record meets a conflict.
/// Each record that changed gets one entry in its history, with the saved record it followed from, and its listeners are told.
/// </summary>
internal sealed class Cascade
{
    private readonly ChangeRun run;
    private readonly Dictionary<string, Followers> followers = new(StringComparer.Ordinal);

    private Cascade(ChangeRun run) => this.run = run;

    private MetadataSnapshot Snapshot => run.Session.Snapshot;

    public static async Task RunAsync(ChangeRun run, CancellationToken ct)
    {
        var cascade = new Cascade(run);
        foreach (var group in RollUpGroup.OfChild(run.Session.Snapshot, run.Table.Entity.Name))
        {
            if (Parents(run, group) is { Count: > 0 } parents)
            {
                await cascade.RollUpAsync(group, parents, ct);
            }
        }

        foreach (var group in LookedUpGroup.OfTarget(run.Session.Snapshot, run.Table.Entity.Name))
        {
            // What the store itself sets changes with every write.
            var changed = run.Changes.Where(c => c is { IsWritten: true, Kind: ChangeKind.Update } && (Reads(run, group, c.Changed) || group.Reads.Any(r => run.Table.System(r).IsStamp))).Select(c => c.Id);
            await cascade.LookUpAsync(group, changed.Order().ToDictionary(id => id), ct);
        }

        await cascade.TellAsync(ct);
        await cascade.RefreshAsync(ct);
    }

    private static bool Reads(ChangeRun run, LookedUpGroup group, ImmutableArray<int> changed) => changed.Any(i => group.Reads.Contains(run.Table.Fields[i].Name));

    /// <summary>Parents whose roll-ups may have changed, each with a record that was saved.</summary>
    private static Dictionary<Guid, Guid> Parents(ChangeRun run, RollUpGroup group)
    {
        var parents = new Dictionary<Guid, Guid>();
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

            foreach (var parent in new[] { old, now }.OfType<Guid>())
            {
                parents.TryAdd(parent, change.Id);
            }
        }

        return parents;
    }

    private async Task RollUpAsync(RollUpGroup group, Dictionary<Guid, Guid> causes, CancellationToken ct)
    {
        // First the locks, in one order for all; the statement after sees what everybody wrote who had them before.
        Guid[] parents = [.. causes.Keys];
        var records = Of(group.Parent);
        await ReadAsync(group.LockSql, parents, reader => records.Lock(reader, causes[reader.GetGuid(0)]), ct);
        await FollowAsync(records, await ChangeAsync(records, group.UpdateSql, parents, ct), [.. group.RollUps.Select(r => r.Field.Name)], ct);
    }

    /// <summary>Formulas of the records that point to some that changed.</summary>
    private async Task LookUpAsync(LookedUpGroup group, Dictionary<Guid, Guid> causes, CancellationToken ct)
    {
        if (causes.Count > 0)
        {
            Guid[] targets = [.. causes.Keys];
            var records = Of(group.Entity);
            await ReadAsync(group.LockSql, targets, reader => records.Lock(reader, causes[reader.GetGuid(reader.FieldCount - 1)]), ct);
            await FollowAsync(records, await ChangeAsync(records, group.UpdateSql, targets, ct), [.. group.Formulas.Select(f => f.Field.Name)], ct);
        }
    }

    /// <summary>What follows from new values of calculated fields.</summary>
    private async Task FollowAsync(Followers records, Guid[] ids, HashSet<string> fields, CancellationToken ct)
    {
        if (ids.Length == 0)
        {
            return;
        }

        var entity = records.Table.Entity;
        foreach (var formula in EntityExpressions.Of(Snapshot, entity).Formulas.Where(f => f.Expression.Paths.Any(p => !p.IsLookedUp && fields.Contains(p.Field.Name))))
        {
            fields.Add(formula.Field.Name);
            await ChangeAsync(records, new FormulaSql(entity, formula).UpdateReturning("r.id = ANY($1)"), ids, ct);
        }

        foreach (var group in RollUpGroup.OfChild(Snapshot, entity.Name).Where(g => g.Reads.Overlaps(fields)))
        {
            var causes = new Dictionary<Guid, Guid>();
            await ReadAsync(group.ParentsSql, ids, reader => causes.Add(reader.GetGuid(0), records.CauseOf(reader.GetGuid(1))), ct);
            if (causes.Count > 0)
            {
                await RollUpAsync(group, causes, ct);
            }
        }

        foreach (var group in LookedUpGroup.OfTarget(Snapshot, entity.Name).Where(g => g.Reads.Overlaps(fields)))
        {
            await LookUpAsync(group, ids.ToDictionary(id => id, records.CauseOf), ct);
        }
    }

    /// <summary>Writes what followed into the history of each record, once with all its steps, and tells who listens.</summary>
    private async Task TellAsync(CancellationToken ct)
    {
        foreach (var (entity, records) in followers.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            if (records.ToHistory() is { IsEmpty: false } rows)
            {
                await HistoryStore.AppendAsync(run.Session, entity, rows, run.Table.Entity.Name, ct);
            }
        }
    }

    /// <summary>Who asked for the write, and who follows it, sees what followed in the written records themselves.</summary>
    private async Task RefreshAsync(CancellationToken ct)
    {
        var table = run.Table;
        if (!followers.TryGetValue(table.Entity.Name, out var records))
        {
            return;
        }

        var stale = run.Changes.Where(c => c.IsWritten && records.HasChanged(c.Id)).ToDictionary(c => c.Id);
        if (stale.Count > 0)
        {
            await ReadAsync(
                $"SELECT {table.SelectList} FROM {table.Name} AS r WHERE r.id = ANY($1)",
                [.. stale.Keys],
                reader =>
                {
                    var row = RowReader.Read(reader, table.Fields);
                    foreach (var field in table.Fields.Where(f => f.IsCalculated))
                    {
                        stale[(Guid)row[table.Id]!].Values[field.Index] = row[field.Index];
                    }
                },
                ct);
        }
    }

    private Followers Of(EntityDefinition entity) =>
        followers.TryGetValue(entity.Name, out var records) ? records : followers[entity.Name] = new Followers(EntityTable.Of(entity));

    /// <summary>Runs a statement that answers with the records it changed.</summary>
    private async Task<Guid[]> ChangeAsync(Followers records, string sql, Guid[] ids, CancellationToken ct)
    {
        var changed = new List<Guid>();
        await ReadAsync(sql, ids, reader => changed.Add(records.Change(reader)), ct);
        return [.. changed.Order()];
    }

    private async Task ReadAsync(string sql, Guid[] ids, Action<NpgsqlDataReader> row, CancellationToken ct)
    {
        await using var command = run.Session.Command(sql);
        // As long as it takes: a record with very many dependants could never be saved otherwise.
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            row(reader);
        }
    }
}
