using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Turns queries into statements. Names come from the snapshot and are quoted; every value is a parameter.</summary>
internal static class QueryCompiler
{
    // Shapes come from pages and saved views, which are few; a caller who makes up shapes only costs the others a compilation.
    private const int MaxRemembered = 1000;

    // Sorting by the beginning of a long text keeps its cursor short.
    private const int SortedLength = 255;

    /// <summary>The statement for a query, remembered for its shape until the metadata changes.</summary>
    /// <param name="view">What who asks may do.</param>
    /// <param name="query">The query.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="after">Where the page begins; null for the first one.</param>
    /// <param name="part">Which rows.</param>
    /// <param name="takesOut">Whether only records count that who asks may take out as a file.</param>
    /// <param name="by">The reference by which the rows belong to others, when a page is read for each of those; null otherwise.</param>
    public static CompiledQuery Compile(AccessView view, RecordQuery query, QueryShape shape, Cursor? after, SortPart part = SortPart.All, bool takesOut = false, string? by = null)
    {
        var known = view.Queries;
        var key = (takesOut, part, by) switch
        {
            (true, _, _) => ">" + shape.Key,
            (_, SortPart.Filled, _) => "+" + shape.Key,
            (_, SortPart.Empty, _) => "-" + shape.Key,
            (_, _, not null) => $"={by}={shape.Key}",
            _ => shape.Key,
        };
        if (known.Count >= MaxRemembered)
        {
            known.Clear();
        }

        return known.TryGetValue(key, out var compiled) ? compiled : known[key] = Build(view, query, after, part, takesOut, by);
    }

    /// <summary>
    /// With which rows a page begins. An index gives the rows with a value in their order, from any place on and from either end, but nothing behind the last one: where the first sort
    /// field has an index, those without a value are read for themselves, when the others do not fill the page.
    /// </summary>
    public static SortPart FirstPart(AccessView view, RecordQuery query, Cursor? after) =>
        query.Skip == 0 && QueryShape.ModeOf(query) == SearchMode.Sorted && QueryShape.Sorts(query) is [{ Path: { } first }, ..] && TableOf(view.Seen, query.Entity).TryField(first, out var field) && IsByIndex(field)
            ? after is { Values: [null, ..] } ? SortPart.Empty : SortPart.Filled
            : SortPart.All;

    /// <summary>The table of an entity callers may name.</summary>
    public static EntityTable TableOf(MetadataSnapshot snapshot, string name) =>
        name is not null && snapshot.TryEntity(name, out var entity) && !entity.IsHidden
            ? EntityTable.Of(entity)
            : throw new QueryException(ErrorCodes.UnknownEntity, Texts.Of("UnknownEntity", name is { Length: > 64 } ? name[..64] + "…" : name), name);

    private static CompiledQuery Build(AccessView view, RecordQuery query, Cursor? after, SortPart part, bool takesOut, string? by)
    {
        var table = TableOf(view.Seen, query.Entity);
        var paths = new PathResolver(view, table);
        var slots = new List<ParameterSlot>();
        var filters = new FilterWriter(paths, slots);

        var select = Select(table, paths, query.Select);
        var where = new List<string>();
        if (paths.Condition is { } visible)
        {
            where.Add(visible);
        }

        if (takesOut && view.Condition(table.Entity, AccessOperation.Export, "r") is { } mine)
        {
            where.Add(mine);
        }

        if (query.Filter is { } filter)
        {
            where.Add(filters.Write(filter));
        }

        var mode = QueryShape.ModeOf(query);
        var words = QueryShape.WordsOf(query.Search).Select(_ => SearchSql.Word(table, filters, mode)).ToList();
        where.AddRange(QueryShape.IsPhone(query.Search) ? [$"({string.Join(" AND ", words)} OR {SearchSql.Phone(table, filters)})"] : words);
        var (countWhere, countConditions) = (Where(where), where.Count);
        var countSlots = slots.Count;

        List<SortKey> keys = [.. mode == SearchMode.Sorted ? [] : new[] { new SortKey(SearchSql.Rank(table, filters, mode), StorageKind.Integer, Descending: false, IsNeverNull: true) }, .. SortKeys(table, paths, QueryShape.Sorts(query))];
        if (part != SortPart.All)
        {
            where.Add($"{keys[0].Sql} IS {(part == SortPart.Empty ? "" : "NOT ")}NULL");
            keys[0] = keys[0] with { IsNeverNull = true };
        }

        // What all rows have in common orders none of them.
        var ordering = part == SortPart.Empty ? keys[1..] : keys;

        if (after is not null)
        {
            where.Add(Keyset(ordering, after.Values.Length == keys.Count ? after.Values[^ordering.Count..] : [], filters));
        }

        var order = string.Join(", ", ordering.Select(k => k.Sql + (k.Descending ? " DESC" : "") + (k.IsNeverNull ? "" : " NULLS LAST")));
        var columns = select.SelectMany(s => s.Value.Columns.Select(c => $"{s.Alias}.{c.Quoted}")).Concat(keys.Select(k => k.Sql));
        var from = paths.From;
        var limit = filters.Parameter(ParameterSlot.Rows);
        var offset = filters.Parameter(ParameterSlot.Rows);
        var sql = $"SELECT r.\"id\", r.\"version\", {string.Join(", ", columns)} FROM {from}{Where(where)} ORDER BY {order} LIMIT {limit} OFFSET {offset}";
        var countSql = $"{CompiledQuery.CountStart}FROM {from}{countWhere}";
        if (by is not null)
        {
            // As many rows of each, in their order; the counts of all of them are one statement as well.
            var (belongs, ids, counted) = (Reference(paths, by), filters.Next(slots.Count), filters.Next(countSlots));
            var rows = $"SELECT r.\"id\", r.\"version\", {string.Join(", ", columns)}, row_number() OVER (ORDER BY {order}) AS \"place\" FROM {from}{Where([$"{belongs} = parent.id", .. where])} ORDER BY {order} LIMIT {limit} OFFSET {offset}";
            sql = string.Create(CultureInfo.InvariantCulture, $"SELECT q.*, parent.id FROM unnest({ids}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({rows}) AS q ORDER BY q.\"place\" LIMIT {QueryLimits.MaxEach + 1} + cardinality({ids})");
            countSql = $"SELECT {belongs}, count(*) FROM {from}{Where([$"{belongs} = ANY({counted})", .. where[..countConditions]])} GROUP BY 1";
        }

        return new CompiledQuery(
            table.Entity.Name,
            sql,
            countSql,
            [.. slots],
            countSlots,
            new RecordShape([.. select.Select(s => s.Name)]),
            [.. select.Select(s => s.Value)],
            [.. keys.Select(k => k.Storage)]);
    }

