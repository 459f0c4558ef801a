using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Crm.Sdk;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>A request for records, translated: what to ask the record service and what to write of the answer.</summary>
internal sealed class ListRequest
{
    /// <summary>Rows of a page when the client asks for no number.</summary>
    public const int DefaultPage = 100;

    private static readonly string[] Listing = ["$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count", "$search", "$skiptoken", "$format"];

    private readonly QueryOptions given;

    private ListRequest(QueryOptions given) => this.given = given;

    public required RecordQuery Query { get; init; }

    public required Projection Projection { get; set; }

    /// <summary>Behind <c>#</c> in the context URL.</summary>
    public required string Context { get; init; }

    /// <summary>Rows the client still wants, this page included; null for all.</summary>
    public int? Wanted { get; init; }

    public static ListRequest Read(HttpRequest request, ODataModel model, ODataSet set, TimeProvider time)
    {
        var options = QueryOptions.Read(request, model, set, Listing);
        var (projection, select, context) = Shape(set, options);
        var wanted = options.Number("$top");
        var page = Math.Min(Preferences.MaxPageSize(request) ?? (wanted is null ? DefaultPage : RecordQuery.MaxTop), RecordQuery.MaxTop);
        return new ListRequest(options)
        {
            Query = new RecordQuery
            {
                Entity = set.Entity.Name,
                Select = select,
                Filter = options.Filter() is { } filter ? new FilterTranslator(set, time).Translate(filter.Expression) : null,
                Search = Search(options["$search"]),
                Sort = Order(set, options.OrderBy()),
                Top = Math.Min(wanted ?? page, page),
                Skip = options.Number("$skip") ?? 0,
                After = options["$skiptoken"],
                Count = options.Count(),
            },
            Projection = projection,
            Context = context,
            Wanted = wanted,
        };
    }

    /// <summary>A query that counts only.</summary>
    public static RecordQuery Count(ODataSet set, QueryOptions options, TimeProvider time) => new()
    {
        Entity = set.Entity.Name,
        Select = ["id"],
        Filter = options.Filter() is { } filter ? new FilterTranslator(set, time).Translate(filter.Expression) : null,
        Search = Search(options["$search"]),
        Top = 1,
        Count = true,
    };

    /// <summary>What is written of one record, and what must be selected for it.</summary>
    public static (Projection Projection, ImmutableArray<string> Select, string Context) Shape(ODataSet set, QueryOptions options)
    {
        if (options.SelectExpand() is not { } clause)
        {
            return (set.All, [], set.Entity.SetName);
        }

        var parts = new List<string>();
        var own = Selected(set, clause, "", parts);
        // "Everything" is every lookup and every link; records that point here are asked for by themselves.
        var isAll = options["$expand"]?.Contains('*', StringComparison.Ordinal) == true;
        var items = clause.SelectedItems.OfType<ExpandedNavigationSelectItem>()
            .Where(i => !isAll || i.PathToNavigationProperty.FirstSegment is not NavigationPropertySegment segment || !set.Related.ContainsKey(segment.NavigationProperty.Name))
            .ToLookup(i => LinkOf(set, i) is null);
        var links = items[false].Select(item => ExpandLinks(LinkOf(set, item)!, item, parts)).ToImmutableArray();
        var expansions = items[true].Select(item => Expand(set, item, parts)).ToImmutableArray();
        if (clause.SelectedItems.OfType<ExpandedReferenceSelectItem>().Any(i => i is not ExpandedNavigationSelectItem))
        {
            throw Unsupported.Expression("$expand with $ref cannot be used", "$expand");
        }

        var projection = (own ?? set.All).With(expansions, links);
        var context = parts.Count == 0 ? set.Entity.SetName : $"{set.Entity.SetName}({string.Join(',', parts)})";
        return (projection, [.. projection.Paths], context);
    }

    /// <summary>Where the rest can be read; null when there is none.</summary>
    public string? NextLink(HttpRequest request, RecordPage page)
    {
        var left = Wanted - page.Records.Length;
        if (page.Next is null || left <= 0)
        {
            return null;
        }

        var link = new StringBuilder(Urls.Root(request)).Append('/').Append(Context.AsSpan(0, SetLength)).Append('?');
        foreach (var (name, value) in given.All)
        {
            if (name is not ("$skip" or "$skiptoken" or "$top"))
            {
                link.Append(name).Append('=').Append(Uri.EscapeDataString(value)).Append('&');
            }
        }

        if (left is { } rest)
        {
            link.Append(CultureInfo.InvariantCulture, $"$top={rest}&");
        }

        return link.Append("$skiptoken=").Append(Uri.EscapeDataString(page.Next)).ToString();
    }

    private int SetLength => Context.IndexOf('(', StringComparison.Ordinal) is >= 0 and var end ? end : Context.Length;

