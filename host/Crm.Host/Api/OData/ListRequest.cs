using System.Collections.Immutable;
using System.Globalization;
using System.Text;
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
    private readonly string path;

    private ListRequest(QueryOptions given, string path) => (this.given, this.path) = (given, path);

    public required RecordQuery Query { get; init; }

    public required Projection Projection { get; set; }

    /// <summary>Behind <c>#</c> in the context URL.</summary>
    public required string Context { get; init; }

    /// <summary>Rows the client still wants, this page included; null for all.</summary>
    public int? Wanted { get; init; }

    /// <summary>Whether links are read, so that versions are those of the links.</summary>
    public bool IsLinked { get; init; }

    /// <summary>Reads a request for the records of a set.</summary>
    public static ListRequest Read(HttpRequest request, ODataModel model, ODataSet set, TimeProvider time)
    {
        var options = QueryOptions.Read(request, model, set, Listing);
        var (projection, select, context) = Shape(set, options, time);
        var filter = options.Filter() is { } given ? new FilterTranslator(set, time).Translate(given.Expression) : null;
        return Read(request, options, set.Entity.SetName, projection, context, new RecordQuery { Entity = set.Entity.Name, Select = select, Filter = filter, Sort = Order(set, options.OrderBy()) });
    }

    /// <summary>Reads a request for the records that belong to one.</summary>
    public static ListRequest Read(HttpRequest request, ODataModel model, CollectionNavigation navigation, Guid id, TimeProvider time)
    {
        var options = QueryOptions.Read(request, model, navigation.Set, Listing);
        var parts = new List<string>();
        var items = new ShapeReader(time).Items(navigation, options.SelectExpand(), ExpandText.Read(options["$expand"]), parts);
        if (navigation.IsLinked && options["$search"] is not null)
        {
            throw Unsupported.Expression("$search cannot be used on linked records", "$search");
        }

        return Read(request, options, $"{navigation.Owner.Entity.SetName}({id})/{navigation.Name}", items, Fragment(navigation.Set, parts), new RecordQuery
        {
            Entity = navigation.Asked.Name,
            Select = [.. items.Paths.Append("id").Distinct()],
            Filter = navigation.Where(options.Filter(), time, Filter.Equal(navigation.By, id)),
            Sort = Order(navigation.Set, options.OrderBy(), navigation.Prefix),
        }, navigation.IsLinked);
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
    public static (Projection Projection, ImmutableArray<string> Select, string Context) Shape(ODataSet set, QueryOptions options, TimeProvider time)
    {
        if (options.SelectExpand() is not { } clause)
        {
            return (set.All, [], set.Entity.SetName);
        }

        var parts = new List<string>();
        var projection = new ShapeReader(time).Read(set, clause, ExpandText.Read(options["$expand"]), "", parts);
        return (projection, [.. projection.Paths], Fragment(set, parts));
    }

    /// <summary>Where the rest can be read; null when there is none.</summary>
    public string? NextLink(HttpRequest request, RecordPage page)
    {
        var left = Wanted - page.Records.Length;
        if (page.Next is null || left <= 0)
        {
            return null;
        }

        var link = new StringBuilder(Urls.Root(request)).Append('/').Append(path).Append('?');
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

    private static ListRequest Read(HttpRequest request, QueryOptions options, string path, Projection projection, string context, RecordQuery query, bool isLinked = false)
    {
        var wanted = options.Number("$top");
        var page = Math.Min(Preferences.MaxPageSize(request) ?? (wanted is null ? DefaultPage : RecordQuery.MaxTop), RecordQuery.MaxTop);
        return new ListRequest(options, path)
        {
            Query = query with
            {
                Search = Search(options["$search"]),
                Top = Math.Min(wanted ?? page, page),
                Skip = options.Number("$skip") ?? 0,
                After = options["$skiptoken"],
                Count = options.Count(),
                Estimate = Preferences.Estimate(request),
            },
            Projection = projection,
            Context = context,
            Wanted = wanted,
            IsLinked = isLinked,
        };
    }

    private static string Fragment(ODataSet set, List<string> parts) => parts.Count == 0 ? set.Entity.SetName : $"{set.Entity.SetName}({string.Join(',', parts)})";

    /// <summary>The order a query asks for.</summary>
    /// <param name="set">The set of the records.</param>
    /// <param name="clause">What the client says.</param>
    /// <param name="prefix">Path from what is read to the records, ending in a dot; empty for the records themselves.</param>
    public static ImmutableArray<Sort> Order(ODataSet set, OrderByClause? clause, string prefix = "")
    {
        var keys = ImmutableArray.CreateBuilder<Sort>();
        for (; clause is not null; clause = clause.ThenBy)
        {
            var property = Paths.TryOf(set, Paths.AnyCase(clause.Expression), prefix) ?? throw Unsupported.Expression("$orderby takes properties only", "$orderby");
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
