using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>
/// Which records a lookup of one record may lead to, by the rules about it: as much as a query can decide as a <see cref="Filter"/>, and all of it for each record that
/// was found.
/// </summary>
public sealed class Candidates
{
    private readonly FieldDefinition lookup;
    private readonly ImmutableArray<Expression> conditions;
    private readonly Func<FieldPath, object?> values;
    private readonly DateTimeOffset now;

    internal Candidates(FieldDefinition lookup, ImmutableArray<Expression> conditions, Func<FieldPath, object?> values, DateTimeOffset now)
    {
        (this.lookup, this.conditions, this.values, this.now) = (lookup, conditions, values, now);
        Select = [.. conditions.SelectMany(c => c.Paths).Where(IsOfCandidate).Select(PathOf).Distinct(StringComparer.Ordinal)];
        IsExact = conditions.All(c => Exact(c) is not null);
        Filter = Filter.AllOf([.. conditions.Select(Superset).OfType<Filter>()]);
    }

    /// <summary>A condition on the looked-up entity that every record meets that may be chosen.</summary>
    public Filter Filter { get; }

    /// <summary>Whether every record that meets <see cref="Filter"/> may be chosen.</summary>
    public bool IsExact { get; }

    /// <summary>Paths of the looked-up entity that <see cref="Allows"/> reads.</summary>
    public ImmutableArray<string> Select { get; }

    /// <summary>Whether a record may be chosen.</summary>
    /// <param name="candidate">A record of the looked-up entity with the values of <see cref="Select"/>.</param>
    public bool Allows(Record candidate)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        return conditions.All(c => c.Evaluate(p => IsOfCandidate(p) ? p.ValueOf(candidate[PathOf(p)]) : values(p), now) is true);
    }

    /// <summary>Where a path leads, from the looked-up record on.</summary>
    /// <param name="path">A path that follows a lookup.</param>
    public static string PathOf(FieldPath path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return string.Join('.', path.Steps.Skip(1).Select(s => s.Name).Append(path.Field.Name));
    }

    private bool IsOfCandidate(FieldPath path) => path.IsLookedUp && path.Steps[0].Name == lookup.Name;

    /// <summary>What a query can say of a condition: of a conjunction any part, of the rest only the whole.</summary>
    private Filter? Superset(Expression expression)
    {
        switch (expression)
        {
            case Expression.Call { Function: "and" } and:
                ImmutableArray<Filter> parts = [.. and.Arguments.Select(Superset).OfType<Filter>()];
                return parts.IsEmpty ? null : Filter.AllOf(parts);
            case Expression.Call { Function: "or" } or:
                ImmutableArray<Filter?> all = [.. or.Arguments.Select(Superset)];
                return all.Contains(null) ? null : Filter.AnyOf([.. all.OfType<Filter>()]);
            default:
                return Exact(expression);
        }
    }

    private Filter? Exact(Expression expression)
    {
        if (!expression.Paths.Any(IsOfCandidate))
        {
            return expression.Evaluate(values, now) is true ? Filter.AllOf() : Filter.AnyOf();
        }

        switch (expression)
        {
            case Expression.Field field:
                return Compare(field, FilterOperator.Equal, true);
            case Expression.Call { Function: "not" } not:
                return Exact(not.Arguments[0]) is { } inner ? new Filter.Not(inner) : null;
            case Expression.Call { Function: "and" } and:
                return and.Arguments.Select(Exact).ToImmutableArray() is var both && both.Contains(null) ? null : Filter.AllOf([.. both.OfType<Filter>()]);
            case Expression.Call { Function: "or" } or:
                return or.Arguments.Select(Exact).ToImmutableArray() is var either && either.Contains(null) ? null : Filter.AnyOf([.. either.OfType<Filter>()]);
            case Expression.Call { Function: "is_empty", Arguments: [Expression.Field field] }:
                return Compare(field, FilterOperator.Equal, null);
            case Expression.Call { Function: "in", Arguments: [Expression.Field field, ..] list } when !list.Skip(1).SelectMany(a => a.Paths).Any(IsOfCandidate):
                var items = list.Skip(1).Select(a => Compare(field, FilterOperator.Equal, a.Evaluate(values, now))).ToImmutableArray();
                return items.Contains(null) ? null : Filter.AnyOf([.. items.OfType<Filter>()]);
            case Expression.Call { Function: "=" or "<>" or "<" or "<=" or ">" or ">=", Arguments: [var left, var right] } call:
                return left is Expression.Field mine && IsOfCandidate(mine.Path) && !right.Paths.Any(IsOfCandidate) ? Compare(mine, Operator(call.Function), right.Evaluate(values, now))
                    : right is Expression.Field other && IsOfCandidate(other.Path) && !left.Paths.Any(IsOfCandidate) ? Compare(other, Operator(Turned(call.Function)), left.Evaluate(values, now))
                    : null;
            default:
                return null;
        }
    }

    /// <summary>A comparison; null where a query would understand the value as another one.</summary>
    private static Filter.Compare? Compare(Expression.Field field, FilterOperator op, object? value)
    {
        var (path, type) = (field.Path, field.Path.Field.Type);
        if (type.Columns.Length != 1 || !type.Operators.Contains(op) || (value is null && op is not (FilterOperator.Equal or FilterOperator.NotEqual)))
        {
            return null;
        }

        if (value is null)
        {
            return new Filter.Compare(PathOf(path), op, null);
        }

        return type.TryNormalize(path.Field, value, out var normal, out _) && Same(path.ValueOf(normal), value) ? new Filter.Compare(PathOf(path), op, normal) : null;
    }

    private static bool Same(object? stored, object value) => Equals(stored is long number ? (decimal)number : stored, value);

    private static FilterOperator Operator(string function) => function switch
    {
        "=" => FilterOperator.Equal,
        "<>" => FilterOperator.NotEqual,
        "<" => FilterOperator.Less,
        "<=" => FilterOperator.LessOrEqual,
        ">" => FilterOperator.Greater,
        _ => FilterOperator.GreaterOrEqual,
    };

    private static string Turned(string function) => function switch
    {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => function,
    };
}
