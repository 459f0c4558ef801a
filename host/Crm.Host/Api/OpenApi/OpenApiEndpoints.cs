using System.Runtime.CompilerServices;
using Crm.Host.Api.OData;
using Crm.Host.Security;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;

namespace Crm.Host.Api.OpenApi;

/// <summary>A body an endpoint takes, shown in the OpenAPI document.</summary>
/// <param name="Json">The body as JSON.</param>
internal sealed record ExampleBody(string Json);

/// <summary>The OpenAPI document and the page to try it.</summary>
internal static class OpenApiEndpoints
{
    public const string DocumentPath = "/openapi/v1.json";

    public static void MapOpenApiDocument(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(DocumentPath, async (HttpContext context, [FromServices] OpenApiDocuments documents, [FromServices] ODataModels models) =>
        {
            var document = await documents.OfAsync(models.Current, context.RequestAborted);
            context.Response.ContentType = "application/json;charset=utf-8";
            await context.Response.Body.WriteAsync(document, context.RequestAborted);
        }).RequireAuthorization().OpenToNarrowedKeys().WithSummary("The OpenAPI document of the current metadata");

        // The page keeps its token in memory only; signed in by cookie it needs none.
        routes.MapSwaggerUI("api", options =>
        {
            options.SwaggerEndpoint(DocumentPath, "CRM");
            options.DocumentTitle = "CRM API";
            options.InjectJavascript("/api-page.js");
            options.ConfigObject.DocExpansion = Swashbuckle.AspNetCore.SwaggerUI.DocExpansion.None;
            options.ConfigObject.DefaultModelsExpandDepth = 0;
        }).RequireAuthorization();
    }
}

/// <summary>The OpenAPI document, made once per model and set of endpoints.</summary>
internal sealed class OpenApiDocuments(EndpointDataSource endpoints)
{
    private readonly ConditionalWeakTable<ODataModel, Made> known = [];

    public async ValueTask<ReadOnlyMemory<byte>> OfAsync(ODataModel model, CancellationToken ct)
    {
        var found = endpoints.Endpoints;
        if (known.TryGetValue(model, out var made) && ReferenceEquals(made.Endpoints, found))
        {
            return made.Document;
        }

        using var stream = new MemoryStream();
        await OpenApiBuilder.Build(model, Others(found)).SerializeAsJsonAsync(stream, OpenApiSpecVersion.OpenApi3_0, ct);
        var document = stream.ToArray();
        known.AddOrUpdate(model, new Made(found, document));
        return document;
    }

    // Everything of the API that is mapped, ours or a module's, except the records, which the model describes.
    private static IEnumerable<ApiEndpoint> Others(IReadOnlyList<Endpoint> endpoints) =>
        from endpoint in endpoints.OfType<RouteEndpoint>()
        let path = "/" + endpoint.RoutePattern.RawText?.TrimStart('/')
        where path.StartsWith("/api/", StringComparison.Ordinal) && !path.Contains('*', StringComparison.Ordinal)
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
        where endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>()?.ExcludeFromDescription != true
        select new ApiEndpoint(
            method,
            Plain(endpoint),
            endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Http.Metadata.ITagsMetadata>()?.Tags is [var tag, ..] ? tag : path.Split('/')[2],
            endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Http.Metadata.IEndpointSummaryMetadata>()?.Summary,
            endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Http.Metadata.IEndpointDescriptionMetadata>()?.Description,
            [.. endpoint.RoutePattern.Parameters.Select(p => p.Name)],
            endpoint.Metadata.GetMetadata<ExampleBody>()?.Json);

    // {id:guid} is {id} to readers.
    private static string Plain(RouteEndpoint endpoint) => "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
    {
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => "{" + parameter.Name + "}",
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
        _ => "",
    }))));

    private sealed record Made(IReadOnlyList<Endpoint> Endpoints, ReadOnlyMemory<byte> Document);
}
