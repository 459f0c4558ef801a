using System.Text.Json;

namespace Crm.Host.Api.OData;

/// <summary>Several requests in one, as JSON or in the older form of many parts. Requests of one atomicity group are saved together or not at all.</summary>
internal static class Batch
{
    /// <summary>Most requests of one batch.</summary>
    public const int MaxRequests = 200;

    public static async Task HandleAsync(HttpContext context, ODataModel model)
    {
        var boundary = MultipartBatch.Boundary(context.Request);
        var items = boundary is null ? await ReadAsync(context.Request) : await MultipartBatch.ReadAsync(context.Request, boundary);
        Check(items);
        BatchWriter writer = boundary is null ? new JsonBatchWriter(context.Response) : new MultipartBatchWriter(context.Response);
        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Batch));
        var made = new Dictionary<string, string>();
        var onError = context.Request.Headers["Prefer"].ToString().Contains("continue-on-error", StringComparison.OrdinalIgnoreCase);
        for (var next = 0; next < items.Count;)
        {
            var group = items[next].Group is { } name ? items.Skip(next).TakeWhile(i => i.Group == name).ToList() : [items[next]];
            next += group.Count;
            var done = group[0].Group is null ? [await SingleAsync(context, model, group[0], made, logger)] : await BatchGroup.SaveAsync(context, model, group, made, logger);
            // Written as they come: what 200 requests answer is never in memory at once.
            await writer.WriteAsync(done, context.RequestAborted);
            if (!onError && done.Any(a => a.Status >= 400))
            {
                break;
            }
        }

        await writer.EndAsync(context.RequestAborted);
    }

    /// <summary>The refusal of a batch with too many requests.</summary>
    public static ApiException TooMany() => new(ApiError.BadRequest($"A batch may hold {MaxRequests} requests; this one holds more.", "requests"));

    private static async Task<List<BatchItem>> ReadAsync(HttpRequest request)
    {
        using var document = await RecordBody.ParseAsync(request);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("requests", out var requests) || requests.ValueKind != JsonValueKind.Array)
        {
            throw new ApiException(ApiError.BadRequest("A batch must be an object with an array 'requests'.", "requests"));
        }

        return requests.GetArrayLength() <= MaxRequests ? [.. requests.EnumerateArray().Select(r => BatchItem.Read(r, request))] : throw TooMany();
    }

    private static void Check(List<BatchItem> items)
    {
        if (items.GroupBy(i => i.Id).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
        {
            throw new ApiException(ApiError.BadRequest($"Two requests of the batch have the id '{twice.Key}'.", "id"));
        }

        for (var i = 2; i < items.Count; i++)
        {
            if (items[i].Group is { } group && items[i - 1].Group != group && items.Take(i).Any(e => e.Group == group))
            {
                throw new ApiException(ApiError.BadRequest($"The requests of the atomicity group '{group}' must stand together.", "atomicityGroup"));
            }
        }
    }

    private static async Task<BatchAnswer> SingleAsync(HttpContext outer, ODataModel model, BatchItem item, Dictionary<string, string> made, ILogger logger)
    {
        using var body = new MemoryStream();
        var inner = new DefaultHttpContext { RequestServices = outer.RequestServices, User = outer.User, RequestAborted = outer.RequestAborted, TraceIdentifier = outer.TraceIdentifier };
        var (request, response) = (inner.Request, inner.Response);
        (request.Method, request.Scheme, request.Host, request.PathBase) = (item.Method, outer.Request.Scheme, outer.Request.Host, outer.Request.PathBase);
        response.Body = body;
        await ErrorMiddleware.GuardAsync(inner, DispatchAsync, logger);
        await response.BodyWriter.FlushAsync(outer.RequestAborted);
        if (response.Headers.Location.ToString() is { Length: > 0 } location)
        {
            made[item.Id] = location;
        }

        return new BatchAnswer(item, response.StatusCode, response.Headers, body.ToArray());

        Task DispatchAsync(HttpContext context)
        {
            var (path, query) = item.Resolve(made);
            request.Path = new PathString(Urls.Path + "/" + path);
            request.QueryString = new QueryString(query);
            foreach (var (name, value) in item.Headers)
            {
                request.Headers[name] = value;
            }

            if (item.Body is { } json)
            {
                request.ContentType ??= "application/json";
                request.Body = new MemoryStream(BatchGroup.WithReferences(json, made));
            }

            return path.TrimEnd('/') == "$batch" ? throw new ApiException(ApiError.BadRequest("A batch cannot hold a batch.", "url")) : ODataEndpoints.DispatchAsync(context, path, model);
        }
    }
}
