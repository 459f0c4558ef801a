using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Workflows;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Workflows;

/// <summary>Workflows over the API, at the addresses and in the words of Elsa Server, so that its designer can be used. For administrators.</summary>
internal static class WorkflowEndpoints
{
    private const int MaxPage = 200;

    private const string Example =
        """{"model":{"name":"Follow up","root":{"type":"Elsa.Sequence","id":"main","activities":[{"type":"Crm.RecordCreated","id":"made","entity":"contact","customProperties":{"canStartWorkflow":true}}]}},"publish":true}""";

    public static void MapWorkflows(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/elsa/api").RequireAuthorization().WithTags("workflows");
        group.AddEndpointFilter((context, next) =>
        {
            MetadataEndpoints.RequireAdministrator(context.HttpContext.RequestServices.GetRequiredService<CurrentActor>());
            return next(context);
        });
        MapDefinitions(group.MapGroup("/workflow-definitions"));
        MapInstances(group);
    }

    private static void MapDefinitions(RouteGroupBuilder group)
    {
        group.MapGet("", async ([FromServices] WorkflowStore store, CancellationToken ct) => Page([.. (await store.ListAsync(ct)).Select(WorkflowJson.Summary)])).WithSummary("All workflows, each by its latest version");
        group.MapGet("/by-definition-id/{definitionId}", async (string definitionId, [FromServices] WorkflowStore store, CancellationToken ct, string? versionOptions = null) =>
            Json(WorkflowJson.Full(await FindAsync(store, definitionId, versionOptions, ct), []))).WithSummary("One version of a workflow; versionOptions is Latest, Published or a number");
        group.MapGet("/{definitionId}/versions", async (string definitionId, [FromServices] WorkflowStore store, CancellationToken ct) =>
            Page([.. (await store.VersionsAsync(definitionId, ct)).Select(WorkflowJson.Summary)])).WithSummary("All versions of a workflow");
        group.MapGet("/{definitionId}/export", async (string definitionId, [FromServices] WorkflowStore store, CancellationToken ct, string? versionOptions = null) =>
            Json(WorkflowJson.Full(await FindAsync(store, definitionId, versionOptions, ct), []))).WithSummary("The definition as a file");
        group.MapPost("", (Delegate)SaveAsync).WithSummary("Saves a workflow as a draft, and publishes it when asked to").WithMetadata(new ExampleBody(Example));
        group.MapPost("/import", (Delegate)ImportAsync).WithSummary("Saves an exported definition as a draft");
        group.MapPost("/{definitionId}/publish", async (string definitionId, [FromServices] WorkflowStore store, CancellationToken ct) =>
        {
            var saved = await store.PublishAsync(definitionId, ct);
            return saved.Definition is null ? throw Unknown() : Published(saved);
        }).WithSummary("Publishes the latest version: events start it from now on");
        group.MapPost("/{definitionId}/retract", async (string definitionId, [FromServices] WorkflowStore store, CancellationToken ct) =>
            Json(WorkflowJson.Full(await store.RetractAsync(definitionId, ct) ?? throw Unknown(), []))).WithSummary("Events start the workflow no more; runs under way go on");
        group.MapPost("/{definitionId}/revert/{version:int}", async (string definitionId, int version, [FromServices] WorkflowStore store, [FromServices] CurrentActor actor, CancellationToken ct) =>
            Json(WorkflowJson.Summary((await store.RevertAsync(definitionId, version, actor.Value, ct))?.Definition ?? throw Unknown()))).WithSummary("Makes an earlier version the draft");
        group.MapDelete("/{definitionId}", async (string definitionId, [FromServices] WorkflowStore store, CancellationToken ct) =>
            await store.DeleteAsync(definitionId, ct) ? Results.NoContent() : throw Unknown()).WithSummary("Removes a workflow with its versions and runs");
        group.MapPost("/{definitionId}/execute", (Delegate)ExecuteAsync).WithSummary("Starts the published version by hand").WithMetadata(new ExampleBody("""{"record":"0192b7a0-0000-7000-8000-000000000000"}"""));
    }

