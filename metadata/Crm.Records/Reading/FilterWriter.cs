using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>
/// Writes a filter as an SQL condition. Comparisons with a missing value are unknown in SQL and false here: that makes no difference where rows are kept by
/// what is true, and under a negation IS NOT TRUE makes it right.
/// </summary>
internal sealed class FilterWriter(PathResolver paths, List<ParameterSlot> slots)
{
    private static readonly ImmutableArray<FilterOperator> TextOperators = [.. Enum.GetValues<FilterOperator>().Where(o => o != FilterOperator.Matches)];

    private static readonly ImmutableArray<FilterOperator> OrderedOperators =
        [FilterOperator.Equal, FilterOperator.NotEqual, FilterOperator.Less, FilterOperator.LessOrEqual, FilterOperator.Greater, FilterOperator.GreaterOrEqual];

    public string Write(Filter filter) => filter switch
    {
        Filter.All { Filters: { IsDefaultOrEmpty: false } filters } => "(" + string.Join(" AND ", filters.Select(Write)) + ")",
        Filter.All => "TRUE",
        Filter.Any { Filters: { IsDefaultOrEmpty: false } filters } => "(" + string.Join(" OR ", filters.Select(Write)) + ")",
        Filter.Any => "FALSE",
        Filter.Not not => $"({Write(not.Filter)} IS NOT TRUE)",
        Filter.Compare compare => Compare(paths.Resolve(compare.Path), compare.Operator, compare.Value is null or ""),
        Filter.Linked linked => Linked(paths.Find(linked.Path), linked.Where),
        Filter.Related related => Related(related),
        Filter.In list => In(paths.Resolve(list.Path), !list.Values.IsDefault && list.Values.Any(v => v is null or "")),
        _ => throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}."),
    };

    /// <summary>The next parameter.</summary>
    public string Parameter(ParameterSlot slot)
    {
        slots.Add(slot);
        return Next(slots.Count - 1);
    }

    /// <summary>The parameter behind a number of those of the query.</summary>
    public string Next(int slots) => string.Create(CultureInfo.InvariantCulture, $"${paths.View.Parameters + slots + 1}");

    private string Compare(ResolvedPath path, FilterOperator op, bool isNull)
    {
        if (isNull)
        {
            return op switch
            {
                FilterOperator.Equal => $"({path.Sql} IS NULL)",
                // Every text holds the empty one.
                FilterOperator.NotEqual or FilterOperator.Contains or FilterOperator.StartsWith or FilterOperator.EndsWith => $"({path.Sql} IS NOT NULL)",
                _ => throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NullComparison", path.Path), path.Path),
            };
        }

        RequireOperator(path, op);
        if (path.Field.Type is AddressesType)
        {
            return $"(crm.texts_in({path.Sql}) ILIKE {Parameter(ParameterSlot.Pattern(path, op))})";
        }

        if (op == FilterOperator.Matches)
        {
            var key = Parameter(ParameterSlot.Key(path, [.. path.Field.Keys]));
            return $"({string.Join(" OR ", path.Field.Keys.Select(k => $"{path.Alias}.{k.Quoted} = {key}"))})";
        }

        if (path.Field.Type is SeveralType)
        {
            var one = Parameter(ParameterSlot.Key(path, [.. path.Field.Keys]));
            return $"({string.Join(" OR ", path.Field.Keys.Select(k => $"{path.Alias}.{k.Quoted} @> ARRAY[{one}]"))})";
        }

        if (op is FilterOperator.Equal or FilterOperator.NotEqual or FilterOperator.EqualAnyCase && path.Field.Identity is { } identity)
        {
            return $"({path.Alias}.{identity.Quoted} {(op == FilterOperator.NotEqual ? "IS DISTINCT FROM" : "=")} {Parameter(ParameterSlot.Key(path, [identity]))})";
        }

        return op switch
        {
            FilterOperator.Equal => $"({path.Sql} = {Parameter(ParameterSlot.Value(path))})",
            FilterOperator.NotEqual => $"({path.Sql} IS DISTINCT FROM {Parameter(ParameterSlot.Value(path))})",
            FilterOperator.Less => $"({path.Sql} < {Parameter(ParameterSlot.Value(path))})",
            FilterOperator.LessOrEqual => $"({path.Sql} <= {Parameter(ParameterSlot.Value(path))})",
            FilterOperator.Greater => $"({path.Sql} > {Parameter(ParameterSlot.Value(path))})",
            FilterOperator.GreaterOrEqual => $"({path.Sql} >= {Parameter(ParameterSlot.Value(path))})",
            FilterOperator.Contains when path.Column.Storage == StorageKind.TextList => $"({path.Sql} @> ARRAY[{Parameter(ParameterSlot.Value(path))}])",
            FilterOperator.Contains or FilterOperator.StartsWith or FilterOperator.EndsWith or FilterOperator.EqualAnyCase => $"({path.Sql} ILIKE {Parameter(ParameterSlot.Pattern(path, op))})",
            _ => throw new ArgumentOutOfRangeException(nameof(op)),
        };
    }

    private string In(ResolvedPath path, bool withNull)
    {
        if (path.Column.Storage != StorageKind.TextList)
        {
            RequireOperator(path, FilterOperator.Equal);
        }

        if (path.Field.Type is SeveralType)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("OperatorNotAllowed", path.Path, path.Field.Type.Name, FilterOperator.Contains), path.Path);
        }

        if (path.Field.Identity is { } identity)
        {
            return $"({path.Alias}.{identity.Quoted} = ANY({Parameter(ParameterSlot.Keys(path, identity))}){(withNull ? $" OR {path.Sql} IS NULL" : "")})";
        }

        // A list field is "in" when it shares an item.
        var values = Parameter(ParameterSlot.Values(path));
        var condition = path.Column.Storage == StorageKind.TextList ? $"{path.Sql} && {values}" : $"{path.Sql} = ANY({values})";
        return withNull ? $"({condition} OR {path.Sql} IS NULL)" : $"({condition})";
    }

    private string Linked(ResolvedPath path, Filter? where)
    {
        if (path.Field.Type is AddressesType)
        {
            var rows = paths.Rows(path);
            return where is null ? $"({path.Sql} IS NOT NULL)" : $"EXISTS (SELECT 1 FROM {rows.From} WHERE {new FilterWriter(rows, slots).Write(where)})";
        }

        if (path.Field.Definition.Link is not { } link)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NoLinks", path.Path), path.Path);
        }

        var links = paths.Links(link);
        var near = links.Resolve(link.Near);
        var condition = where is null ? "" : " AND " + new FilterWriter(links, slots).Write(where);
        return $"EXISTS (SELECT 1 FROM {links.From} WHERE {near.Sql} = {path.Alias}.\"id\"{condition}{Visible(links)})";
    }

    private string Related(Filter.Related related)
    {
        var records = paths.Records(related.Entity);
        var lookup = records.Resolve(related.Lookup);
        if (lookup.Alias != records.Start || !lookup.Field.Definition.LeadsTo(paths.Entity))
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NotRelated", related.Entity, related.Lookup, paths.Entity), related.Lookup);
        }

        // A pointer to records of several entities says of which one it is.
        var condition = lookup.Field.Type is AnyLookupType ? $" AND {lookup.Alias}.{lookup.Field.Columns[1].Quoted} = '{paths.Entity}'" : "";
        condition += related.Where is null ? "" : " AND " + new FilterWriter(records, slots).Write(related.Where);
        return $"EXISTS (SELECT 1 FROM {records.From} WHERE {lookup.Sql} = {paths.Start}.\"id\"{condition}{Visible(records)})";
    }

    private static string Visible(PathResolver inner) => inner.Condition is { } condition ? " AND " + condition : "";

    private static void RequireOperator(ResolvedPath path, FilterOperator op)
    {
        var allowed = path is { IsSingle: true } or { Part: <= 0 }
            ? path.Field.Type.Operators
            : path.Column.Storage == StorageKind.Text ? TextOperators : OrderedOperators;
        if (!allowed.Contains(op) || (op == FilterOperator.Matches && path.Field.Keys.IsEmpty))
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("OperatorNotAllowed", path.Path, path.Field.Type.Name, string.Join(", ", allowed)), path.Path);
        }
    }
}
