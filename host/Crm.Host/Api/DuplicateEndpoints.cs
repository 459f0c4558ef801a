using Crm.Host.Security;
using Crm.Records;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Records that are likely the same.</summary>
internal static class DuplicateEndpoints
{
    public static void MapDuplicates(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/duplicates/{entity}", (Delegate)FindAsync).RequireAuthorization().WithTags("duplicates").WithSummary("Sets of records that are alike by the entity's rules about duplicates");

    private static async Task<IResult> FindAsync(HttpContext context, string entity, [FromServices] DuplicateFinder finder, [FromServices] CurrentActor actor)
    {
        var sets = await finder.FindAsync(actor.Value, entity, context.RequestAborted);
        return Results.Json(new { value = sets.Select(s => new { s.Rule, Ids = s.Records }) }, JobView.Json);
    }
}
