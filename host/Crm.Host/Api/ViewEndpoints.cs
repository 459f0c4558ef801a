using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Saved views over the API: the same a user sees in a list's drop-down.</summary>
internal static class ViewEndpoints
{
    private const string Example = """
        {"entity":"company","name":"German clients","select":["name","city"],"filter":{"all":[{"path":"country","operator":"equal","value":"Germany"},{"mine":"owner"}]},"sort":["name"]}
        """;

    public static void MapViews(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/views").RequireAuthorization().WithTags("views");
        group.MapGet("", (Delegate)ListAsync).WithSummary("Saved views of an entity, shared ones and one's own, and the view shown first");
        group.MapPost("", (Delegate)CreateAsync).WithSummary("Saves a view").WithMetadata(new ExampleBody(Example));
        group.MapGet("/{id:guid}", async (Guid id, [FromServices] SavedViews views, [FromServices] CurrentActor actor, CancellationToken ct) => Json(Write(await FindAsync(id, views, actor, ct))))
            .WithSummary("One saved view");
        group.MapPatch("/{id:guid}", (Delegate)ChangeAsync).WithSummary("Changes a saved view; what is not said stays").WithMetadata(new ExampleBody("""{"name":"Clients in Germany","shared":true}"""));
        group.MapDelete("/{id:guid}", async (Guid id, [FromServices] SavedViews views, [FromServices] CurrentActor actor, CancellationToken ct) =>
        {
            var view = await FindAsync(id, views, actor, ct);
            return await views.DeleteAsync(id, actor.Value, ct) ? Results.NoContent() : throw new ApiException(new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, $"'{view.Name}' is shared; only administrators delete it."));
        }).WithSummary("Deletes a saved view");
        group.MapPut("/default", (Delegate)SetDefaultAsync).WithSummary("Chooses the view one sees first; null for the entity's first").WithMetadata(new ExampleBody("""{"entity":"company","view":"active"}"""));
    }

    private static async Task<IResult> ListAsync(string entity, [FromServices] SavedViews views, [FromServices] IMetadata metadata, [FromServices] CurrentActor actor, CancellationToken ct)
    {
        Entity(metadata, entity);
        var list = await views.ListAsync(entity, actor.Value, ct);
        return Json(new JsonObject { ["default"] = list.Default, ["value"] = new JsonArray([.. list.Views.Select(Write)]) });
    }

    private static async Task<IResult> CreateAsync(HttpContext context, [FromServices] SavedViews views, [FromServices] CurrentActor actor, [FromServices] TimeProvider time)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        var empty = new SavedView(Guid.CreateVersion7(time.GetUtcNow()), "", "", IsShared: false, actor.Value.UserId, [], null, []);
        var view = await SaveAsync(SavedViewJson.Read(body.RootElement, empty, isNew: true), views, actor, context.RequestAborted);
        context.Response.Headers.Location = $"/api/views/{view.Id}";
        return Json(Write(view), StatusCodes.Status201Created);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, Guid id, [FromServices] SavedViews views, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        var known = await FindAsync(id, views, actor, context.RequestAborted);
        return Json(Write(await SaveAsync(SavedViewJson.Read(body.RootElement, known, isNew: false), views, actor, context.RequestAborted)));
    }

    private static async Task<IResult> SetDefaultAsync(HttpContext context, [FromServices] SavedViews views, [FromServices] IMetadata metadata, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("entity", out var name) || name.ValueKind != JsonValueKind.String
            || !body.RootElement.TryGetProperty("view", out var view) || view.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
        {
            throw new ApiException(ApiError.BadRequest("The body names an entity and a view: {\"entity\":\"company\",\"view\":\"active\"}."));
        }

        var entity = Entity(metadata, name.GetString()!);
        var chosen = view.GetString();
        if (chosen is not null)
        {
            var known = Guid.TryParse(chosen, out var id) ? (await views.FindAsync(id, actor.Value, context.RequestAborted))?.Definition.Name : entity.Views.FirstOrDefault(v => v.Name == chosen)?.Name;
            chosen = known ?? throw new ApiException(ApiError.NotFound($"{entity.Label} has no view '{chosen}'.", "view"));
        }

        await views.SetDefaultAsync(entity.Name, chosen, actor.Value, context.RequestAborted);
        return Results.NoContent();
    }

    private static async Task<SavedView> SaveAsync((SavedView View, ImmutableArray<PlanMessage> Errors) read, SavedViews views, CurrentActor actor, CancellationToken ct)
    {
        var errors = read.Errors.IsEmpty ? await views.SaveAsync(read.View, actor.Value, ct) : read.Errors;
        return errors.IsEmpty ? read.View : throw new ApiException(Errors.From(SaveResult.Refused([.. errors.Select(e => new ValidationError(e.Target, e.Code, e.Message))])));
    }

    private static async Task<SavedView> FindAsync(Guid id, SavedViews views, CurrentActor actor, CancellationToken ct) =>
        await views.FindAsync(id, actor.Value, ct) ?? throw new ApiException(ApiError.NotFound($"There is no saved view {id}.", "id"));

    private static EntityDefinition Entity(IMetadata metadata, string name) => metadata.Current.TryEntity(name, out var entity) && !entity.IsHidden
        ? entity
        : throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, $"There is no entity '{name}'.", name));

    private static JsonObject Write(SavedView view)
    {
        var json = new JsonObject { ["id"] = view.Id, ["entity"] = view.Entity, ["name"] = view.Name, ["shared"] = view.IsShared, ["owner"] = view.Owner };
        foreach (var (name, value) in SavedViewJson.Write(view))
        {
            json[name] = value?.DeepClone();
        }

        return json;
    }

    private static IResult Json(JsonObject body, int status = StatusCodes.Status200OK) => Results.Text(body.ToJsonString(), "application/json", statusCode: status);
}
