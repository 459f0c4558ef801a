using Crm.Host.Api;
using Crm.Host.Security;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Search;

/// <summary>The search over everything as part of the API.</summary>
internal static class SearchEndpoints
{
    private const int Offered = 5;

    public static void MapSearch(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/search", async (string q, int? top, [FromServices] GlobalSearch search, CancellationToken ct) =>
        {
            if (top is < 1 or > GlobalSearch.MaxTop)
            {
                throw new ApiException(ApiError.BadRequest($"'top' is a number from 1 to {GlobalSearch.MaxTop}."));
            }

            var found = await search.FindAsync(q, top ?? Offered, ct);
            return TypedResults.Ok(new
            {
                similar = found.IsSimilar,
                unfinished = found.Unfinished.Select(e => e.Name),
                value = found.Groups.Select(g => new
                {
                    entity = g.Entity.Name,
                    label = g.Entity.PluralLabel,
                    more = g.HasMore,
                    records = g.Records.Select(r => new { id = r.Id, title = r.Title, hint = r.Hint, fit = r.Fit.ToString().ToLowerInvariant(), part_of = r.Whole }),
                }),
            });
        }).RequireAuthorization().OpenToNarrowedKeys().WithTags("search").WithSummary("Records of all entities whose search fields hold the words; similarly spelt ones when there are none");
}