    private static List<(string Name, string Alias, SelectedValue Value)> Select(EntityTable table, PathResolver paths, ImmutableArray<string> select)
    {
        if (select.IsDefaultOrEmpty)
        {
            return [.. table.Fields.Select(f => (f.Name, "r", new SelectedValue(f.Type, f.Columns)))];
        }

        return [.. select.Distinct(StringComparer.Ordinal).Select(paths.Find).Select(p =>
            (p.Path, p.Alias, p.Part < 0 || p.IsSingle ? new SelectedValue(p.Field.Type, p.Field.Columns) : new SelectedValue(null, [p.Column])))];
    }

    private static string Reference(PathResolver paths, string by) =>
        paths.Resolve(by) is { Column.Storage: StorageKind.Reference } path && path.Alias == paths.Start
            ? path.Sql
            : throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NoReference", by), by);

    private static List<SortKey> SortKeys(EntityTable table, PathResolver paths, ImmutableArray<Sort> sorts)
    {
        var keys = new List<SortKey>();
        foreach (var sort in sorts)
        {
            var path = paths.Resolve(sort.Path);
            if (!path.Field.Type.CanSort)
            {
                throw new QueryException(ErrorCodes.BadRequest, Texts.Of("CannotSort", sort.Path, path.Field.Type.Name), sort.Path);
            }

            keys.Add(new SortKey(IsLong(path.Field) ? $"left({path.Sql}, {SortedLength})" : path.Sql, path.Column.Storage, sort.Descending, path.IsNeverNull));
        }

        // The same direction as the key before lets one index serve both.
        keys.Add(new SortKey("r." + table.System("id").Columns[0].Quoted, StorageKind.Reference, keys is [.., { Descending: true }], IsNeverNull: true));
        return keys;
    }

    /// <summary>Rows behind the cursor: those equal in the first keys and greater in the next one, where a missing value is greater than all.</summary>
    private static string Keyset(List<SortKey> keys, ImmutableArray<object?> after, FilterWriter filters)
    {
        if (after.Length != keys.Count || after[^1] is null)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("BadCursor"), "after");
        }

        var parameters = keys.Select((k, i) => after[i] is null ? null : filters.Parameter(ParameterSlot.Stored(k.Storage))).ToList();
        if (keys.TrueForAll(k => k.IsNeverNull && k.Descending == keys[0].Descending) && parameters.TrueForAll(p => p is not null))
        {
            return $"(({string.Join(", ", keys.Select(k => k.Sql))}) {(keys[0].Descending ? "<" : ">")} ({string.Join(", ", parameters)}))";
        }

        var alternatives = new List<string>();
        var same = new List<string>();
        foreach (var (key, parameter) in keys.Zip(parameters))
        {
            if (parameter is not null)
            {
                var greater = $"{key.Sql} {(key.Descending ? "<" : ">")} {parameter}";
                alternatives.Add("(" + string.Join(" AND ", same.Append(key.IsNeverNull ? greater : $"({greater} OR {key.Sql} IS NULL)")) + ")");
            }

            same.Add(parameter is null ? $"{key.Sql} IS NULL" : $"{key.Sql} = {parameter}");
        }

        var behind = "(" + string.Join(" OR ", alternatives) + ")";
        // Says the same again for the first key alone, where an index can begin with it.
        return keys[0].IsNeverNull && parameters[0] is { } least ? $"({keys[0].Sql} {(keys[0].Descending ? "<=" : ">=")} {least} AND {behind})" : behind;
    }

    private static bool IsByIndex(TableField field) =>
        field.Columns.Length == 1 && !field.IsStamp && !IsLong(field) && (field.Definition.IsIndexed || (field.Definition.IsUnique && field.Type.Keys(field.Definition).IsEmpty));

    private static bool IsLong(TableField field) => field.Type is SingleTextType text && (field.Definition.MaxLength ?? text.DefaultMaxLength) > SortedLength;

    private static string Where(List<string> conditions) => conditions.Count == 0 ? "" : " WHERE " + string.Join(" AND ", conditions);

    private sealed record SortKey(string Sql, StorageKind Storage, bool Descending, bool IsNeverNull);
}

/// <summary>Which rows of a query are read, by whether they have a value in the field that is sorted by first.</summary>
internal enum SortPart
{
    /// <summary>All.</summary>
    All,

    /// <summary>Those with a value.</summary>
    Filled,

    /// <summary>Those without, which come last.</summary>
    Empty,
}
