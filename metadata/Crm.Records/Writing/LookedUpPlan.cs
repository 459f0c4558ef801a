using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Crm.Metadata;
using Crm.Sdk;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// What an entity's formulas read of other records, and which of those a save has to hold on to. Whoever changes a looked-up record calculates the records that point to
/// it anew; one that is only about to point there would be missed, so that a save locks the record its lookup is going to lead to. Records that are looked up are locked
/// before those that look them up, each entity's in the order of their ids, so that two saves wait for each other but not in a circle.
/// </summary>
internal sealed class LookedUpPlan
{
    private static readonly ConditionalWeakTable<MetadataSnapshot, ConcurrentDictionary<string, LookedUpPlan>> Known = [];

    private readonly ImmutableHashSet<string> inputs;
    private readonly ImmutableArray<Hold> holds;

    private LookedUpPlan(MetadataSnapshot snapshot, EntityDefinition entity)
    {
        var expressions = EntityExpressions.Of(snapshot, entity);
        FormulaPaths = [.. expressions.Formulas.SelectMany(f => f.Expression.Paths).Where(p => p.IsLookedUp)];
        inputs = FormulaPaths.IsEmpty ? [] : Inputs(expressions, expressions.Formulas.Where(f => f.Expression.Paths.Any(p => p.IsLookedUp)).Select(f => f.Field.Name));
        holds =
        [
            .. from path in FormulaPaths
               group path.Steps[0].Name by ((ReferenceType)path.Steps[0].Type).TargetOf(path.Steps[0])! into target
               orderby target.Key
               let groups = RollUpGroup.OfChild(snapshot, entity.Name).RemoveAll(g => g.Parent.Name != target.Key)
               select new Hold(
                   target.Key,
                   [.. target.Concat(groups.Select(g => g.Lookup.Name)).Distinct(StringComparer.Ordinal)],
                   groups.IsEmpty ? null : Inputs(expressions, groups.SelectMany(g => g.Reads)).Union(groups.Select(g => g.Lookup.Name)).Union(inputs)),
        ];
    }

    /// <summary>Paths of formulas that lead to other records.</summary>
    public ImmutableArray<FieldPath> FormulaPaths { get; }

    public bool HasFormulas => !FormulaPaths.IsEmpty;

    public static LookedUpPlan Of(MetadataSnapshot snapshot, EntityDefinition entity) =>
        Known.GetOrCreateValue(snapshot).GetOrAdd(entity.Name, static (_, from) => new LookedUpPlan(from.snapshot, from.entity), (snapshot, entity));

    /// <summary>Whether the values of formulas that look something up may be others than before.</summary>
    public bool NeedsFormulas(PendingChange change) => change.Kind == ChangeKind.Create || (change.Kind == ChangeKind.Update && inputs.Any(change.Changes));

    /// <summary>Before the rows of the changes themselves are locked: what the caller's values point to.</summary>
    public async Task LockEarlyAsync(ChangeRun run, CancellationToken ct)
    {
        foreach (var hold in holds)
        {
            var wanted = run.Going.Where(c => c.Kind == ChangeKind.Update).SelectMany(c => hold.Lookups.Select(l => c.Wanted(l) as Guid?)).OfType<Guid>().ToHashSet();
            // Roll-ups of the looked-up record need it too, and before the change: the record it belongs to now.
            ImmutableArray<Guid> current = hold.RolledUp is { } rolledUp
                ? [.. run.Going.Where(c => c.Kind == ChangeKind.Delete || (c.Kind == ChangeKind.Update && c.WantsAny(rolledUp))).Select(c => c.Id)]
                : [];
            if (hold.Target == run.Table.Entity.Name && (wanted.Count > 0 || !current.IsEmpty))
            {
                wanted.UnionWith(run.Going.Where(c => c.Kind != ChangeKind.Create).Select(c => c.Id));
            }

            await LockAsync(run, hold, wanted, current, ct);
        }
    }

    /// <summary>Once all values are set: what new records point to, and what somebody else has set.</summary>
    public async Task LockLateAsync(ChangeRun run, CancellationToken ct)
    {
        foreach (var hold in holds)
        {
            await LockAsync(run, hold, [.. run.Going.Where(c => c.Kind != ChangeKind.Delete).SelectMany(c => hold.Lookups.Where(c.Changes).Select(l => c.Values[run.Table.System(l).Index] as Guid?)).OfType<Guid>()], [], ct);
        }
    }

    private static async Task LockAsync(ChangeRun run, Hold hold, HashSet<Guid> wanted, ImmutableArray<Guid> current, CancellationToken ct)
    {
        wanted.ExceptWith(run.Held);
        if (wanted.Count == 0 && current.IsEmpty)
        {
            return;
        }

        var table = run.Table;
        var pointed = current.IsEmpty ? "" : string.Concat(hold.Lookups.Select(l => $" || ARRAY(SELECT r.{table.System(l).Columns[0].Quoted} FROM {table.Name} AS r WHERE r.id = ANY($2))"));
        // Roll-ups write the record later, and a lock that is made stronger while others hold it too would wait for them for ever.
        var strength = hold.RolledUp is null && hold.Target != table.Entity.Name ? "SHARE" : "NO KEY UPDATE";
        await run.Session.LimitAsync(ct);
        await using var command = run.Session.Command(
            $"SELECT k.id FROM {Sql.Table(hold.Target)} AS k WHERE k.id = ANY($1{pointed}) ORDER BY k.id FOR {strength}");
        // How long a save waits for each lock is set for its transaction; who waits for several waits for one after the other.
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = wanted.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        if (!current.IsEmpty)
        {
            command.Parameters.Add(new() { Value = current.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        }

        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            run.Held.Add(reader.GetGuid(0));
        }
    }

    /// <summary>Fields of the record itself that values follow from, through other formulas too.</summary>
    private static ImmutableHashSet<string> Inputs(EntityExpressions expressions, IEnumerable<string> fields)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>(fields);
        while (open.TryDequeue(out var name))
        {
            if (found.Add(name) && expressions.Formulas.FirstOrDefault(f => f.Field.Name == name) is { } formula)
            {
                foreach (var path in formula.Expression.Paths)
                {
                    open.Enqueue(path.IsLookedUp ? path.Steps[0].Name : path.Field.Name);
                }
            }
        }

        return [.. found.Except(expressions.Formulas.Select(f => f.Field.Name))];
    }

    /// <param name="Target">The entity that is looked up.</param>
    /// <param name="Lookups">The lookups that lead there.</param>
    /// <param name="RolledUp">Fields its roll-ups follow from; null when it has none over this entity.</param>
    private sealed record Hold(string Target, ImmutableArray<string> Lookups, ImmutableHashSet<string>? RolledUp);
}
