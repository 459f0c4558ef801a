using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Exporting;
using Crm.Host.Search;

namespace Crm.Host.Api;

/// <summary>Wires this folder into the host.</summary>
internal static class ApiSetup
{
    public static void AddCrmApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddTransient<IStartupFilter, ErrorMiddleware.AtTheFront>();
        builder.Services.AddScoped<ODataModels>();
        builder.Services.AddSingleton<OpenApiDocuments>();
        // A body that cannot be read is answered with where and why.
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        // Room for the longest query and the path before it, so that a longer one is refused by us, with a reason.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestLineSize = 2 * QueryOptions.MaxLength);
    }

    public static void MapCrmApi(this WebApplication app)
    {
        app.MapOData();
        app.MapHistory();
        app.MapMetadata();
        app.MapFiles();
        app.MapAccess();
        app.MapImports();
        app.MapImportTemplates();
        app.MapBulk();
        app.MapBin();
        app.MapDuplicates();
        app.MapMerge();
        app.MapViews();
        app.MapExports();
        app.MapSearch();
        app.MapJobs();
        app.MapOpenApiDocument();
        // What is at none of these addresses is no page either: programs are answered in their language. Names with a dot are the files of the page to try the API.
        foreach (var root in new[] { "/api", "/elsa/api", "/odata" })
        {
            app.MapMethods(root + "/{first:regex(^[^.]+$)}/{**rest}", [HttpMethods.Get, HttpMethods.Head], Task (HttpContext context) => throw new ApiException(ApiError.NotFound($"There is nothing to be read at {context.Request.Path}.")))
                .RequireAuthorization().ExcludeFromDescription();
        }
    }
}
