using System.Data.Common;
using System.Text.Json;
using Crm.Host.Modules;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Startup;

/// <summary>Tells load balancers and people how the host is.</summary>
internal static class Health
{
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/health/live", () => TypedResults.Json(new { status = "live" })).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/health/ready", ReadyAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> ReadyAsync(CrmDatabase database, Readiness readiness, IMetadata metadata, ConsistencyCheck consistency, ModuleCatalogAccessor modules, CancellationToken ct)
    {
        var answers = await AnswersAsync(database, ct);
        var ready = answers && readiness.IsReady;
        return TypedResults.Json(
            new
            {
                status = ready ? "ready" : "not_ready",
                database = answers ? "ok" : "unreachable",
                metadata_version = metadata.Current.Version,
                // Does not make the host unready: most of it works, and restarting it would change nothing.
                catalogue = consistency.Last is not { } report ? "unchecked" : report.Differences.IsEmpty ? "ok" : "differs",
                catalogue_differences = consistency.Last?.Differences.Length,
                modules = modules.Current.Modules.Select(module => new { id = module.Id, status = ModuleView.NameOf(module.Status), reason = module.Reason }),
            },
            JsonSerializerOptions.Web,
            statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<bool> AnswersAsync(CrmDatabase database, CancellationToken ct)
    {
        try
        {
            await using var connection = await database.OpenAsync(ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT 1";
            await command.ExecuteScalarAsync(ct);
            return true;
        }
        catch (DbException)
        {
            return false;
        }
    }
}
