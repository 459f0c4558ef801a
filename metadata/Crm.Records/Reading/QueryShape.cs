using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>
/// What of a query makes its statement, as a key, and what does not, as values in the order of the statement's parameters. Limits are checked here, before
/// anything is looked up.
/// </summary>
internal sealed class QueryShape
{
    private readonly StringBuilder key = new();
    private int terms;

    public string Key => key.ToString();

    public List<object> Values { get; } = [];

    public static QueryShape Of(RecordQuery query, Cursor? after)
    {
        var shape = new QueryShape();
        Require(query.Top is >= 0 and <= RecordQuery.MaxTop, "TopRange", RecordQuery.MaxTop);
        Require(query.Skip is >= 0 and <= QueryLimits.MaxSkip, "SkipRange", QueryLimits.MaxSkip);
        shape.Part(query.Entity, query.Entity);
        shape.Paths('s', query.Select, QueryLimits.MaxSelect);
        shape.key.Append('f');
        shape.Add(query.Filter, 0);
        shape.Words(query.Search, ModeOf(query));
        shape.Paths('o', Sorts(query).Select(s => s.Path).ToImmutableArray(), QueryLimits.MaxSort);
        shape.key.AppendJoin("", Sorts(query).Select(s => s.Descending ? '-' : '+'));
        if (after is not null)
        {
            shape.key.Append('a').AppendJoin("", after.Values.Select(v => v is null ? '0' : '1'));
            shape.Values.AddRange(after.Values.OfType<object>());
        }

        shape.Values.Add(query.Top + 1L);
        shape.Values.Add((long)query.Skip);
        return shape;
    }

    /// <summary>The filter alone.</summary>
    public static QueryShape Of(Filter? filter)
    {
        var shape = new QueryShape();
        shape.Add(filter, 0);
        return shape;
    }

    public static ImmutableArray<Sort> Sorts(RecordQuery query) => query.Sort.IsDefault ? [] : query.Sort;

    public static string[] WordsOf(string? search) => search?.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>How a query searches; without words it does not.</summary>
    public static SearchMode ModeOf(RecordQuery query) => query.SearchMode != SearchMode.Sorted && WordsOf(query.Search).Length > 0 ? query.SearchMode : SearchMode.Sorted;

    /// <summary>Whether somebody looks for a phone number: then the record is found however it was written there.</summary>
    public static bool IsPhone(string? search) =>
        search is not null && search.Count(char.IsAsciiDigit) >= 5 && search.All(c => char.IsAsciiDigit(c) || c is ' ' or '\u00A0' or '+' or '(' or ')' or '-' or '.' or '/');

    private void Add(Filter? filter, int depth)
    {
        Require(depth <= QueryLimits.MaxDepth, "FilterTooDeep", QueryLimits.MaxDepth);
        switch (filter)
        {
            case null:
                break;
            case Filter.All all:
                Group('&', all.Filters, depth);
                break;
            case Filter.Any any:
                Group('|', any.Filters, depth);
                break;
            case Filter.Not not:
                key.Append('!');
                Add(not.Filter, depth + 1);
                break;
            case Filter.Compare compare:
                Term(compare.Path);
                if (compare is { Value: null, Operator: not (FilterOperator.Equal or FilterOperator.NotEqual) })
                {
                    throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NullComparison", compare.Path), compare.Path);
                }

                key.Append(CultureInfo.InvariantCulture, $"{(int)compare.Operator}{(compare.Value is null or "" ? '0' : '1')}");
                if (compare.Value is not (null or ""))
                {
                    Values.Add(compare.Value);
                }

                break;
            case Filter.Linked linked:
                key.Append('~');
                Term(linked.Path);
                key.Append('(');
                Add(linked.Where, depth + 1);
                key.Append(')');
                break;
            case Filter.Related related:
                key.Append('<');
                Part(related.Entity, related.Entity);
                Term(related.Lookup);
                key.Append('(');
                Add(related.Where, depth + 1);
                key.Append(')');
                break;
            case Filter.In list:
                Term(list.Path);
                var values = list.Values.IsDefault ? [] : list.Values;
                Require(values.Length <= QueryLimits.MaxListValues, "TooManyValues", QueryLimits.MaxListValues);
                key.Append(values.Any(v => v is null or "") ? "i0" : "i1");
                Values.Add(values.Where(v => v is not (null or "")).Select(v => v!).ToList());
                break;
            default:
                throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}.");
        }
    }

    private void Group(char kind, ImmutableArray<Filter> filters, int depth)
    {
        key.Append(kind).Append('(');
        foreach (var filter in filters.IsDefault ? [] : filters)
        {
            Add(filter ?? throw new QueryException(ErrorCodes.BadRequest, Texts.Of("EmptyFilter")), depth + 1);
        }

        key.Append(')');
    }

    private void Term(string path)
    {
        Require(++terms <= QueryLimits.MaxTerms, "TooManyTerms", QueryLimits.MaxTerms);
        Part(path, path);
    }

    private void Words(string? search, SearchMode mode)
    {
        var words = WordsOf(search);
        Require((search?.Length ?? 0) <= QueryLimits.MaxSearchLength && words.Length <= QueryLimits.MaxSearchWords, "SearchTooLong", QueryLimits.MaxSearchWords, QueryLimits.MaxSearchLength);
        Require(words.All(w => SingleTextType.IsUnicode(w) && !w.Contains('\0', StringComparison.Ordinal)), "SearchCharacters");
        key.Append(CultureInfo.InvariantCulture, $"w{words.Length}");
        Values.AddRange(words);
        if (IsPhone(search))
        {
            key.Append('p');
            Values.Add(search!);
        }

        if (mode != SearchMode.Sorted)
        {
            key.Append(CultureInfo.InvariantCulture, $"m{(int)mode}");
            Values.Add(string.Join(' ', words));
        }
    }

    private void Paths(char kind, ImmutableArray<string> paths, int limit)
    {
        key.Append(kind);
        foreach (var path in paths.IsDefault ? [] : paths)
        {
            Part(path, path);
        }

        Require(paths.IsDefault || paths.Length <= limit, "TooManyPaths", limit);
    }

    /// <summary>A name in the key. Names hold only letters, digits and _, so that the signs between them cannot be forged.</summary>
    private void Part(string name, string target)
    {
        if (string.IsNullOrEmpty(name) || name.Length > 200 || name.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '_' or '.')))
        {
            var shown = name is null ? "" : name.Length > 64 ? name[..64] + "…" : name;
            throw new QueryException(ErrorCodes.UnknownField, Texts.Of("BadName", shown), target);
        }

        key.Append(name).Append(';');
    }

    private static void Require(bool holds, string text, params ReadOnlySpan<object?> arguments)
    {
        if (!holds)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of(text, arguments));
        }
    }
}
