using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>A roll-up field, checked, and how the database works it out.</summary>
/// <param name="Parent">The entity that has the field.</param>
/// <param name="Field">The field.</param>
/// <param name="Child">The entity it is calculated from.</param>
/// <param name="Lookup">The child's lookup that points to the parent.</param>
/// <param name="Value">What is taken of a child; null when they are counted.</param>
/// <param name="Condition">Which children count; null for all.</param>
/// <param name="Order">Of the first and the last: what they are ordered by.</param>
public sealed record RollUp(EntityDefinition Parent, FieldDefinition Field, EntityDefinition Child, FieldDefinition Lookup, Expression? Value, Expression? Condition, FieldDefinition Order)
{
    /// <summary>Names of the child's fields it depends on, the lookup apart.</summary>
    public IEnumerable<string> Reads =>
        (Value?.Paths ?? []).Concat(Condition?.Paths ?? []).Select(p => p.Field.Name).Concat(Field.RollUp!.Function is RollUpFunction.First or RollUpFunction.Last ? [Order.Name] : []);

    /// <summary>The aggregate over children called <c>r</c> of one parent; those that are not there have no id.</summary>
    public string Aggregate()
    {
        var writer = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix));
        var value = Value is null ? "" : writer.Write(Value);
        var counts = "r.id IS NOT NULL" + (Condition is null ? "" : " AND " + writer.Condition(Condition));
        var order = "r." + Sql.Quote(Order.Name + Order.Type.Columns[0].Suffix);
        return Field.RollUp!.Function switch
        {
            RollUpFunction.Count => $"count(*) FILTER (WHERE {counts})",
            RollUpFunction.Sum => Stored($"crm.bound(coalesce(sum({value}) FILTER (WHERE {counts}), 0))"),
            RollUpFunction.Average => Stored($"avg({value}) FILTER (WHERE {counts})"),
            RollUpFunction.Min => Stored($"min({value}) FILTER (WHERE {counts})"),
            RollUpFunction.Max => Stored($"max({value}) FILTER (WHERE {counts})"),
            RollUpFunction.First => Stored($"(array_agg({value} ORDER BY {order}, r.id) FILTER (WHERE {counts} AND {value} IS NOT NULL))[1]"),
            _ => Stored($"(array_agg({value} ORDER BY {order} DESC NULLS LAST, r.id DESC) FILTER (WHERE {counts} AND {value} IS NOT NULL))[1]"),
        };
    }

    /// <summary>Reads the roll-up of a field.</summary>
    public static bool TryParse(MetadataSnapshot snapshot, EntityDefinition parent, FieldDefinition field, [NotNullWhen(true)] out RollUp? rollUp, [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(field);
        rollUp = null;
        var definition = field.RollUp!;
        if (!snapshot.TryEntity(definition.Entity, out var child))
        {
            problem = MetadataTexts.Of("UnknownEntity", LayerEdit.Short(definition.Entity));
            return false;
        }

        if (!child.TryField(definition.Lookup, out var lookup) || lookup.IsHidden || (lookup.Type as ReferenceType)?.TargetOf(lookup) != parent.Name)
        {
            problem = MetadataTexts.Of("RollUpLookup", child.Label, LayerEdit.Short(definition.Lookup), parent.Label);
            return false;
        }

        if (!child.TryField(definition.OrderBy ?? "created_at", out var order) || order.IsHidden || !order.Type.CanSort)
        {
            problem = MetadataTexts.Of("UnknownField", child.Label, LayerEdit.Short(definition.OrderBy ?? ""));
            return false;
        }

        var scope = new ExpressionScope(snapshot, child) { AllowsNow = false, MaxLookups = 0 };
        if (!TryRead(definition.Value, scope, out var value, out problem) || !TryRead(definition.Condition, scope, out var condition, out problem))
        {
            return false;
        }

        problem = condition is { Type: not ExpressionType.YesNo } ? MetadataTexts.Of("RollUpCondition") : Mismatch(definition.Function, field, value);
        rollUp = problem is null ? new RollUp(parent, field, child, lookup, value, condition, order) : null;
        return problem is null;
    }

    private static bool TryRead(string? text, ExpressionScope scope, out Expression? expression, [NotNullWhen(false)] out string? problem)
    {
        (expression, problem) = (null, null);
        if (text is null || Expression.TryParse(text, scope, out expression, out var error))
        {
            return true;
        }

        problem = error.Message;
        return false;
    }

    private static string? Mismatch(RollUpFunction function, FieldDefinition field, Expression? value)
    {
        var holds = FormulaValue.Wanted(field.Type);
        var isRight = function switch
        {
            RollUpFunction.Count => value is null && holds == ExpressionType.Number,
            RollUpFunction.Sum or RollUpFunction.Average => value?.Type == ExpressionType.Number && holds == ExpressionType.Number,
            RollUpFunction.Min or RollUpFunction.Max => value?.Type is ExpressionType.Number or ExpressionType.Date or ExpressionType.Instant && value.Type == holds,
            _ => value is not null && value.Type == holds,
        };
        return isRight ? null : MetadataTexts.Of("RollUpMismatch", ShapeJson.Word(function), field.Label, field.Type.Name);
    }

    private string Stored(string value) => Field.Type.Columns[0].Storage switch
    {
        StorageKind.Integer => $"round({value})::bigint",
        StorageKind.Decimal => string.Create(CultureInfo.InvariantCulture, $"round({value}, {FormulaValue.DigitsOf(Field)})"),
        StorageKind.Text => string.Create(CultureInfo.InvariantCulture, $"left({value}, {FormulaValue.LengthOf(Field)})"),
        _ => value,
    };
}

