using System.Collections.Immutable;
using System.Text.Json;
using Crm.Records;
using Crm.Sdk;
using Microsoft.OData.UriParser.Aggregation;

namespace Crm.Host.Api.OData;

/// <summary>Answers <c>$apply</c>: an optional filter, then groups and aggregates.</summary>
internal sealed class Aggregation
{
    /// <summary>Options that go with <c>$apply</c>.</summary>
    public static readonly ImmutableArray<string> Options = ["$apply", "$orderby", "$top", "$skip", "$count", "$format"];

    private readonly ODataSet set;
    private readonly ImmutableArray<string>.Builder groups = ImmutableArray.CreateBuilder<string>();
    private readonly ImmutableArray<Sdk.Aggregate>.Builder aggregates = ImmutableArray.CreateBuilder<Sdk.Aggregate>();

    // Names of the result as the client sees them ("company/name"), by the key of the row ("company.name").
    private readonly Dictionary<string, string> names = [];
    private Filter? filter;

    private Aggregation(ODataSet set) => this.set = set;

    public static async Task HandleAsync(HttpContext context, ODataModel model, ODataSet set)
    {
        var options = QueryOptions.Read(context.Request, model, set, Options.AsSpan());
        var aggregation = Read(set, options, context.RequestServices.GetRequiredService<TimeProvider>());
        var rows = await context.RequestServices.GetRequiredService<IRecordService>().AggregateAsync(aggregation.Query, context.RequestAborted);
        var page = aggregation.Order(rows, options["$orderby"]).Skip(options.Number("$skip") ?? 0).Take(options.Number("$top") ?? int.MaxValue);
        await aggregation.WriteAsync(context, page, options.Count() ? rows.Length : null);
    }

    /// <summary>What <c>$apply</c> asks for.</summary>
    public AggregateQuery Query => new() { Entity = set.Entity.Name, GroupBy = groups.ToImmutable(), Aggregates = aggregates.ToImmutable(), Filter = filter };

    public static Aggregation Read(ODataSet set, QueryOptions options, TimeProvider time)
    {
        var aggregation = new Aggregation(set);
        aggregation.Read(options.Apply() ?? throw new ApiException(ApiError.BadRequest("$apply is empty.", "$apply")), time);
        return aggregation;
    }

    private void Read(ApplyClause apply, TimeProvider time)
    {
        foreach (var (index, step) in apply.Transformations.Index())
        {
            var last = index == apply.Transformations.Count() - 1;
            switch (step)
            {
                case FilterTransformationNode condition when !last:
                    var next = new FilterTranslator(set, time).Translate(condition.FilterClause.Expression);
                    filter = filter is null ? next : Filter.AllOf(filter, next);
                    break;
                case GroupByTransformationNode group when last:
                    Group(group.GroupingProperties, "");
                    if (group.ChildTransformations is AggregateTransformationNode inner)
                    {
                        Aggregate(inner);
                    }
                    else if (group.ChildTransformations is not null)
                    {
                        throw Unsupported.Expression("groupby takes aggregate(…) only", "$apply");
                    }

                    break;
                case AggregateTransformationNode aggregate when last:
                    Aggregate(aggregate);
                    break;
                default:
                    throw Unsupported.Expression("$apply can be filter(…)/groupby((…),aggregate(…)), each part but the last being filter(…)", "$apply");
            }
        }
    }

    private void Group(IEnumerable<GroupByPropertyNode> nodes, string prefix)
    {
        foreach (var node in nodes)
        {
            if (node.Expression is null)
            {
                Group(node.ChildTransformations, prefix + node.Name + "/");
                continue;
            }

            var property = Paths.Of(set, node.Expression);
            groups.Add(property.Path);
            AddName(property.Path, prefix + node.Name);
        }
    }