    private static void MapInstances(RouteGroupBuilder group)
    {
        group.MapGet("/workflow-instances", async (
            [FromServices] WorkflowRuns runs, CancellationToken ct, string? definitionId = null, string? status = null, Guid? record = null, int? version = null, int page = 0, int pageSize = 50) =>
        {
            if (page < 0 || pageSize is < 1 or > MaxPage)
            {
                throw new ApiException(ApiError.BadRequest($"Ask for 1 to {MaxPage} runs.", "pageSize"));
            }

            var (found, count) = await runs.ListAsync(new RunFilter(definitionId, status, record, version), pageSize, page * pageSize, ct);
            return Json(new JsonObject { ["items"] = new JsonArray([.. found.Select(WorkflowJson.Instance)]), ["totalCount"] = count });
        }).WithSummary("Runs, newest first");
        group.MapGet("/workflow-instances/{id:guid}", async (Guid id, [FromServices] WorkflowRuns runs, CancellationToken ct) =>
            Json(WorkflowJson.Instance(await runs.FindAsync(id, ct) ?? throw Unknown()))).WithSummary("One run");
        group.MapGet("/workflow-instances/{id:guid}/journal", async (Guid id, [FromServices] WorkflowRuns runs, CancellationToken ct, int skip = 0, int take = 500) =>
        {
            if (skip < 0 || take is < 1 or > 1000)
            {
                throw new ApiException(ApiError.BadRequest("Ask for 1 to 1000 lines.", "take"));
            }

            return Page([.. (await runs.JournalAsync(id, take, skip, ct)).Select(WorkflowJson.Entry)]);
        }).WithSummary("What a run did, oldest first");
        group.MapPost("/workflow-instances/{id:guid}/retry", async (Guid id, [FromServices] WorkflowRuns runs, [FromServices] CurrentActor actor, CancellationToken ct) =>
            await runs.RetryAsync(id, actor.Value, ct) ? Results.Accepted() : throw Unknown()).WithSummary("Goes on with a failed run at the activity that failed");
        group.MapPost("/cancel/workflow-instances/{id:guid}", async (Guid id, [FromServices] WorkflowRuns runs, [FromServices] CurrentActor actor, CancellationToken ct) =>
            await runs.CancelAsync(id, actor.Value, ct) ? Results.Accepted() : throw Unknown()).WithSummary("Stops a run for good");
    }

    private static async Task<IResult> SaveAsync(HttpContext context, [FromServices] WorkflowStore store, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("model", out var model))
        {
            throw new ApiException(ApiError.BadRequest("The body must be a JSON object with a definition as model.", "model"));
        }

        var publish = body.RootElement.TryGetProperty("publish", out var wanted) && wanted.ValueKind == JsonValueKind.True;
        var saved = await store.SaveAsync(Definition(model), publish, actor.Value, context.RequestAborted);
        return publish ? Published(saved) : Saved(saved);
    }

    private static async Task<IResult> ImportAsync(HttpContext context, [FromServices] WorkflowStore store, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        return Saved(await store.SaveAsync(Definition(body.RootElement), publish: false, actor.Value, context.RequestAborted));
    }

    // A name that is given twice is an exception to whoever looks at it, so that it is none of the definition's problems but of the JSON.
    private static JsonObject Definition(JsonElement json) => json.ValueKind == JsonValueKind.Object
        ? JsonNode.Parse(json.GetRawText(), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false })!.AsObject()
        : throw new ApiException(ApiError.BadRequest("A definition must be a JSON object.", "model"));

    private static async Task<IResult> ExecuteAsync(HttpContext context, string definitionId, [FromServices] WorkflowRuns runs, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        Guid? record = body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("record", out var given)
            ? given.ValueKind == JsonValueKind.String && given.TryGetGuid(out var id) ? id : throw new ApiException(ApiError.BadRequest("record must be a UUID.", "record"))
            : null;
        var run = await runs.StartAsync(definitionId, record, actor.Value, context.RequestAborted) ?? throw Unknown();
        return Json(new JsonObject { ["workflowInstanceId"] = run });
    }

    private static async Task<WorkflowDefinition> FindAsync(WorkflowStore store, string definitionId, string? options, CancellationToken ct)
    {
        int? version = int.TryParse(options, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;
        return await store.FindAsync(definitionId, version, options is "Published", ct) ?? throw Unknown();
    }

    private static IResult Saved(DefinitionSaved saved) => saved.Definition is { } definition
        ? Json(WorkflowJson.Full(definition, saved.Problems))
        : throw Refused(saved.Problems);

    private static IResult Published(DefinitionSaved saved) => saved.Problems.IsEmpty ? Saved(saved) : throw Refused(saved.Problems);

    private static ApiException Refused(ImmutableArray<DefinitionProblem> problems) => new(
        new ApiError(StatusCodes.Status422UnprocessableEntity, ErrorCodes.BadRequest, problems[0].Message, problems[0].ActivityId)
        {
            Details = [.. problems.Select(p => new ValidationError(p.ActivityId, ErrorCodes.BadRequest, p.Message))],
        });

    private static IResult Page(JsonArray items) => Json(new JsonObject { ["items"] = items, ["totalCount"] = items.Count });

    private static ApiException Unknown() => new(ApiError.NotFound("There is no such workflow, or no such run of one."));

    private static IResult Json(JsonObject value) => Results.Json(value);
}
