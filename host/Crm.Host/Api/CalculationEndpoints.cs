using System.Collections.Immutable;
using Crm.Host.Security;
using Crm.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Whether calculated fields hold what would be calculated now.</summary>
internal static class CalculationEndpoints
{
    public static void MapCalculations(this IEndpointRouteBuilder group)
    {
        group.MapGet("/calculations", async ([FromServices] CalculationDrift drift, [FromServices] CurrentActor actor, CancellationToken ct) =>
        {
            MetadataEndpoints.RequireAdministrator(actor);
            return View(await drift.CheckAsync(ct));
        }).WithSummary("In how many records each calculated field holds something else than would be calculated now");
        group.MapPost("/calculations/repair", async ([FromServices] CalculationDrift drift, [FromServices] CurrentActor actor, CancellationToken ct) =>
        {
            MetadataEndpoints.RequireAdministrator(actor);
            return View(await drift.RepairAsync(ct));
        }).WithSummary("Calculates anew what has drifted, and says in how many records");
    }

    private static Dictionary<string, object> View(ImmutableArray<DriftedField> fields) =>
        new(StringComparer.Ordinal) { ["value"] = fields.Select(f => new { entity = f.Entity, field = f.Field, records = f.Records }) };
}
