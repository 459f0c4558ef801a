using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Records.Webhooks;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Webhooks;

/// <summary>Webhooks over the API, for administrators.</summary>
internal static class WebhookEndpoints
{
    private const int MaxTop = 200;

    private const string Example = """{"name":"Warehouse","url":"https://example.com/hooks/crm","entities":["opportunity"],"events":["created","updated"]}""";

    public static void AddCrmWebhooks(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<WebhookSecrets>();
        builder.Services.AddSingleton<WebhookPayloads>();
        builder.Services.AddHostedService<WebhookSender>();
    }

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/webhooks").RequireAuthorization().WithTags("webhooks");
        group.AddEndpointFilter((context, next) =>
        {
            MetadataEndpoints.RequireAdministrator(context.HttpContext.RequestServices.GetRequiredService<CurrentActor>());
            return next(context);
        });
        group.MapGet("", async ([FromServices] WebhookStore store, CancellationToken ct) =>
            Json(new JsonObject { ["value"] = new JsonArray([.. (await store.ListAsync(ct)).Select(View)]) })).WithSummary("All webhooks");
        group.MapPost("", (Delegate)CreateAsync).WithSummary("Makes a webhook; the answer has the secret, which is not shown again").WithMetadata(new ExampleBody(Example));
        group.MapPatch("/{id:guid}", (Delegate)UpdateAsync).WithSummary("Changes a webhook").WithMetadata(new ExampleBody("""{"active":false}"""));
        group.MapDelete("/{id:guid}", async (Guid id, [FromServices] WebhookStore store, CancellationToken ct) =>
            await store.DeleteAsync(id, ct) ? Results.NoContent() : throw Unknown()).WithSummary("Removes a webhook with its deliveries");
        group.MapPost("/{id:guid}/secret", async (Guid id, [FromServices] WebhookStore store, [FromServices] WebhookSecrets secrets, CancellationToken ct) =>
        {
            var (secret, sealedSecret) = secrets.Create();
            return await store.SetSecretAsync(id, sealedSecret, ct) ? Json(new JsonObject { ["secret"] = secret }) : throw Unknown();
        }).WithSummary("Gives a webhook another secret; the old one ends at once");
        group.MapGet("/{id:guid}/deliveries", (Delegate)DeliveriesAsync).WithSummary("What was sent to a webhook, newest first");
        group.MapGet("/{id:guid}/deliveries/{delivery:guid}", async (Guid id, Guid delivery, [FromServices] WebhookStore store, CancellationToken ct) =>
            await store.PayloadAsync(id, delivery, ct) is { } payload ? Results.Text(payload, "application/json") : throw Unknown()).WithSummary("The body that is sent; empty before the first attempt");
        group.MapPost("/{id:guid}/deliveries/{delivery:guid}/replay", async (Guid id, Guid delivery, [FromServices] WebhookStore store, CancellationToken ct) =>
            await store.ReplayAsync(id, delivery, ct) ? Results.Accepted() : throw Unknown()).WithSummary("Sends a delivery again that has ended");
        group.MapPost("/{id:guid}/replay", async (Guid id, [FromServices] WebhookStore store, CancellationToken ct) =>
            Json(new JsonObject { ["deliveries"] = await store.ReplayFailedAsync(id, ct) })).WithSummary("Sends everything again that failed");
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, [FromServices] WebhookStore store, [FromServices] WebhookSecrets secrets, [FromServices] IMetadata metadata, [FromServices] CrmSettings settings, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        var input = Checked(Read(body.RootElement, new WebhookDraft()), metadata, settings);
        var (secret, sealedSecret) = secrets.Create();
        var id = await store.CreateAsync(input, sealedSecret, actor.Value, context.RequestAborted);
        return Json(new JsonObject { ["id"] = id, ["secret"] = secret }, StatusCodes.Status201Created);
    }

    private static async Task<IResult> UpdateAsync(HttpContext context, Guid id, [FromServices] WebhookStore store, [FromServices] IMetadata metadata, [FromServices] CrmSettings settings)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        var old = (await store.ListAsync(context.RequestAborted)).FirstOrDefault(w => w.Id == id) ?? throw Unknown();
        await store.UpdateAsync(id, Checked(Read(body.RootElement, WebhookDraft.Of(old)), metadata, settings), context.RequestAborted);
        return Results.NoContent();
    }

    private static async Task<IResult> DeliveriesAsync(Guid id, [FromServices] WebhookStore store, CancellationToken ct, string? state = null, long? before = null, int top = 50)
    {
        if (state is not (null or "waiting" or "delivered" or "failed"))
        {
            throw new ApiException(ApiError.BadRequest("A delivery is waiting, delivered or failed.", "state"));
        }

        if (top is < 1 or > MaxTop)
        {
            throw new ApiException(ApiError.BadRequest(string.Create(CultureInfo.InvariantCulture, $"Ask for 1 to {MaxTop} deliveries."), "top"));
        }

        return Json(new JsonObject { ["value"] = new JsonArray([.. (await store.DeliveriesAsync(id, state, before, top, ct)).Select(View)]) });
    }

    private static WebhookDraft Read(JsonElement body, WebhookDraft draft)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new ApiException(ApiError.BadRequest("The body must be one JSON object."));
        }

        foreach (var property in body.EnumerateObject())
        {
            switch (property.Name, property.Value.ValueKind)
            {
                case ("name", JsonValueKind.String):
                    draft.Name = property.Value.GetString()!;
                    break;
                case ("url", JsonValueKind.String):
                    draft.Url = property.Value.GetString()!;
                    break;
                case ("active", JsonValueKind.True or JsonValueKind.False):
                    draft.IsActive = property.Value.GetBoolean();
                    break;
                case ("entities", JsonValueKind.Array):
                    draft.Entities.Clear();
                    draft.Entities.UnionWith(Texts(property));
                    break;
                case ("events", JsonValueKind.Array):
                    draft.Kinds.Clear();
                    draft.Kinds.UnionWith(Texts(property).Select(text => Kind(text)));
                    break;
                default:
                    throw new ApiException(ApiError.BadRequest("A webhook has a name and url (texts), entities and events (lists of texts), and active (true or false).", property.Name));
            }
        }

        return draft;
    }

    private static IEnumerable<string> Texts(JsonProperty list) =>
        list.Value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.String ? v.GetString()! : throw new ApiException(ApiError.BadRequest("The list may hold texts only.", list.Name)));

    private static ChangeKind Kind(string text)
    {
        foreach (var kind in WebhookKinds.All)
        {
            if (WebhookKinds.NameOf(kind) == text)
            {
                return kind;
            }
        }

        throw new ApiException(ApiError.BadRequest("Events are created, updated and deleted.", "events"));
    }

    private static WebhookInput Checked(WebhookDraft draft, IMetadata metadata, CrmSettings settings)
    {
        var errors = draft.Check(metadata.Current, settings.AllowPrivateWebhooks, out var input);
        return input ?? throw new ApiException(
            new ApiError(StatusCodes.Status422UnprocessableEntity, errors[0].Code, errors[0].Message, errors[0].Field) { Details = errors });
    }

    private static ApiException Unknown() => new(ApiError.NotFound("There is no such webhook, or nothing of it that could be sent again.", "id"));

    private static JsonObject View(Webhook webhook) => new()
    {
        ["id"] = webhook.Id,
        ["name"] = webhook.Name,
        ["url"] = webhook.Url.AbsoluteUri,
        ["entities"] = new JsonArray([.. webhook.Entities.Select(e => (JsonNode)e)]),
        ["events"] = new JsonArray([.. webhook.Kinds.Select(k => (JsonNode)WebhookKinds.NameOf(k))]),
        ["active"] = webhook.IsActive,
        ["created_by"] = webhook.CreatedByName,
        ["created_at"] = webhook.CreatedAt,
        ["waiting"] = webhook.Waiting,
        ["failed"] = webhook.Failed,
    };

    private static JsonObject View(WebhookDelivery delivery) => new()
    {
        ["id"] = delivery.Id,
        ["event"] = delivery.Event.EventId,
        ["type"] = delivery.Event.Entity + "." + WebhookKinds.NameOf(delivery.Event.Kind),
        ["record"] = delivery.Event.Id,
        ["at"] = delivery.Event.At,
        ["state"] = delivery.State,
        ["attempts"] = delivery.Attempts,
        ["next_at"] = delivery.State == "waiting" ? delivery.NextAt : null,
        ["status"] = delivery.Status,
        ["answer"] = delivery.Answer,
        ["finished_at"] = delivery.FinishedAt,
    };

    private static IResult Json(JsonObject value, int status = StatusCodes.Status200OK) => Results.Json(value, statusCode: status);
}
