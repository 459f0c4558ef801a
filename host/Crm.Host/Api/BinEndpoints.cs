using System.Globalization;
using System.Text.Json;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Records.Bin;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>What was deleted: look for it, restore it, delete it for good.</summary>
internal static class BinEndpoints
{
    public static void MapBin(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/bin").RequireAuthorization().WithTags("recycle bin");
        group.MapGet("", (Delegate)ListAsync).WithSummary("Deleted records that you may restore, newest first")
            .WithDescription("entity and search narrow it down; top is at most 200; after is the next of the page before.");
        group.MapPost("/restore", (Delegate)RestoreAsync).WithSummary("Restore deleted records; one that cannot be restored does not keep the others")
            .WithMetadata(new ExampleBody("""{"ids":["00000000-0000-7000-8000-000000000001"],"children":true}"""))
            .WithDescription("Each comes back with the links that went with it; with children also what pointed to it and was deleted.");
        group.MapPost("/purge", (Delegate)PurgeAsync).WithSummary("Delete records for good").WithMetadata(new ExampleBody("""{"ids":["00000000-0000-7000-8000-000000000001"]}"""));
        group.MapGet("/setting", (Delegate)SettingAsync).WithSummary("How many days deleted records are kept; 0 for ever");
        group.MapPut("/setting", (Delegate)SetAsync).RequireAuthorization(policy => policy.RequireRole(Roles.Administrator)).WithSummary("Say how many days deleted records are kept").WithMetadata(new ExampleBody("""{"keep_days":90}"""));
    }

    private static async Task<IResult> ListAsync(HttpContext context, [FromServices] RecycleBin bin, [FromServices] CurrentActor actor, [FromServices] IMetadata metadata)
    {
        var query = context.Request.Query;
        string? Given(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
        if (Given("entity") is { } entity && !metadata.Current.TryEntity(entity, out _))
        {
            throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, BinTexts.Of("UnknownEntity", entity), "entity"));
        }

        var top = Given("top") is not { } wanted ? 50
            : int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= BinQuery.MaxTop ? number
            : throw new ApiException(ApiError.BadRequest(BinTexts.Of("TopRange", BinQuery.MaxTop), "top"));
        var page = await bin.ListAsync(actor.Value, new BinQuery { Entity = Given("entity"), Search = Given("search"), Top = top, After = Given("after") }, context.RequestAborted);
        return Results.Json(new { value = page.Records, page.Next }, JobView.Json);
    }

    private static async Task<IResult> RestoreAsync(HttpContext context, [FromServices] RecycleBin bin, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        var ids = Ids(body.RootElement);
        var withChildren = body.RootElement.TryGetProperty("children", out var children) && children.ValueKind == JsonValueKind.True;
        var verdicts = await bin.RestoreAsync(actor.Value, ids, withChildren, context.RequestAborted);
        return Results.Json(new { value = verdicts.Select(v => new { v.Id, v.Entity, Restored = v.Errors.IsEmpty, v.Errors }) }, JobView.Json);
    }

    private static async Task<IResult> PurgeAsync(HttpContext context, [FromServices] RecycleBin bin, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        return Results.Json(new { purged = await bin.PurgeAsync(actor.Value, Ids(body.RootElement), context.RequestAborted) });
    }

    private static async Task<IResult> SettingAsync(HttpContext context, [FromServices] RecycleBin bin) =>
        Results.Json(new { KeepDays = await bin.KeepDaysAsync(context.RequestAborted) }, JobView.Json);

    private static async Task<IResult> SetAsync(HttpContext context, [FromServices] RecycleBin bin)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("keep_days", out var days) || days.ValueKind != JsonValueKind.Number || !days.TryGetInt32(out var number) || number is < 0 or > RecycleBin.MaxKeepDays)
        {
            throw new ApiException(ApiError.BadRequest(BinTexts.Of("KeepRange", RecycleBin.MaxKeepDays), "keep_days"));
        }

        await bin.SetKeepDaysAsync(number, context.RequestAborted);
        return await SettingAsync(context, bin);
    }

    private static Guid[] Ids(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("ids", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > RecycleBin.MaxRecords)
        {
            throw new ApiException(ApiError.BadRequest(BinTexts.Of("NoIds", RecycleBin.MaxRecords), "ids"));
        }

        return [.. list.EnumerateArray().Select(i => i.ValueKind == JsonValueKind.String && i.TryGetGuid(out var id) ? id : throw new ApiException(ApiError.BadRequest(BinTexts.Of("NoIds", RecycleBin.MaxRecords), "ids")))];
    }
}
