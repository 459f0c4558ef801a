using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Formulas of one entity that read the records one of its lookups leads to: what follows when those records change.</summary>
/// <param name="Entity">The entity that has the formulas.</param>
/// <param name="Lookup">Its lookup.</param>
/// <param name="Formulas">The formulas, each after those of the same entity it reads.</param>
public sealed record LookedUpGroup(EntityDefinition Entity, FieldDefinition Lookup, ImmutableArray<Formula> Formulas)
{
    private static readonly ConditionalWeakTable<MetadataSnapshot, ConcurrentDictionary<string, ImmutableArray<LookedUpGroup>>> Known = [];

    /// <summary>Names of the looked-up record's fields a change of which matters.</summary>
    public ImmutableHashSet<string> Reads { get; } =
        [.. Formulas.SelectMany(f => f.Expression.Paths).Where(p => p.IsLookedUp && p.Steps[0].Name == Lookup.Name).Select(p => p.Field.Name)];

    /// <summary>
    /// Locks the records that point to those in <c>$1</c>, in the order of their ids, and answers with their <see cref="CalculatedColumns"/> and where they point. A statement of its own, so that <see cref="UpdateSql"/> sees what everybody
    /// wrote who held a lock before.
    /// </summary>
    public string LockSql { get; } = $"SELECT {CalculatedColumns.Of(Entity, "r")}, {Pointer(Lookup)} FROM {Sql.Table(Entity.Name)} AS r WHERE {Pointer(Lookup)} = ANY($1) ORDER BY r.id FOR NO KEY UPDATE";

    /// <summary>Gives the records that point to those in <c>$1</c> their values and answers with the <see cref="CalculatedColumns"/> of those that changed.</summary>
    public string UpdateSql { get; } = new FormulaSql(Entity, Formulas).UpdateReturning($"{Pointer(Lookup)} = ANY($1)");

    /// <summary>Formulas that read the records of an entity.</summary>
    /// <param name="snapshot">The definitions.</param>
    /// <param name="target">The entity that is looked up.</param>
    public static ImmutableArray<LookedUpGroup> OfTarget(MetadataSnapshot snapshot, string target)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return Known.GetOrCreateValue(snapshot).GetOrAdd(target, static (name, all) => Of(all, name), snapshot);
    }

    private static ImmutableArray<LookedUpGroup> Of(MetadataSnapshot snapshot, string target) =>
    [
        .. from entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal)
           where entity.Fields.Any(f => f is { Formula: not null, IsHidden: false })
           from lookup in entity.Fields
           where (lookup.Type as ReferenceType)?.TargetOf(lookup) == target
           let formulas = EntityExpressions.Of(snapshot, entity).Formulas.RemoveAll(f => !f.Expression.Paths.Any(p => p.IsLookedUp && p.Steps[0].Name == lookup.Name))
           where !formulas.IsEmpty
           select new LookedUpGroup(entity, lookup, formulas),
    ];

    private static string Pointer(FieldDefinition lookup) => "r." + Sql.Quote(lookup.Name + lookup.Type.Columns[0].Suffix);
}