    private void Aggregate(AggregateTransformationNode node)
    {
        foreach (var expression in node.AggregateExpressions)
        {
            if (expression is not AggregateExpression aggregate)
            {
                throw Unsupported.Expression("aggregate takes properties of the records only", "$apply");
            }

            var method = aggregate.Method switch
            {
                AggregationMethod.Sum => AggregateFunction.Sum,
                AggregationMethod.Min => AggregateFunction.Min,
                AggregationMethod.Max => AggregateFunction.Max,
                AggregationMethod.Average => AggregateFunction.Average,
                AggregationMethod.CountDistinct => AggregateFunction.CountDistinct,
                AggregationMethod.VirtualPropertyCount => AggregateFunction.Count,
                _ => throw Unsupported.Expression($"The aggregate method {aggregate.MethodDefinition?.MethodLabel} cannot be used", "$apply"),
            };
            aggregates.Add(new Sdk.Aggregate(method, method == AggregateFunction.Count ? null : Paths.Of(set, aggregate.Expression).Path, aggregate.Alias));
            AddName(aggregate.Alias, aggregate.Alias);
        }
    }

    private void AddName(string key, string name)
    {
        if (!names.TryAdd(key, name))
        {
            throw new ApiException(ApiError.BadRequest($"$apply names '{name}' twice.", name));
        }
    }

    // There are as many rows as groups: few enough to be put in order here, by names only the result has.
    private IEnumerable<AggregateRow> Order(ImmutableArray<AggregateRow> rows, string? order)
    {
        if (order is null)
        {
            return rows;
        }

        IOrderedEnumerable<AggregateRow>? ordered = null;
        foreach (var part in order.Split(',', StringSplitOptions.TrimEntries))
        {
            var words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var key = words.Length is 1 or 2 ? names.FirstOrDefault(n => n.Value == words[0]).Key : null;
            if (key is null || (words.Length == 2 && words[1] is not ("asc" or "desc")))
            {
                throw new ApiException(ApiError.BadRequest($"$orderby with $apply takes names of the result: {string.Join(", ", names.Values)}.", "$orderby"));
            }

            var missing = (AggregateRow row) => row.Values.GetValueOrDefault(key) is null;
            var value = (AggregateRow row) => row.Values.GetValueOrDefault(key);
            ordered = ordered is null ? rows.OrderBy(missing) : ordered.ThenBy(missing);
            ordered = words is [_, "desc"] ? ordered.ThenByDescending(value, Comparer<object?>.Default) : ordered.ThenBy(value, Comparer<object?>.Default);
        }

        return ordered!;
    }

    private async Task WriteAsync(HttpContext context, IEnumerable<AggregateRow> rows, int? count)
    {
        context.Response.ContentType = ODataResponse.ContentType;
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, Errors.Unescaped))
        {
            json.WriteStartObject();
            json.WriteString("@odata.context", $"{Urls.Root(context.Request)}/$metadata#{set.Entity.SetName}({string.Join(',', Fragment(names.Values, 0))})");
            if (count is not null)
            {
                json.WriteNumber("@odata.count", count.Value);
            }

            json.WriteStartArray("value");
            var columns = names.Select(n => (n.Key, Path: n.Value.Split('/'))).ToImmutableArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                Write(json, row, columns, 0);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static IEnumerable<string> Fragment(IEnumerable<string> paths, int depth) => paths
        .GroupBy(p => p.Split('/')[depth])
        .Select(g => g.All(p => p.Split('/').Length == depth + 1) ? g.Key : $"{g.Key}({string.Join(',', Fragment(g, depth + 1))})");

    private static void Write(Utf8JsonWriter json, AggregateRow row, IEnumerable<(string Key, string[] Path)> columns, int depth)
    {
        foreach (var group in columns.GroupBy(c => c.Path[depth]))
        {
            json.WritePropertyName(group.Key);
            var first = group.First();
            if (first.Path.Length == depth + 1)
            {
                ValueJson.Write(json, row.Values.GetValueOrDefault(first.Key));
            }
            else
            {
                json.WriteStartObject();
                Write(json, row, group, depth + 1);
                json.WriteEndObject();
            }
        }
    }
}
