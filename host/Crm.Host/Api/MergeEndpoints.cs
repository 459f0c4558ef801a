using System.Text.Json;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Pages.Merging;
using Crm.Host.Security;
using Crm.Records.Merging;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Makes several records one, and takes that back.</summary>
internal static class MergeEndpoints
{
    private const string Together = "all";

    public static void MapMerge(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/merge").RequireAuthorization().WithTags("duplicates");
        group.MapPost("", (Delegate)MergeAsync).WithSummary("Make several records one; what pointed to the others points to the survivor")
            .WithMetadata(new ExampleBody("""{"entity":"contact","survivor":"00000000-0000-7000-8000-000000000001","others":["00000000-0000-7000-8000-000000000002"],"choices":{"email":"00000000-0000-7000-8000-000000000002","tags":"all"}}"""))
            .WithDescription("choices says for a field whose value is kept: the id of one of the records, or all where values can be taken together. Without it the survivor's, or the first there is.");
        group.MapPost("/{id:guid}/undo", (Delegate)UndoAsync).WithSummary("Take a merge back; what changed since is left as it is and named");
    }

    private static async Task<IResult> MergeAsync(HttpContext context, [FromServices] RecordMerger merger, [FromServices] CurrentActor actor)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        return Answer(await merger.MergeAsync(actor.Value, Read(body.RootElement), context.RequestAborted));
    }

    private static async Task<IResult> UndoAsync(HttpContext context, Guid id, [FromServices] RecordMerger merger, [FromServices] CurrentActor actor) =>
        Answer(await merger.UndoAsync(actor.Value, id, context.RequestAborted));

    private static IResult Answer(MergeResult result) =>
        result.Errors.IsEmpty ? Results.Json(new { result.Id, result.Moved, result.Conflicts }, JobView.Json) : throw new ApiException(Errors.From(SaveResult.Refused(result.Errors)));

    private static MergeRequest Read(JsonElement body)
    {
        static ApiException Wrong(string name) => new(ApiError.BadRequest(MergeTexts.Of("BadRequest"), name));
        static JsonElement Property(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : throw Wrong(name);
        static Guid Id(JsonElement json, string name) => json.ValueKind == JsonValueKind.String && json.TryGetGuid(out var id) && id != Guid.Empty ? id : throw Wrong(name);
        var (entity, others) = (Property(body, "entity"), Property(body, "others"));
        if (entity.ValueKind != JsonValueKind.String || others.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(entity.ValueKind != JsonValueKind.String ? "entity" : "others");
        }

        var choices = new Dictionary<string, Guid>(StringComparer.Ordinal);
        if (body.TryGetProperty("choices", out var given))
        {
            foreach (var choice in given.ValueKind == JsonValueKind.Object ? given.EnumerateObject() : throw Wrong("choices"))
            {
                choices[choice.Name] = choice.Value.ValueKind == JsonValueKind.String && choice.Value.ValueEquals(Together) ? Guid.Empty : Id(choice.Value, "choices");
            }
        }

        return new MergeRequest(entity.GetString()!, Id(Property(body, "survivor"), "survivor"), [.. others.EnumerateArray().Select(o => Id(o, "others"))]) { Choices = choices };
    }
}
