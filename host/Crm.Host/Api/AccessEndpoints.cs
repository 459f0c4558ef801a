using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Records;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Who may see a record, and why somebody may or may not do something.</summary>
internal static class AccessEndpoints
{
    private const string Everyone = "everyone";

    public static void MapAccess(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/records/{entity}/{id:guid}/sharing", (Delegate)ReadAsync).RequireAuthorization().WithTags("access").WithSummary("With whom a record is shared, and whether it is restricted");
        routes.MapPut("/api/records/{entity}/{id:guid}/sharing", (Delegate)WriteAsync).RequireAuthorization().WithTags("access").WithSummary("Share a record, or restrict it")
            .WithMetadata(new ExampleBody("""{"restricted":true,"shares":[{"with":"00000000-0000-7000-8000-000000000001","level":"write"},{"with":"everyone","level":"read"}]}"""))
            .WithDescription("with is the id of a user or a team, or everyone; level is read, write or own. What is not named is no longer shared.");
        routes.MapGet("/api/access/why", (Delegate)WhyAsync).RequireAuthorization().OpenToNarrowedKeys().WithTags("access").WithSummary("Why somebody may or may not do something")
            .WithDescription("entity, and optionally id, field, operation (read, create, write, delete, import, export, share; read when not given), user (yourself when not given; others for administrators) and key (an API key of that user that is narrowed).");
    }

    private static async Task<IResult> ReadAsync(HttpContext context, string entity, Guid id, [FromServices] RecordSharing sharing, [FromServices] CurrentActor actor) =>
        Answer(await sharing.FindAsync(actor.Value, entity, id, context.RequestAborted) ?? throw Missing(entity, id));

    private static async Task<IResult> WriteAsync(HttpContext context, string entity, Guid id, [FromServices] RecordSharing sharing, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        var (now, error) = await sharing.SaveAsync(actor.Value, entity, id, Read(body.RootElement), context.RequestAborted) ?? throw Missing(entity, id);
        return error is null
            ? Answer(now!)
            : throw new ApiException(new ApiError(error.Code == ErrorCodes.Access ? StatusCodes.Status403Forbidden : StatusCodes.Status422UnprocessableEntity, error.Code, error.Message, error.Field));
    }

    private static async Task<IResult> WhyAsync(HttpContext context, [FromServices] AccessExplainer explainer, [FromServices] SessionStore sessions, [FromServices] CurrentActor actor)
    {
        var query = context.Request.Query;
        string? Given(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
        Guid? Id(string name) => Given(name) is not { } text ? null : Guid.TryParse(text, out var id) ? id : throw new ApiException(ApiError.BadRequest($"'{name}' is no id.", name));
        var operation = Given("operation") ?? "read";
        var known = Enum.GetValues<AccessOperation>().Where(o => Word(o) == operation).Select(o => (AccessOperation?)o).FirstOrDefault()
            ?? throw new ApiException(ApiError.BadRequest($"Operations are {string.Join(", ", Enum.GetValues<AccessOperation>().Select(Word))}.", "operation"));
        var entity = Given("entity") ?? throw new ApiException(ApiError.BadRequest("Say about which entity: /api/access/why?entity=contact.", "entity"));
        var user = Id("user") ?? actor.Value.UserId;
        var scope = Id("key") is { } key ? await ScopeAsync(sessions, actor.Value, user, key, context.RequestAborted) : null;
        var verdict = await explainer.WhyAsync(actor.Value, user, entity, Id("id"), known, Given("field"), scope, context.RequestAborted);
        return Results.Json(new JsonObject { ["allowed"] = verdict.IsAllowed, ["rule"] = verdict.Rule, ["facts"] = new JsonArray([.. verdict.Facts.Select(f => (JsonNode)f)]) });
    }

    /// <summary>What a key is narrowed to; null for one that may do all that its user may. Keys are for their users and administrators to know, and a narrowed one knows no other.</summary>
    private static async Task<AccessScope?> ScopeAsync(SessionStore sessions, Actor asking, Guid user, Guid key, CancellationToken ct) =>
        (asking.Scope is null ? asking.IsAdministrator || asking.UserId == user : asking.Scope.Id == key)
        && (await sessions.KeysAsync(user, ct)).FirstOrDefault(k => k.Id == key) is { } found
            ? found.Scope
            : throw new ApiException(ApiError.NotFound(SecurityTexts.Of("KeyUnknown"), "key"));

    /// <summary>How somebody a record is shared with is written.</summary>
    public static string With(Guid id) => id == Guid.Empty ? Everyone : id.ToString();

    /// <summary>What they are.</summary>
    public static string Kind(Guid id, bool isTeam) => id == Guid.Empty ? Everyone : isTeam ? "team" : "user";

    private static IResult Answer(Sharing sharing) => Results.Json(new JsonObject
    {
        ["restricted"] = sharing.IsRestricted,
        ["may_change"] = sharing.MayChange,
        ["shares"] = new JsonArray([.. sharing.Shares.Select(s => new JsonObject
        {
            ["with"] = With(s.With),
            ["kind"] = Kind(s.With, s.IsTeam),
            ["name"] = s.Name,
            ["level"] = RecordSharing.Word(s.Level),
        })]),
    });

    private static Sharing Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new ApiException(ApiError.BadRequest("Send an object with restricted and shares."));
        }

        var restricted = body.TryGetProperty("restricted", out var flag) && flag.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new ApiException(ApiError.BadRequest("'restricted' is true or false.", "restricted")),
        };
        if (!body.TryGetProperty("shares", out var list))
        {
            return new Sharing(restricted, []);
        }

        return list.ValueKind == JsonValueKind.Array
            ? new Sharing(restricted, [.. list.EnumerateArray().Select(ReadShare)])
            : throw new ApiException(ApiError.BadRequest("'shares' is a list.", "shares"));
    }

    private static Share ReadShare(JsonElement json)
    {
        string? Text(string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var with = Text("with");
        var id = Guid.Empty;
        if (with != Everyone && (!Guid.TryParse(with, out id) || id == Guid.Empty))
        {
            throw new ApiException(ApiError.BadRequest("'with' is the id of a user or a team, or everyone.", "shares"));
        }

        var level = Enum.GetValues<ShareLevel>().Where(l => RecordSharing.Word(l) == Text("level")).Select(l => (ShareLevel?)l).FirstOrDefault();
        return new Share(id, level ?? throw new ApiException(ApiError.BadRequest("'level' is read, write or own.", "shares")));
    }

    private static string Word(AccessOperation operation) => JsonNamingPolicy.SnakeCaseLower.ConvertName(operation.ToString());

    private static ApiException Missing(string entity, Guid id) => new(ApiError.NotFound($"There is no {entity} with the id {id}.", "id"));
}
