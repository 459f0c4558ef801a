using Crm.Host.Security;
using Crm.Metadata;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Customisations as a package: out of this CRM and into another one.</summary>
internal static class PackageEndpoints
{
    private const string ZipType = "application/zip";

    public static void MapPackages(this IEndpointRouteBuilder metadata)
    {
        metadata.MapGet("/export", (Delegate)ExportAsync).WithSummary("The customisations as a zip of readable files");
        metadata.MapPost("/import", (Delegate)ImportAsync).WithSummary("Takes over the customisations of a zip; with plan=true only says what it would do");
    }

    private static async Task ExportAsync(HttpContext context, [FromServices] MetadataStore store, [FromServices] CurrentActor actor)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        var zip = MetadataPackage.Export(store.State);
        context.Response.ContentType = ZipType;
        context.Response.ContentLength = zip.Length;
        context.Response.Headers.ContentDisposition = "attachment; filename=\"customisations.zip\"";
        await context.Response.Body.WriteAsync(zip, context.RequestAborted);
    }

    /// <param name="context">The request; its body is the zip, alone or as the one file of a form.</param>
    /// <param name="editor">Plans and applies.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="plan">Only say what would be done.</param>
    /// <param name="complete">Whether what the package does not have goes back to the layers below.</param>
    private static async Task ImportAsync(HttpContext context, [FromServices] MetadataEditor editor, [FromServices] CurrentActor actor, bool plan = false, bool complete = false)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        var (change, unreadable) = MetadataPackage.Read(await BodyAsync(context), complete);
        if (change is null)
        {
            throw new ApiException(MetadataEndpoints.Error(StatusCodes.Status400BadRequest, unreadable));
        }

        var planned = await editor.PlanAsync([change], actor.Value, context.RequestAborted);
        var answer = MetadataJson.Write(planned);
        if (!planned.CanApply)
        {
            await MetadataEndpoints.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, MetadataEndpoints.WithError(answer, StatusCodes.Status422UnprocessableEntity, planned.Errors));
            return;
        }

        if (!plan && !planned.Steps.IsEmpty)
        {
            var result = await editor.ApplyAsync(planned.Id, actor.Value, ct: context.RequestAborted);
            if (!result.Succeeded)
            {
                throw new ApiException(MetadataEndpoints.Error(MetadataEndpoints.Status(result.Errors), result.Errors));
            }

            answer["version"] = result.Version;
        }

        answer["applied"] = !plan;
        await MetadataEndpoints.WriteAsync(context, StatusCodes.Status200OK, answer);
    }

    private static async Task<MemoryStream> BodyAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MetadataPackage.MaxZipBytes;
        }

        var body = context.Request.Body;
        if (context.Request.HasFormContentType)
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            body = form.Files is [{ } file] ? file.OpenReadStream() : throw new ApiException(ApiError.BadRequest("Send one file: the zip of a package.", "file"));
        }

        var zip = new MemoryStream();
        await body.CopyToAsync(zip, context.RequestAborted);
        zip.Position = 0;
        return zip;
    }
}
