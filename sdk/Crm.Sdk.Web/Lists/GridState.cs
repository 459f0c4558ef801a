using System.Collections.Immutable;
using System.Globalization;

namespace Crm.Sdk.Web;

/// <summary>What a list shows. Kept in the address of the page, so that going back and sharing a link work.</summary>
public sealed record GridState
{
    /// <summary>Rows of a page when nothing else is said.</summary>
    public const int DefaultPageSize = 50;

    /// <summary>Rows a page may have.</summary>
    public static ImmutableArray<int> PageSizes { get; } = [25, 50, 100, 200];

    /// <summary>Name of the view; null for the entity's first.</summary>
    public string? View { get; init; }

    /// <summary>Words to be found.</summary>
    public string Search { get; init; } = "";

    /// <summary>Which of the view's records are shown (advanced find); null for all. The page that keeps the address writes it there.</summary>
    public Filter? Find { get; init; }

    /// <summary>Order chosen by the user; empty for the view's.</summary>
    public ImmutableArray<Sort> Sort { get; init; } = [];

    /// <summary>Page, from 1.</summary>
    public int Page { get; init; } = 1;

    /// <summary>Rows of a page.</summary>
    public int PageSize { get; init; } = DefaultPageSize;

    /// <summary>Reads a state from the parts of an address; what makes no sense is left out.</summary>
    public static GridState Read(string? view, string? search, string? sort, int? page, int? size) => new()
    {
        View = string.IsNullOrEmpty(view) ? null : view,
        Search = search is null ? "" : search[..Math.Min(search.Length, 200)],
        Sort = [.. (sort ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Take(5).Select(s => s[0] == '-' ? new Sort(s[1..], Descending: true) : new Sort(s)).Where(s => s.Path.Length > 0)],
        Page = Math.Max(1, page ?? 1),
        PageSize = size is { } given && PageSizes.Contains(given) ? given : DefaultPageSize,
    };

    /// <summary>The state as the query part of an address; null stands for a part that is left out.</summary>
    public IReadOnlyDictionary<string, object?> Write() => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["view"] = View,
        ["search"] = Search.Length == 0 ? null : Search,
        ["sort"] = Sort.IsEmpty ? null : string.Join(',', Sort.Select(s => (s.Descending ? "-" : "") + s.Path)),
        ["page"] = Page == 1 ? null : Page.ToString(CultureInfo.InvariantCulture),
        ["size"] = PageSize == DefaultPageSize ? null : PageSize.ToString(CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    public bool Equals(GridState? other) =>
        other is not null && (View, Search, Page, PageSize) == (other.View, other.Search, other.Page, other.PageSize) && Equals(Find, other.Find) && Sort.SequenceEqual(other.Sort);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(View, Search, Page, PageSize);

    /// <summary>The state after a heading was pressed: ascending, descending, the view's order again.</summary>
    /// <param name="path">What the column sorts by.</param>
    /// <param name="effective">The order in force.</param>
    /// <param name="further">Keeps the other columns of the order (PLT-24).</param>
    public GridState SortedBy(string path, ImmutableArray<Sort> effective, bool further)
    {
        var at = effective.FirstOrDefault(s => s.Path == path);
        var next = at switch { null => new Sort(path), { Descending: false } => new Sort(path, Descending: true), _ => null };
        var others = further ? effective.RemoveAll(s => s.Path == path) : [];
        var place = further && at is not null ? effective.IndexOf(at) : others.Length;
        return this with { Page = 1, Sort = next is null ? others : others.Insert(place, next) };
    }
}
