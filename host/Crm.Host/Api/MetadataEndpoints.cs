using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Reading definitions, and changing them: plan first, then apply.</summary>
internal static class MetadataEndpoints
{
    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string PlanExample = """
        {"changes":[{"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues",
          "fields":[{"name":"name","type":"text","label":"Name","required":true},{"name":"capacity","type":"integer","label":"Capacity"}]}]}
        """;

    public static void MapMetadata(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/metadata").RequireAuthorization().WithTags("metadata");
        group.MapGet("", (HttpContext context, [FromServices] MetadataStore store) => WriteAsync(context, StatusCodes.Status200OK, MetadataJson.WriteMetadata(store.State)))
            .WithSummary("All effective definitions, with the origin of each property");
        group.MapGet("/entities/{name}", (HttpContext context, [FromServices] MetadataStore store, string name) =>
        {
            var state = store.State;
            return state.Snapshot.TryEntity(name, out var entity)
                ? WriteAsync(context, StatusCodes.Status200OK, MetadataJson.WriteEntity(state, entity))
                : throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, $"There is no entity '{name}'.", name));
        }).WithSummary("One effective definition");
        group.MapGet("/entities/{name}/uses", async (HttpContext context, [FromServices] MetadataStore store, [FromServices] MetadataEditor editor, [FromServices] CurrentActor actor, string name, string? field) =>
        {
            var state = store.State;
            if (!state.Snapshot.TryEntity(name, out var entity))
            {
                throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, $"There is no entity '{name}'.", name));
            }

            if (field is not null && !entity.TryField(field, out _))
            {
                throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownField, $"{entity.Label} has no field '{field}'.", field));
            }

            var uses = await editor.UsesAsync(state, name, field, actor.Value, context.RequestAborted);
            await WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["version"] = state.Snapshot.Version, ["value"] = MetadataJson.Write(uses) });
        }).WithSummary("What uses an entity, or one of its fields");
        group.MapOrigins();
        group.MapPackages();
        group.MapCalculations();
        group.MapMetadataHistory();
        group.MapGet("/consistency", async (HttpContext context, [FromServices] ConsistencyCheck check, [FromServices] CurrentActor actor) =>
        {
            RequireAdministrator(actor);
            await WriteAsync(context, StatusCodes.Status200OK, (await check.RunAsync(context.RequestAborted)).ToJson());
        }).WithSummary("Whether the tables in the database are what the definitions want");
        group.MapPost("/plan", (Delegate)PlanAsync).WithSummary("What changes of definitions would do").WithMetadata(new ExampleBody(PlanExample));
        group.MapPost("/apply", (Delegate)ApplyAsync).WithSummary("Applies a plan").WithMetadata(new ExampleBody("""{"plan":"01890a5d-ac96-774b-bcce-b302099a8057"}"""));
    }

    private static async Task PlanAsync(HttpContext context, [FromServices] MetadataEditor editor, [FromServices] CurrentActor actor)
    {
        RequireAdministrator(actor);
        using var body = await RecordBody.ParseAsync(context.Request);
        var (changes, unreadable) = MetadataJson.ReadChanges(body.RootElement);
        if (!unreadable.IsEmpty)
        {
            var status = unreadable.Any(e => e.Code == ErrorCodes.BadRequest) ? StatusCodes.Status400BadRequest : StatusCodes.Status422UnprocessableEntity;
            var empty = new JsonObject { ["id"] = null, ["errors"] = MetadataJson.Write(unreadable), ["warnings"] = new JsonArray(), ["steps"] = new JsonArray() };
            await WriteAsync(context, status, WithError(empty, status, unreadable));
            return;
        }

        var plan = await editor.PlanAsync(changes, actor.Value, context.RequestAborted);
        // A plan that cannot be applied is bad input like any other; the plan itself is in the answer all the same.
        await (plan.CanApply
            ? WriteAsync(context, StatusCodes.Status200OK, MetadataJson.Write(plan))
            : WriteAsync(context, StatusCodes.Status422UnprocessableEntity, WithError(MetadataJson.Write(plan), StatusCodes.Status422UnprocessableEntity, plan.Errors)));
    }

    private static async Task ApplyAsync(HttpContext context, [FromServices] MetadataEditor editor, [FromServices] CurrentActor actor)
    {
        RequireAdministrator(actor);
        using var body = await RecordBody.ParseAsync(context.Request);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("plan", out var plan)
            || plan.ValueKind != JsonValueKind.String || !plan.TryGetGuid(out var id))
        {
            throw new ApiException(ApiError.BadRequest("Send {\"plan\":\"<id>\"} with the id of a plan from POST /api/metadata/plan.", "plan"));
        }

        var result = await editor.ApplyAsync(id, actor.Value, Options(body.RootElement), context.RequestAborted);
        if (!result.Succeeded)
        {
            throw new ApiException(Error(Status(result.Errors), result.Errors));
        }

        await WriteAsync(context, StatusCodes.Status200OK, Answer(result));
    }

    /// <summary>The version, and the step that has to be done before the change comes into force.</summary>
    private static JsonObject Answer(ApplyResult result) =>
        result.Step is { } step ? new JsonObject { ["version"] = result.Version, ["step"] = step } : new JsonObject { ["version"] = result.Version };

    private static ApplyOptions Options(JsonElement body)
    {
        string? comment = null;
        if (body.TryGetProperty("comment", out var words) && words.ValueKind != JsonValueKind.Null)
        {
            comment = words.ValueKind == JsonValueKind.String ? words.GetString() : throw new ApiException(ApiError.BadRequest("The comment must be a text.", "comment"));
        }

        if (!body.TryGetProperty("confirm", out var names) || names.ValueKind == JsonValueKind.Null)
        {
            return new ApplyOptions(comment);
        }

        return names.ValueKind == JsonValueKind.Array && names.EnumerateArray().All(n => n.ValueKind == JsonValueKind.String)
            ? new ApplyOptions(comment, [.. names.EnumerateArray().Select(n => n.GetString()!)])
            : throw new ApiException(ApiError.BadRequest("Send the names of what is lost as a list of texts, as the plan gave them.", "confirm"));
    }

    internal static void RequireAdministrator(CurrentActor actor)
    {
        if (!actor.Value.IsAdministrator)
        {
            throw new ApiException(new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, "Only an administrator may change definitions."));
        }
    }

    internal static int Status(ImmutableArray<PlanMessage> errors) =>
        errors.Any(e => e.Code == ErrorCodes.Access) ? StatusCodes.Status403Forbidden
        : errors.Any(e => e.Code == ErrorCodes.NotFound) ? StatusCodes.Status404NotFound
        : errors.Any(e => e.Code is ErrorCodes.Conflict or ErrorCodes.Busy) ? StatusCodes.Status409Conflict
        : StatusCodes.Status422UnprocessableEntity;

    internal static ApiError Error(int status, ImmutableArray<PlanMessage> errors) =>
        new(status, errors[0].Code, errors[0].Message, errors[0].Target) { Details = [.. errors.Select(e => new ValidationError(e.Target, e.Code, e.Message))] };

    internal static JsonObject WithError(JsonObject plan, int status, ImmutableArray<PlanMessage> errors)
    {
        plan["error"] = Errors.ToJson(Error(status, errors))["error"]!.DeepClone();
        return plan;
    }

    internal static async Task WriteAsync(HttpContext context, int status, JsonObject json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json;charset=utf-8";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(json, Unescaped), context.RequestAborted);
    }
}
