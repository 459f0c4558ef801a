using System.Globalization;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Records.Exporting;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Crm.Host.Exporting;

/// <summary>Takes the records of any query out as a file, row by row as the database gives them.</summary>
internal static class ExportEndpoints
{
    private const int MaxEntries = 500;

    public static void MapExports(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/export/{entity}", (Delegate)ExportAsync).RequireAuthorization().OpenToNarrowedKeys().WithTags("export").WithSummary("The records of a query as a CSV file or an Excel workbook")
            .WithDescription("format=csv|xlsx; view, $select, $filter, $search, $orderby say what; separator, bom, culture, zone and keys say how.");
        routes.MapGet("/api/exports", async (int? top, [FromServices] ExportService exports, [FromServices] CurrentActor actor, CancellationToken ct) =>
                Results.Json(new { value = await exports.ListAsync(actor.Value.IsAdministrator ? null : actor.Value.UserId, Math.Clamp(top ?? 100, 1, MaxEntries), ct) }, JobView.Json))
            .RequireAuthorization().WithTags("export").WithSummary("Who took what out as a file; users see their own exports, administrators all");
    }

    private static async Task ExportAsync(
        HttpContext context,
        string entity,
        [FromServices] ExportService exports,
        [FromServices] ODataModels models,
        [FromServices] SavedViews views,
        [FromServices] IRecordService records,
        [FromServices] IMetadata metadata,
        [FromServices] CurrentActor actor,
        [FromServices] TimeProvider time)
    {
        var ct = context.RequestAborted;
        var options = await ExportOptions.ReadAsync(context.Request, entity, models.Current, views, records, metadata, actor, time);
        await using ISheet sheet = options.Format == "xlsx"
            ? new XlsxSheet(context.Response.Body, options.Entity.PluralLabel, options.Zone)
            : new CsvSheet(context.Response.Body, options.Separator, options.HasMark, options.Culture, options.Zone);
        var hasBegun = false;
        await exports.RunAsync(
            new ExportRequest(options.Query, options.Format, options.Columns),
            actor.Value,
            async page =>
            {
                page = await ExportLinks.AddAsync(records, metadata.Current, options.Table.Followed, page, ct);
                if (!hasBegun)
                {
                    hasBegun = true;
                    Begin(context.Response, options, sheet, time);
                    await sheet.BeginAsync(options.Table.Headings, ct);
                }

                foreach (var record in page)
                {
                    await sheet.RowAsync(options.Table.Cells(record), ct);
                }

                await sheet.FlushAsync(ct);
            },
            ct);
        await sheet.EndAsync(ct);
    }

    private static void Begin(HttpResponse response, ExportOptions options, ISheet sheet, TimeProvider time)
    {
        var day = TimeZoneInfo.ConvertTime(time.GetUtcNow(), options.Zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        response.ContentType = sheet.ContentType;
        response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = $"{options.Entity.SetName}-{day}.{options.Format}" }.ToString();
        response.Headers.CacheControl = "no-store";
    }
}
