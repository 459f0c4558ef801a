using System.Collections.Immutable;
using System.Text.Json;
using Crm.Host.Api;
using Crm.Host.Security;
using Crm.Sdk;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Crm.Host.Modules;

/// <summary>A module as the API shows it.</summary>
internal sealed record ModuleView(
    string Id,
    string Name,
    string? Version,
    string Status,
    string? Reason,
    IReadOnlyList<string> DependsOn,
    IReadOnlyList<string> Entities,
    IReadOnlyList<string> Pages)
{
    public static ModuleView Of(LoadedModule module, MetadataSnapshot metadata) => new(
        module.Id,
        module.Info.Name,
        module.Version,
        NameOf(module.Status),
        module.Reason,
        module.Info.DependsOn.IsDefault ? [] : module.Info.DependsOn,
        [.. metadata.Entities.Values.Where(e => e.Origin == module.Id).Select(e => e.Name).Order(StringComparer.Ordinal)],
        module.Running is { } running ? [.. running.Pages.Select(p => new ModulePage(module.Id, p).Url)] : ImmutableArray<string>.Empty);

    public static string NameOf(ModuleStatus status) => status switch
    {
        ModuleStatus.Running => "running",
        ModuleStatus.Off => "off",
        ModuleStatus.Failed => "failed",
        ModuleStatus.Blocked => "blocked",
        ModuleStatus.Waiting => "waiting",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };
}

/// <summary>All modules as the API shows them.</summary>
/// <param name="Value">The modules.</param>
/// <param name="StillInMemory">Versions that were let go but are still in memory.</param>
internal sealed record ModuleList(IReadOnlyList<ModuleView> Value, int StillInMemory);

/// <summary>Lists modules and switches them.</summary>
internal static class ModuleApi
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static void Map(IEndpointRouteBuilder routes)
    {
        var modules = routes.MapGroup("/api/modules").RequireAuthorization().WithTags("Modules");
        modules.MapGet("", List);
        modules.MapPost("{id}/enable", (string id, HttpContext context, ModuleUpdates updates, CancellationToken ct) => SwitchAsync(id, true, context, updates, ct));
        modules.MapPost("{id}/disable", (string id, HttpContext context, ModuleUpdates updates, CancellationToken ct) => SwitchAsync(id, false, context, updates, ct));
    }

    private static JsonHttpResult<ModuleList> List(CurrentActor actor, ModuleCatalogAccessor catalog, ModuleUpdates updates, IMetadata metadata)
    {
        RequireAdministrator(actor);
        var snapshot = metadata.Current;
        return TypedResults.Json(new ModuleList([.. catalog.Current.Modules.OrderBy(m => m.Id, StringComparer.Ordinal).Select(m => ModuleView.Of(m, snapshot))], updates.StillInMemory), Json);
    }

    private static async Task<JsonHttpResult<ModuleView>> SwitchAsync(string id, bool isEnabled, HttpContext context, ModuleUpdates updates, CancellationToken ct)
    {
        RequireAdministrator(context.RequestServices.GetRequiredService<CurrentActor>());
        if (!await updates.SwitchAsync(id, isEnabled, ct))
        {
            throw new ApiException(ApiError.NotFound(ModuleTexts.Of("NoSuchModule", id), id));
        }

        var catalog = context.RequestServices.GetRequiredService<ModuleCatalogAccessor>();
        var metadata = context.RequestServices.GetRequiredService<IMetadata>();
        return TypedResults.Json(ModuleView.Of(catalog.Current.Find(id)!, metadata.Current), Json);
    }

    private static void RequireAdministrator(CurrentActor actor)
    {
        if (!actor.Value.IsAdministrator)
        {
            throw new ApiException(new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, ModuleTexts.Of("OnlyAdministrators")));
        }
    }
}
