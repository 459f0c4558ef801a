using System.Text.Json;

namespace Crm.Host.Api.OData;

/// <summary>Several requests in one, as JSON. Requests of one atomicity group are saved together or not at all.</summary>
internal static class Batch
{
    /// <summary>Most requests of one batch.</summary>
    public const int MaxRequests = 200;

    public static async Task HandleAsync(HttpContext context, ODataModel model)
    {
        using var document = await RecordBody.ParseAsync(context.Request);
        var items = Read(document.RootElement, context.Request);
        var made = new Dictionary<string, string>();
        var answers = new List<BatchAnswer>();
        var onError = context.Request.Headers["Prefer"].ToString().Contains("continue-on-error", StringComparison.OrdinalIgnoreCase);
        for (var next = 0; next < items.Count;)
        {
            var group = items[next].Group is { } name ? items.Skip(next).TakeWhile(i => i.Group == name).ToList() : [items[next]];
            next += group.Count;
            var done = group[0].Group is null ? [await SingleAsync(context, model, group[0], made)] : await BatchGroup.SaveAsync(context, model, group, made);
            answers.AddRange(done);
            if (!onError && done.Any(a => a.Status >= 400))
            {
                break;
            }
        }

        await WriteAsync(context, answers);
    }

    private static List<BatchItem> Read(JsonElement root, HttpRequest request)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("requests", out var requests) || requests.ValueKind != JsonValueKind.Array)
        {
            throw new ApiException(ApiError.BadRequest("A batch must be an object with an array 'requests'.", "requests"));
        }

        if (requests.GetArrayLength() > MaxRequests)
        {
            throw new ApiException(ApiError.BadRequest($"A batch may hold {MaxRequests} requests; this one holds {requests.GetArrayLength()}.", "requests"));
        }

        var items = requests.EnumerateArray().Select(r => BatchItem.Read(r, request)).ToList();
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

        return items;
    }

    private static async Task<BatchAnswer> SingleAsync(HttpContext outer, ODataModel model, BatchItem item, Dictionary<string, string> made)
    {
        using var body = new MemoryStream();
        var inner = new DefaultHttpContext { RequestServices = outer.RequestServices, User = outer.User, RequestAborted = outer.RequestAborted, TraceIdentifier = outer.TraceIdentifier };
        var (path, query) = item.Resolve(made);
        var (request, response) = (inner.Request, inner.Response);
        (request.Method, request.Scheme, request.Host, request.PathBase) = (item.Method, outer.Request.Scheme, outer.Request.Host, outer.Request.PathBase);
        request.Path = new PathString(Urls.Path + "/" + path);
        request.QueryString = new QueryString(query);
        foreach (var (name, value) in item.Headers)
        {
            request.Headers[name] = value;
        }

        if (item.Body is { } json)
        {
            request.ContentType ??= "application/json";
            request.Body = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(BatchGroup.WithReferences(json, made)));
        }

        response.Body = body;
        var logger = outer.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Batch));
        await ErrorMiddleware.GuardAsync(inner, c => path == "$batch" ? throw new ApiException(ApiError.BadRequest("A batch cannot hold a batch.")) : ODataEndpoints.DispatchAsync(c, path, model), logger);
        await response.BodyWriter.FlushAsync(outer.RequestAborted);
        if (response.Headers.Location.ToString() is { Length: > 0 } location)
        {
            made[item.Id] = location;
        }

        return new BatchAnswer(item.Id, null, response.StatusCode, response.Headers, body.ToArray());
    }

    private static async Task WriteAsync(HttpContext context, List<BatchAnswer> answers)
    {
        context.Response.ContentType = ODataResponse.ContentType;
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, Errors.Unescaped))
        {
            json.WriteStartObject();
            json.WriteStartArray("responses");
            foreach (var answer in answers)
            {
                answer.Write(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}

/// <summary>One request of a batch.</summary>
/// <param name="Id">Given by the client, to tell the answers apart.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Url">As the client wrote it.</param>
/// <param name="Group">Its atomicity group.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Body">Its body.</param>
/// <param name="Root">The service root.</param>
internal sealed record BatchItem(string Id, string Method, string Url, string? Group, IReadOnlyDictionary<string, string> Headers, JsonElement? Body, string Root)
{
    public static BatchItem Read(JsonElement json, HttpRequest request)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new ApiException(ApiError.BadRequest("Each request of a batch must be an object.", "requests"));
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (json.TryGetProperty("headers", out var given) && given.ValueKind == JsonValueKind.Object)
        {
            foreach (var header in given.EnumerateObject())
            {
                headers[header.Name] = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString()! : header.Value.GetRawText();
            }
        }

        return new BatchItem(
            Text(json, "id") ?? throw Missing("id"),
            (Text(json, "method") ?? throw Missing("method")).ToUpperInvariant(),
            Text(json, "url") ?? throw Missing("url"),
            Text(json, "atomicityGroup"),
            headers,
            json.TryGetProperty("body", out var body) && body.ValueKind != JsonValueKind.Null ? body : null,
            Urls.Root(request));
    }

    /// <summary>Path behind the service root and query of the request, with a reference to an earlier request followed.</summary>
    public (string Path, string Query) Resolve(IReadOnlyDictionary<string, string> made)
    {
        var url = Url;
        if (url is ['$', .. var reference] && reference.Split(['/', '?'])[0] is var id && made.TryGetValue(id, out var location))
        {
            url = location + reference[id.Length..];
        }

        url = Behind(url, Root + "/") ?? Behind(url, new Uri(Root).AbsolutePath + "/") ?? url;
        var end = url.IndexOf('?', StringComparison.Ordinal);
        return end < 0 ? (Uri.UnescapeDataString(url), "") : (Uri.UnescapeDataString(url[..end]), url[end..]);
    }

    private static string? Behind(string url, string root) => url.StartsWith(root, StringComparison.OrdinalIgnoreCase) ? url[root.Length..] : null;

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.Null => null,
        _ => throw new ApiException(ApiError.BadRequest($"'{name}' of a request must be a text.", name)),
    } : null;

    private static ApiException Missing(string name) => new(ApiError.BadRequest($"A request of the batch has no '{name}'.", name));
}

/// <summary>The answer to one request of a batch.</summary>
/// <param name="Id">Of the request.</param>
/// <param name="Group">Its atomicity group.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Headers">Headers of the answer.</param>
/// <param name="Body">Body of the answer; empty for none.</param>
internal sealed record BatchAnswer(string Id, string? Group, int Status, IHeaderDictionary Headers, ReadOnlyMemory<byte> Body)
{
    private static readonly string[] Told = ["ETag", "Location", "Content-Type", "OData-Version", "OData-EntityId", "Preference-Applied", "Allow"];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", Id);
        if (Group is not null)
        {
            json.WriteString("atomicityGroup", Group);
        }

        json.WriteNumber("status", Status);
        json.WriteStartObject("headers");
        foreach (var name in Told.Where(Headers.ContainsKey))
        {
            json.WriteString(name.ToLowerInvariant(), Headers[name].ToString());
        }

        json.WriteEndObject();
        if (!Body.IsEmpty)
        {
            json.WritePropertyName("body");
            if (Headers.ContentType.ToString().StartsWith("application/json", StringComparison.Ordinal))
            {
                json.WriteRawValue(Body.Span, skipInputValidation: true);
            }
            else
            {
                json.WriteStringValue(Body.Span);
            }
        }

        json.WriteEndObject();
    }
}
