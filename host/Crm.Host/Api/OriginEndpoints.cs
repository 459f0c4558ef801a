using System.Text.Json.Nodes;
using Crm.Host.Modules;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>What each layer says about an entity, property by property.</summary>
internal static class OriginEndpoints
{
    public static void MapOrigins(this IEndpointRouteBuilder metadata)
    {
        metadata.MapGet("/entities/{name}/origins", (Delegate)OriginsAsync).WithSummary("Properties one layer changed over another: what each says, and who changed it when");
        metadata.MapGet("/upgrades", (Delegate)UpgradesAsync).WithSummary("What new versions of modules left to you: what they could not change because you had");
        metadata.MapPost("/upgrades/{id:long}/keep", (Delegate)KeepAsync).WithSummary("Settles a note of an upgrade: what is there stays");
    }

    private static async Task UpgradesAsync(HttpContext context, [FromServices] UpgradeNotes notes, [FromServices] CurrentActor actor, bool all = false)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        var found = await notes.ListAsync(all, context.RequestAborted);
        await MetadataEndpoints.WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["value"] = new JsonArray([.. found.Select(MetadataJson.Write)]) });
    }

    private static async Task KeepAsync(HttpContext context, [FromServices] UpgradeNotes notes, [FromServices] CurrentActor actor, long id)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        if (!await notes.KeepAsync(id, actor.Value, context.RequestAborted))
        {
            throw new ApiException(ApiError.NotFound($"There is no open note {id}.", "id"));
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task OriginsAsync(
        HttpContext context,
        [FromServices] MetadataStore store,
        [FromServices] MetadataHistory history,
        [FromServices] ModuleCatalogAccessor modules,
        [FromServices] CurrentActor actor,
        string name)
    {
        MetadataEndpoints.RequireAdministrator(actor);
        var state = store.State;
        if (!state.Snapshot.TryEntity(name, out _))
        {
            throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, $"There is no entity '{name}'.", name));
        }

        var origins = PropertyOrigins.Of(state, name);
        var changes = await history.ChangesAsync(name, origins, context.RequestAborted);
        await MetadataEndpoints.WriteAsync(context, StatusCodes.Status200OK, new JsonObject
        {
            ["version"] = state.Snapshot.Version,
            ["value"] = new JsonArray([.. origins.Select(o => ToJson(o, changes.GetValueOrDefault(o), modules.Current))]),
        });
    }

    private static JsonObject ToJson(PropertyOrigin origin, PropertyChange? change, ModuleCatalog modules) => new()
    {
        ["path"] = new JsonArray([.. origin.Path.Select(p => (JsonNode)p)]),
        ["layers"] = new JsonArray([.. origin.Layers.Select(l => new JsonObject
        {
            ["layer"] = l.Layer,
            ["module_version"] = modules.Find(l.Layer)?.Version,
            ["value"] = l.Value is null ? null : JsonNode.Parse(l.Value),
        })]),
        ["changed"] = change is null ? null : new JsonObject
        {
            ["version"] = change.Version,
            ["at"] = change.At.UtcDateTime,
            ["user_id"] = change.UserId,
            ["user_name"] = change.UserName,
        },
    };
}
