using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Host.Pages.Parts;
using Crm.Host.Security;
using Crm.Records.Files;
using Crm.Sdk;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Crm.Host.Api;

/// <summary>Uploads contents of files, and hands out those of records.</summary>
internal static class FileEndpoints
{
    private const string PdfPolicy = "default-src 'none'; frame-ancestors 'self'";

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/files", (Delegate)UploadAsync).RequireAuthorization().OpenToNarrowedKeys().WithTags("files").WithSummary("Uploads the content of a file; the answer is the value for a field");
        routes.MapGet("/api/records/{entity}/{id}/files/{field}", (Delegate)DownloadAsync).RequireAuthorization().OpenToNarrowedKeys().WithTags("files").WithSummary("The content of a record's file");
        routes.MapGet("/api/records/{entity}/{id}/files/{field}/pdf", (Delegate)ShowPdfAsync).RequireAuthorization().OpenToNarrowedKeys().WithTags("files").WithSummary("A record's PDF file, for a browser to show within a page of this host");
    }

    private static async Task<IResult> UploadAsync(HttpContext context, [FromServices] FileStore files, [FromServices] CurrentActor actor)
    {
        var name = context.Request.Query["name"].ToString();
        if (name.Length is 0 or > 1000)
        {
            throw new ApiException(ApiError.BadRequest("Give the name of the file: /api/files?name=report.pdf.", "name"));
        }

        // Our own limit answers with a reason.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        using var content = new MemoryStream();
        var buffer = new byte[81_920];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            if (content.Length + read > FileType.MaxBytes)
            {
                throw new ApiException(new ApiError(StatusCodes.Status413PayloadTooLarge, ErrorCodes.Length, $"A file may have at most {FileType.MaxBytes / 1024 / 1024} megabytes.", "name"));
            }

            content.Write(buffer, 0, read);
        }

        FileValue file;
        try
        {
            file = await files.StoreAsync(name, context.Request.ContentType, content.GetBuffer().AsMemory(0, (int)content.Length), actor.Value, context.RequestAborted);
        }
        catch (UploadRefusedException refused)
        {
            throw new ApiException(new ApiError(StatusCodes.Status422UnprocessableEntity, ErrorCodes.Rule, refused.Message, "name"));
        }

        return Results.Json(
            new JsonObject { ["id"] = file.Id, ["name"] = file.Name, ["content_type"] = file.ContentType, ["size"] = file.Size },
            statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> DownloadAsync(
        HttpContext context, string entity, string id, string field, [FromServices] IRecordService records, [FromServices] ODataModels models, [FromServices] FileStore files)
    {
        var (file, content) = await FindAsync(entity, id, field, records, models, files, context.RequestAborted);
        // Somebody uploaded this: a browser shows it only when it is an image, and then without letting anything in it run.
        var isImage = FileType.Images.Contains(file.ContentType);
        return Answer(context, file, content, isImage, isImage ? file.ContentType : "application/octet-stream", "default-src 'none'; sandbox");
    }

    /// <summary>
    /// PDFs are shown by what the browser itself has for them, outside the page's origin; it does not work in a sandbox, so nothing else may pass here: the declared type and the first
    /// bytes have to say PDF, and nosniff keeps the browser from finding something else in it.
    /// </summary>
    private static async Task<IResult> ShowPdfAsync(
        HttpContext context, string entity, string id, string field, [FromServices] IRecordService records, [FromServices] ODataModels models, [FromServices] FileStore files)
    {
        var (file, content) = await FindAsync(entity, id, field, records, models, files, context.RequestAborted);
        if (!FileList.IsPdf(file, content))
        {
            throw new ApiException(new ApiError(StatusCodes.Status415UnsupportedMediaType, ErrorCodes.Type, "The file is no PDF.", field));
        }

        context.Response.Headers.XFrameOptions = "SAMEORIGIN";
        return Answer(context, file, content, isShown: true, FileList.Pdf, PdfPolicy);
    }

    private static async Task<(FileValue File, byte[] Content)> FindAsync(
        string entity, string id, string field, IRecordService records, ODataModels models, FileStore files, CancellationToken ct)
    {
        var model = models.Current;
        var set = model.ByEntity.GetValueOrDefault(entity) ?? model.Sets.GetValueOrDefault(entity);
        var file = set is not null && Guid.TryParse(id, out var key) && set.Entity.TryField(field, out var definition) && definition is { IsHidden: false, Type: FileType }
            && await records.FindAsync(set.Entity.Name, key, ct) is { } record
            ? record[definition.Name] as FileValue
            : null;
        return file is not null && await files.ReadAsync(file.Id, ct) is { } content ? (file, content) : throw new ApiException(ApiError.NotFound("There is no such file.", field));
    }

    private static IResult Answer(HttpContext context, FileValue file, byte[] content, bool isShown, string type, string policy)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = policy;
        headers.CacheControl = "private, no-cache";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        var disposition = new ContentDispositionHeaderValue(isShown ? "inline" : "attachment");
        disposition.SetHttpFileName(file.Name);
        headers.ContentDisposition = disposition.ToString();
        return Results.Bytes(content, type, entityTag: new EntityTagHeaderValue($"\"{file.Id:N}\""));
    }
}
