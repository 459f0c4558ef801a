using Crm.Host.Security;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>The service below <c>/odata/v4</c>: finds what a path names and hands over.</summary>
internal static class ODataEndpoints
{
    public static void MapOData(this IEndpointRouteBuilder routes) =>
        routes.Map(Urls.Path + "/{**path}", (RequestDelegate)HandleAsync).RequireAuthorization().OpenToNarrowedKeys().WithDisplayName("OData " + Urls.Path);

    private static Task HandleAsync(HttpContext context) =>
        DispatchAsync(context, context.Request.RouteValues["path"] as string ?? "", context.RequestServices.GetRequiredService<ODataModels>().Current);

    /// <summary>Answers one request; the parts of a batch come here too.</summary>
    /// <param name="context">The request.</param>
    /// <param name="path">Behind the service root, decoded.</param>
    /// <param name="model">The model the whole request works with.</param>
    public static Task DispatchAsync(HttpContext context, string path, ODataModel model)
    {
        var version = ResponseVersion(context.Request);
        context.Response.Headers["OData-Version"] = version;
        var segments = path.TrimEnd('/').Split('/');
        var method = context.Request.Method;
        switch (segments)
        {
            case [""]:
                return Is(method, "GET") ? ServiceDocument.WriteAsync(context, model) : throw NotAllowed(context, "GET");
            case ["$metadata"]:
                return Is(method, "GET") ? MetadataDocument.WriteAsync(context, model) : throw NotAllowed(context, "GET");
            case ["$batch"]:
                return Is(method, "POST") ? Batch.HandleAsync(context, model) : throw NotAllowed(context, "POST");
            case [var name] when !name.EndsWith(')'):
                return Set(context, model, model.Set(name), method);
            case [var name, "$count"]:
                return Is(method, "GET") ? RecordReads.CountAsync(context, model, model.Set(name)) : throw NotAllowed(context, "GET");
            case [.. var record, var field, "$ref"] when record.Length is 1 or 2 && Urls.Reference(string.Join('/', record)) is var (name, id):
                return LinkReferences.HandleAsync(context, model, model.Set(name), id, field);
            case [_] or [_, _] when Urls.Reference(path) is var (name, id):
                return One(context, model, model.Set(name), id, method);
            case [.. var record, var navigation] when record.Length is 1 or 2 && Urls.Reference(string.Join('/', record)) is var (name, id):
                return Is(method, "GET") ? RecordReads.RelatedAsync(context, model, model.Set(name), id, navigation) : throw NotAllowed(context, "GET");
            case [var name] when name.IndexOf('(', StringComparison.Ordinal) is > 0 and var open:
                model.Set(name[..open]);
                throw new ApiException(ApiError.NotFound($"'{name[(open + 1)..^1]}' is no id; ids look like {Guid.Empty}.", "id"));
            case [var name, var key]:
                model.Set(name);
                throw new ApiException(ApiError.NotFound($"'{key}' is no id; ids look like {Guid.Empty}.", "id"));
            default:
                throw new ApiException(ApiError.NotFound($"There is nothing at {Urls.Path}/{path}."));
        }
    }

    private static Task Set(HttpContext context, ODataModel model, ODataSet set, string method) => method switch
    {
        _ when Is(method, "GET") => RecordReads.ListAsync(context, model, set),
        _ when Is(method, "POST") => RecordWrites.CreateAsync(context, model, set),
        _ => throw NotAllowed(context, "GET, POST"),
    };

    private static Task One(HttpContext context, ODataModel model, ODataSet set, Guid id, string method) => method switch
    {
        _ when Is(method, "GET") => RecordReads.OneAsync(context, model, set, id),
        _ when Is(method, "PATCH") => RecordWrites.UpdateAsync(context, model, set, id),
        _ when Is(method, "DELETE") => RecordWrites.DeleteAsync(context, model, set, id),
        _ when Is(method, "PUT") => throw NotAllowed(context, "GET, PATCH, DELETE", "PUT would empty every property it does not name. Send PATCH with the properties to change."),
        _ => throw NotAllowed(context, "GET, PATCH, DELETE"),
    };

    private static bool Is(string method, string other) => string.Equals(method, other, StringComparison.OrdinalIgnoreCase);

    private static ApiException NotAllowed(HttpContext context, string allowed, string? message = null)
    {
        context.Response.Headers.Allow = allowed;
        return new ApiException(new ApiError(
            StatusCodes.Status405MethodNotAllowed, ErrorCodes.BadRequest, message ?? $"{context.Request.Method} is not possible here. Possible: {allowed}."));
    }

    // A client says the highest version it understands; what it sends must be of a version this service understands.
    private static string ResponseVersion(HttpRequest request)
    {
        if (request.Headers.TryGetValue("OData-Version", out var sent) && sent.ToString() is not ("4.0" or "4.01"))
        {
            throw new ApiException(ApiError.BadRequest($"OData version '{sent}' is not understood; this service speaks 4.0 and 4.01.", "OData-Version"));
        }

        return request.Headers.TryGetValue("OData-MaxVersion", out var highest) ? highest.ToString() switch
        {
            "4.0" => "4.0",
            "4.01" => "4.01",
            var other => throw new ApiException(ApiError.BadRequest($"OData version '{other}' is not understood; this service speaks 4.0 and 4.01.", "OData-MaxVersion")),
        } : "4.01";
    }
}
