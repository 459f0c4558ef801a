using System.Text.Json.Nodes;
using Crm.Host.Security;
using Crm.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Versions of the definitions (who, when, why, what), and the work that goes on after one was applied.</summary>
internal static class MetadataHistoryEndpoints
{
    private const int DefaultTop = 50;

    public static void MapMetadataHistory(this RouteGroupBuilder group)
    {
        group.MapGet("/history", (Delegate)ListAsync).WithSummary("Versions of the definitions, newest first");
        group.MapGet("/steps", (Delegate)StepsAsync).WithSummary("Work on big tables that goes on after a change was applied");
        group.MapPost("/steps/{id:long}/cancel", (HttpContext context, [FromServices] MetadataSteps steps, [FromServices] CurrentActor actor, long id) =>
            SwitchAsync(context, actor, steps.CancelAsync, id)).WithSummary("Stops a step; what it did so far is taken back");
        group.MapPost("/steps/{id:long}/retry", (HttpContext context, [FromServices] MetadataSteps steps, [FromServices] CurrentActor actor, long id) =>
            SwitchAsync(context, actor, steps.RetryAsync, id)).WithSummary("Tries a step again that failed or was stopped");
        group.MapGet("/history/compare", (Delegate)CompareAsync).WithSummary("What differs between two versions, property by property");
    }

    private static async Task ListAsync(HttpContext context, [FromServices] MetadataHistory history, [FromServices] CurrentActor actor, long? before, int? top)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        if (top is < 1 or > MetadataHistory.MaxTop)
        {
            throw new ApiException(ApiError.BadRequest($"top must be between 1 and {MetadataHistory.MaxTop}.", "top"));
        }

        var versions = await history.ListAsync(before, top ?? DefaultTop, context.RequestAborted);
        await MetadataEndpoints.WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["value"] = new JsonArray([.. versions.Select(MetadataJson.Write)]) });
    }

    private static async Task CompareAsync(HttpContext context, [FromServices] MetadataHistory history, [FromServices] CurrentActor actor, long? from, long? to)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        if (from is null || to is null || from >= to)
        {
            throw new ApiException(ApiError.BadRequest("Send from and to, two versions, the earlier one first.", from is null ? "from" : "to"));
        }

        var differences = await history.CompareAsync(from.Value, to.Value, context.RequestAborted)
            ?? throw new ApiException(ApiError.NotFound("There are no such versions, or they were applied before differences were kept.", "from"));
        await MetadataEndpoints.WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["from"] = from, ["to"] = to, ["value"] = MetadataJson.Write(differences) });
    }

    private static async Task StepsAsync(HttpContext context, [FromServices] MetadataSteps steps, [FromServices] CurrentActor actor)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        await MetadataEndpoints.WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["value"] = MetadataJson.Write(await steps.ListAsync(context.RequestAborted)) });
    }

    private static async Task SwitchAsync(HttpContext context, CurrentActor actor, Func<long, CancellationToken, Task<bool>> change, long id)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        if (!await change(id, context.RequestAborted))
        {
            throw new ApiException(ApiError.NotFound($"There is no step {id} in a state this can be done in.", "id"));
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
