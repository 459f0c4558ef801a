using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Filters as JSON: <c>{"all":[…]}</c>, <c>{"any":[…]}</c>, <c>{"not":…}</c>, <c>{"path":"stage","operator":"equal","value":"won"}</c>, <c>{"path":"stage","in":["won","lost"]}</c>,
/// <c>{"linked":"contacts","where":…}</c>, <c>{"related":"opportunity","by":"company","where":…}</c>, <c>{"path":"created_at","during":"last_days","days":7}</c>, <c>{"mine":"owner"}</c>.
/// </summary>
public static class FilterJson
{
    // What an address can hold; no filter of a person is as long.
    private const int MaxText = 20_000;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Deeper filters are nobody's handiwork and would make the compiler's recursion deep.
    private const int MaxDepth = 20;

    private static readonly ImmutableDictionary<string, FilterOperator> Operators = Enum.GetValues<FilterOperator>()
        .ToImmutableDictionary(o => JsonNamingPolicy.SnakeCaseLower.ConvertName(o.ToString()), StringComparer.Ordinal);

    private static readonly ImmutableDictionary<string, Period> Periods = Enum.GetValues<Period>().ToImmutableDictionary(p => ShapeJson.Word(p), StringComparer.Ordinal);

    /// <summary>A filter as one line, for an address.</summary>
    public static string ToText(Filter filter) => Write(filter).ToJsonString(Plain);

    /// <summary>Reads what <see cref="ToText"/> wrote; null when it is none.</summary>
    public static Filter? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxText)
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            var errors = new List<PlanMessage>();
            return Read(json.RootElement, "", errors) is { } filter && errors.Count == 0 ? filter : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static JsonObject Write(Filter filter) => filter switch
    {
        Filter.All all => new JsonObject { ["all"] = new JsonArray([.. all.Filters.Select(Write)]) },
        Filter.Any any => new JsonObject { ["any"] = new JsonArray([.. any.Filters.Select(Write)]) },
        Filter.Not not => new JsonObject { ["not"] = Write(not.Filter) },
        Filter.Linked { Where: { } where } linked => new JsonObject { ["linked"] = linked.Path, ["where"] = Write(where) },
        Filter.Linked linked => new JsonObject { ["linked"] = linked.Path },
        Filter.Related { Where: { } where } related => new JsonObject { ["related"] = related.Entity, ["by"] = related.Lookup, ["where"] = Write(where) },
        Filter.Related related => new JsonObject { ["related"] = related.Entity, ["by"] = related.Lookup },
        Filter.During { Period: Period.LastDays or Period.NextDays or Period.BeforeLastDays or Period.AfterNextDays } during =>
            new JsonObject { ["path"] = during.Path, ["during"] = ShapeJson.Word(during.Period), ["days"] = during.Days },
        Filter.During during => new JsonObject { ["path"] = during.Path, ["during"] = ShapeJson.Word(during.Period) },
        Filter.Mine mine => new JsonObject { ["mine"] = mine.Path },
        Filter.In list => new JsonObject { ["path"] = list.Path, ["in"] = new JsonArray([.. list.Values.Select(ShapeJson.Value)]) },
        Filter.Compare compare => new JsonObject
        {
            ["path"] = compare.Path,
            ["operator"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(compare.Operator.ToString()),
            ["value"] = ShapeJson.Value(compare.Value),
        },
        _ => throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}."),
    };

    internal static Filter? Read(JsonElement element, string path, List<PlanMessage> errors, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            errors.Add(new PlanMessage(PlanCodes.Limit, MetadataTexts.Of("FilterDepth", MaxDepth), path));
            return null;
        }

        using var json = new JsonInput(element, path, errors);
        if (json.Has("all") || json.Has("any"))
        {
            var name = json.Has("all") ? "all" : "any";
            var parts = ImmutableArray.CreateBuilder<Filter>();
            foreach (var (item, at) in json.Items(name))
            {
                if (Read(item, at, errors, depth + 1) is { } part)
                {
                    parts.Add(part);
                }
            }

            return name == "all" ? new Filter.All(parts.ToImmutable()) : new Filter.Any(parts.ToImmutable());
        }

        if (json.Has("not"))
        {
            return json.RequiredElement("not") is { } inner && Read(inner, json.At("not"), errors, depth + 1) is { } negated ? new Filter.Not(negated) : null;
        }

        if (json.Has("linked"))
        {
            return new Filter.Linked(json.RequiredText("linked"), json.Element("where") is { } about ? Read(about, json.At("where"), errors, depth + 1) : null);
        }

        if (json.Has("related"))
        {
            return new Filter.Related(json.RequiredText("related"), json.RequiredText("by"), json.Element("where") is { } about ? Read(about, json.At("where"), errors, depth + 1) : null);
        }

        if (json.Has("mine"))
        {
            return new Filter.Mine(json.RequiredText("mine"));
        }

        var field = json.RequiredText("path");
        if (json.Text("during") is { } during)
        {
            if (!Periods.TryGetValue(during, out var period))
            {
                json.Error(ErrorCodes.Unknown, "during", MetadataTexts.Of("UnknownPeriod", during, string.Join(", ", Periods.Keys.Order(StringComparer.Ordinal))));
            }

            return new Filter.During(field, period, json.Integer("days") ?? 1);
        }

        if (json.Has("in"))
        {
            if (json.Value("in") is object?[] values)
            {
                return new Filter.In(field, [.. values]);
            }

            json.Error(ErrorCodes.BadRequest, "in", MetadataTexts.Of("JsonArray", "in"));
            return null;
        }

        var word = json.Text("operator") ?? "equal";
        if (!Operators.TryGetValue(word, out var comparison))
        {
            json.Error(ErrorCodes.Unknown, "operator", MetadataTexts.Of("UnknownOperator", word, string.Join(", ", Operators.Keys.Order(StringComparer.Ordinal))));
        }

        return new Filter.Compare(field, comparison, json.Value("value"));
    }
}
