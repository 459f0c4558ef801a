using Microsoft.OData;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>The query options of one request, read strictly: an option that is not understood is refused, because ignoring it gives wrong data.</summary>
internal sealed class QueryOptions
{
    /// <summary>Longest query string, in characters.</summary>
    public const int MaxLength = 8192;

    /// <summary>How deep $expand may be nested.</summary>
    public const int MaxExpandDepth = 3;

    /// <summary>Most entries of $expand, those inside others included.</summary>
    public const int MaxExpansions = 20;

    private static readonly string[] Parsed = ["$filter", "$orderby", "$select", "$expand", "$apply"];

    private readonly Dictionary<string, string> given;
    private readonly ODataQueryOptionParser expressions;

    private QueryOptions(Dictionary<string, string> given, ODataQueryOptionParser expressions)
    {
        this.given = given;
        this.expressions = expressions;
    }

    /// <summary>Options in the order they came, names with <c>$</c>.</summary>
    public IReadOnlyDictionary<string, string> All => given;

    public string? this[string name] => given.GetValueOrDefault(name);

    /// <summary>Reads the options; an answer of 400 for one that is not allowed here.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The model.</param>
    /// <param name="set">The set that is read.</param>
    /// <param name="allowed">Names with <c>$</c>.</param>
    public static QueryOptions Read(HttpRequest request, ODataModel model, ODataSet set, params ReadOnlySpan<string> allowed)
    {
        if (request.QueryString.Value is { Length: > MaxLength } all)
        {
            throw new ApiException(new ApiError(
                StatusCodes.Status414UriTooLong, Sdk.ErrorCodes.BadRequest, $"The query is {all.Length} characters long; at most {MaxLength} are read."));
        }

        var values = new Dictionary<string, string>();
        foreach (var (name, text) in request.Query)
        {
            // OData 4.01 lets clients leave the $ away.
            var option = name is ['$', ..] ? name : "$" + name;
            if (!allowed.Contains(option))
            {
                throw new ApiException(ApiError.BadRequest($"The query option '{name}' is not understood here. Possible: {string.Join(", ", allowed!)}.", name));
            }

            if (string.IsNullOrWhiteSpace(text))
            {
                throw new ApiException(ApiError.BadRequest($"The query option '{name}' is empty.", name));
            }

            if (text.Count != 1 || !values.TryAdd(option, text[0] ?? ""))
            {
                throw new ApiException(ApiError.BadRequest($"The query option '{name}' is given more than once.", name));
            }
        }

        return Of(model, set, values);
    }

    /// <summary>Reads a filter that does not stand in an address; an answer of 400 when it cannot be read.</summary>
    public static Sdk.Filter FilterOf(ODataModel model, ODataSet set, string filter, TimeProvider time) =>
        new FilterTranslator(set, time).Translate(Of(model, set, new Dictionary<string, string> { ["$filter"] = filter }).Filter()!.Expression);

    public FilterClause? Filter() => Parse("$filter", p => p.ParseFilter());

    public OrderByClause? OrderBy() => Parse("$orderby", p => p.ParseOrderBy());

    public SelectExpandClause? SelectExpand() => given.ContainsKey("$expand") ? Parse("$expand", p => p.ParseSelectAndExpand()) : Parse("$select", p => p.ParseSelectAndExpand());

    public Microsoft.OData.UriParser.Aggregation.ApplyClause? Apply() => Parse("$apply", p => p.ParseApply());

    /// <summary>A whole number of at least zero.</summary>
    public int? Number(string name)
    {
        if (this[name] is not { } text)
        {
            return null;
        }

        return int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ApiException(ApiError.BadRequest($"{name} must be a whole number of at least 0.", name));
    }

    public bool Count() => this["$count"] switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw new ApiException(ApiError.BadRequest("$count must be true or false.", "$count")),
    };

    private static QueryOptions Of(ODataModel model, ODataSet set, Dictionary<string, string> values)
    {
        var parsed = values.Where(v => Parsed.Contains(v.Key)).ToDictionary();
        Functions.Register();
        var parser = new ODataQueryOptionParser(model.Edm, set.Type, set.EdmSet, parsed);
        parser.Settings.MaximumExpansionDepth = MaxExpandDepth;
        parser.Settings.MaximumExpansionCount = MaxExpansions;
        return new QueryOptions(values, parser);
    }

    private T? Parse<T>(string name, Func<ODataQueryOptionParser, T> parse)
        where T : class
    {
        if (!given.ContainsKey(name))
        {
            return null;
        }

        try
        {
            return parse(expressions);
        }
        catch (Exception exception) when (exception is not (OutOfMemoryException or ApiException))
        {
            // The parser's own message names the position or the name at fault. Some mistakes of clients it meets with exceptions of programmers,
            // even null references; parsing changes nothing, so that all of them mean a query that cannot be read.
            throw new ApiException(ApiError.BadRequest($"{name} cannot be read: {(exception is ODataException ? exception.Message : "it makes no sense.")}", name));
        }
    }
}