    private static Projection? Selected(ODataSet set, SelectExpandClause clause, string path, List<string> parts)
    {
        if (clause.AllSelected)
        {
            return null;
        }

        var properties = new List<PropertyDefinition>();
        foreach (var item in clause.SelectedItems)
        {
            switch (item)
            {
                case PathSelectItem { HasOptions: false } select when select.SelectedPath.FirstSegment is PropertySegment segment && select.SelectedPath.Count == 1:
                    if (set.Entity.TryProperty(segment.Property.Name, out var property) && !properties.Contains(property))
                    {
                        properties.Add(property);
                        parts.Add(property.Name);
                    }

                    break;
                case PathSelectItem { HasOptions: false } select when select.SelectedPath.FirstSegment is NavigationPropertySegment:
                    // Selecting a navigation property asks for its link only, which minimal metadata leaves out.
                    break;
                case ExpandedNavigationSelectItem:
                    break;
                case WildcardSelectItem:
                    return null;
                default:
                    throw Unsupported.Expression("$select can name properties only", "$select");
            }
        }

        return properties.Count == 0 ? null : Projection.Of(properties, path);
    }

    private static LinkNavigation? LinkOf(ODataSet set, ExpandedNavigationSelectItem item) =>
        item.PathToNavigationProperty is { Count: 1, FirstSegment: NavigationPropertySegment segment } ? set.Links.GetValueOrDefault(segment.NavigationProperty.Name) : null;

    private static LinkExpansion ExpandLinks(LinkNavigation navigation, ExpandedNavigationSelectItem item, List<string> parts)
    {
        CheckPlain(item);
        var prefix = navigation.Field.Link!.Far + ".";
        var inner = new List<string>();
        var content = Selected(navigation.Target, item.SelectAndExpand, prefix, inner) ?? Projection.Of(Properties(navigation.Target.Entity), prefix);
        parts.Add($"{navigation.Field.Name}({string.Join(',', inner)})");
        return new LinkExpansion(navigation, content);
    }

    private static Projection.Expansion Expand(ODataSet set, ExpandedNavigationSelectItem item, List<string> parts)
    {
        CheckPlain(item);
        if (item.PathToNavigationProperty.FirstSegment is not NavigationPropertySegment segment || item.PathToNavigationProperty.Count != 1
            || !set.Navigations.TryGetValue(segment.NavigationProperty.Name, out var navigation))
        {
            throw Unsupported.Expression("$expand follows lookups of the record itself only", "$expand");
        }

        var prefix = navigation.Field.Name + ".";
        var inner = new List<string>();
        var content = Selected(navigation.Target, item.SelectAndExpand, prefix, inner)
            ?? Projection.Of(Properties(navigation.Target.Entity), prefix);
        parts.Add($"{navigation.Name}({string.Join(',', inner)})");
        return new Projection.Expansion(JsonEncodedText.Encode(navigation.Name), prefix + "id", content);
    }

    private static void CheckPlain(ExpandedNavigationSelectItem item)
    {
        if (item.FilterOption is not null || item.OrderByOption is not null || item.TopOption is not null || item.SkipOption is not null
            || item.SearchOption is not null || item.CountOption is not null || item.LevelsOption is not null || item.ApplyOption is not null || item.ComputeOption is not null)
        {
            throw Unsupported.Expression("$expand takes $select only", "$expand");
        }
    }

    private static IEnumerable<PropertyDefinition> Properties(EntityDefinition entity) =>
        entity.Fields.Where(f => !f.IsHidden).SelectMany(f => f.Type.Columns.Select(c => new PropertyDefinition(f.Name + c.Suffix, f, c)));

    /// <summary>The order a query asks for.</summary>
    public static ImmutableArray<Sort> Order(ODataSet set, OrderByClause? clause)
    {
        var keys = ImmutableArray.CreateBuilder<Sort>();
        for (; clause is not null; clause = clause.ThenBy)
        {
            var property = Paths.TryOf(set, Paths.AnyCase(clause.Expression)) ?? throw Unsupported.Expression("$orderby takes properties only", "$orderby");
            keys.Add(new Sort(property.Path, clause.Direction == OrderByDirection.Descending));
            if (keys.Count > 8)
            {
                throw new ApiException(ApiError.BadRequest("$orderby takes at most 8 properties.", "$orderby"));
            }
        }

        return keys.DrainToImmutable();
    }

    // Words and phrases that must all be found; the record service takes plain words.
    /// <summary>The words of a search.</summary>
    public static string? Search(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return text is null ? null : throw new ApiException(ApiError.BadRequest("$search needs at least one word.", "$search"));
        }

        var words = text.Replace("\"", " ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Any(w => w is "OR" or "NOT"))
        {
            throw Unsupported.Expression("$search finds records that hold all words; OR and NOT cannot be used", "$search");
        }

        return string.Join(' ', words.Where(w => w != "AND"));
    }
}