/// <summary>Roll-ups that follow the same children along the same lookup: worked out by one statement.</summary>
/// <param name="Parent">The entity that has the fields.</param>
/// <param name="Child">The entity they are calculated from.</param>
/// <param name="Lookup">The child's lookup.</param>
/// <param name="RollUps">The fields.</param>
public sealed record RollUpGroup(EntityDefinition Parent, EntityDefinition Child, FieldDefinition Lookup, ImmutableArray<RollUp> RollUps)
{
    private static readonly ConditionalWeakTable<MetadataSnapshot, ConcurrentDictionary<string, ImmutableArray<RollUpGroup>>> Known = [];

    /// <summary>Names of the child's fields a change of which matters.</summary>
    public ImmutableHashSet<string> Reads { get; } = [.. RollUps.SelectMany(r => r.Reads)];

    /// <summary>Locks parents in the order of their ids, <c>$1</c>, and answers with their <see cref="CalculatedColumns"/>.</summary>
    public string LockSql { get; } = $"SELECT {CalculatedColumns.Of(Parent, "p")} FROM {Sql.Table(Parent.Name)} AS p WHERE p.id = ANY($1) ORDER BY p.id FOR NO KEY UPDATE";

    /// <summary>
    /// Gives parents their values and answers with the <see cref="CalculatedColumns"/> of those that changed: <c>$1</c> their ids. Run it when their rows are locked, so that
    /// it sees the children of everybody who held the lock before.
    /// </summary>
    public string UpdateSql { get; } = Write(Parent, Child, Lookup, RollUps, "unnest($1::uuid[]) AS k(id)") + " RETURNING " + CalculatedColumns.Of(Parent, "p");

    /// <summary>Children by their ids, <c>$1</c>, to their parents: one child for each.</summary>
    public string ParentsSql { get; } =
        $"SELECT DISTINCT ON ({Pointer(Lookup)}) {Pointer(Lookup)}, r.id FROM {Sql.Table(Child.Name)} AS r WHERE r.id = ANY($1) AND {Pointer(Lookup)} IS NOT NULL ORDER BY {Pointer(Lookup)}, r.id";

    /// <summary>Roll-ups calculated from the records of an entity.</summary>
    public static ImmutableArray<RollUpGroup> OfChild(MetadataSnapshot snapshot, string child)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return Known.GetOrCreateValue(snapshot).GetOrAdd(child, static (name, all) => Of(all.Entities.Values.Where(e => e.Fields.Any(f => f.RollUp?.Entity == name)), all, name), snapshot);
    }

    /// <summary>The statement for all parents there are.</summary>
    internal static string WriteAll(RollUp rollUp) =>
        Write(rollUp.Parent, rollUp.Child, rollUp.Lookup, [rollUp], Sql.Table(rollUp.Parent.Name) + " AS k");

    /// <summary>The statement for some parents.</summary>
    internal static string WriteSome(RollUp rollUp, string ids) => Write(rollUp.Parent, rollUp.Child, rollUp.Lookup, [rollUp], $"unnest({ids}) AS k(id)");

    /// <summary>In how many parents something else is stored.</summary>
    internal static string CountSql(RollUp rollUp)
    {
        ArgumentNullException.ThrowIfNull(rollUp);
        return $"SELECT count(*) FROM {Sql.Table(rollUp.Parent.Name)} AS p JOIN (SELECT k.id, {rollUp.Aggregate()} AS v FROM {Sql.Table(rollUp.Parent.Name)} AS k "
            + $"LEFT JOIN {Sql.Table(rollUp.Child.Name)} AS r ON {Pointer(rollUp.Lookup)} = k.id GROUP BY k.id) AS x ON x.id = p.id WHERE p.{Sql.Quote(rollUp.Field.Name)} IS DISTINCT FROM x.v";
    }

    private static string Pointer(FieldDefinition lookup) => "r." + Sql.Quote(lookup.Name + lookup.Type.Columns[0].Suffix);

    private static ImmutableArray<RollUpGroup> Of(IEnumerable<EntityDefinition> parents, MetadataSnapshot snapshot, string child) =>
    [
        .. parents
            .OrderBy(p => p.Name, StringComparer.Ordinal)
            .SelectMany(p => p.Fields.Where(f => f is { IsHidden: false } && f.RollUp?.Entity == child)
                .Select(f => RollUp.TryParse(snapshot, p, f, out var rollUp, out _) ? rollUp : null))
            .OfType<RollUp>()
            .GroupBy(r => (Parent: r.Parent.Name, Lookup: r.Lookup.Name))
            .Select(g => new RollUpGroup(g.First().Parent, g.First().Child, g.First().Lookup, [.. g])),
    ];

    private static string Write(EntityDefinition parent, EntityDefinition child, FieldDefinition lookup, ImmutableArray<RollUp> rollUps, string parents)
    {
        string Column(int index) => string.Create(CultureInfo.InvariantCulture, $"v{index}");
        var values = string.Join(", ", rollUps.Select((r, i) => $"{r.Aggregate()} AS {Column(i)}"));
        var set = string.Join(", ", rollUps.Select((r, i) => $"{Sql.Quote(r.Field.Name)} = x.{Column(i)}"));
        var differs = string.Join(" OR ", rollUps.Select((r, i) => $"p.{Sql.Quote(r.Field.Name)} IS DISTINCT FROM x.{Column(i)}"));
        return $"UPDATE {Sql.Table(parent.Name)} AS p SET {set} FROM (SELECT k.id, {values} FROM {parents} LEFT JOIN {Sql.Table(child.Name)} AS r ON {Pointer(lookup)} = k.id GROUP BY k.id) AS x "
            + $"WHERE p.id = x.id AND ({differs})";
    }
}
