using System.Text.Json;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Records.Importing;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Templates of imports over the API: the same the import page offers.</summary>
internal static class ImportTemplateEndpoints
{
    private const string Example = """
        {"name":"Monthly list","mapping":{"fields":{"name":{"column":"account"},"industry":{"column":"sector","values":{"technolgy":"technology"}}}},"mode":"upsert","match":["name"]}
        """;

    public static void MapImportTemplates(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/import/{entity}/templates").RequireAuthorization().WithTags("import").AddEndpointFilter(async (call, next) =>
        {
            try
            {
                return await next(call);
            }
            catch (ImportFileException problem)
            {
                throw new ApiException(ImportEndpoints.ToError(problem));
            }
        });
        group.MapGet("", async (string entity, [FromServices] ImportTemplates templates, [FromServices] CurrentActor actor, CancellationToken ct) =>
            Results.Json(new { value = (await templates.ListAsync(entity, actor.Value, ct)).Select(Of) }, JobView.Json)).WithSummary("Import templates of an entity, shared ones and one's own");
        group.MapPost("", (Delegate)CreateAsync).WithSummary("Keeps what becomes what in an import under a name").WithMetadata(new ExampleBody(Example));
        group.MapGet("/{template}", async (string entity, string template, [FromServices] ImportTemplates templates, [FromServices] CurrentActor actor, CancellationToken ct) =>
            Results.Json(Of(await templates.FindAsync(entity, template, actor.Value, ct)), JobView.Json)).WithSummary("One import template, by its id or its name");
        group.MapPut("/{template}", (Delegate)ReplaceAsync).WithSummary("Changes an import template; without a mapping only its name and who is offered it").WithMetadata(new ExampleBody(Example));
        group.MapDelete("/{template}", async (string entity, string template, [FromServices] ImportTemplates templates, [FromServices] CurrentActor actor, CancellationToken ct) =>
        {
            await templates.DeleteAsync(await templates.FindAsync(entity, template, actor.Value, ct), actor.Value, ct);
            return Results.NoContent();
        }).WithSummary("Deletes an import template");
    }

    private static async Task<IResult> CreateAsync(HttpContext context, string entity, [FromServices] ImportTemplates templates, [FromServices] CurrentActor actor)
    {
        var wish = await ReadAsync(context.Request);
        var saved = await templates.SaveAsync(wish.For(Guid.CreateVersion7(), entity, actor.Value.UserId), actor.Value, context.RequestAborted);
        context.Response.Headers.Location = $"/api/import/{saved.Entity}/templates/{saved.Id}";
        return Results.Json(Of(saved), JobView.Json, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ReplaceAsync(HttpContext context, string entity, string template, [FromServices] ImportTemplates templates, [FromServices] CurrentActor actor)
    {
        var wish = await ReadAsync(context.Request);
        var known = await templates.FindAsync(entity, template, actor.Value, context.RequestAborted);
        if (wish.Mapping is not null)
        {
            await templates.SaveAsync(wish.For(known.Id, known.Entity, known.Owner), actor.Value, context.RequestAborted);
        }
        else
        {
            await templates.RenameAsync(known, wish.Name, wish.Shared, actor.Value, context.RequestAborted);
        }

        return Results.Json(Of(await templates.FindAsync(entity, known.Id.ToString(), actor.Value, context.RequestAborted)), JobView.Json);
    }

    private static async Task<Wish> ReadAsync(HttpRequest request)
    {
        using var body = await RecordBody.ParseAsync(request);
        try
        {
            return body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.Deserialize<Wish>(ImportMapping.Json) is { Name: not null } wish ? wish : throw Unreadable(null);
        }
        catch (JsonException problem)
        {
            throw Unreadable(problem.Path?.TrimStart('$', '.'));
        }
    }

    private static ApiException Unreadable(string? target) => new(ApiError.BadRequest(ImportTexts.Of("TemplateUnreadable"), target));

    private static object Of(ImportTemplate template) => new
    {
        template.Id,
        template.Entity,
        template.Name,
        shared = template.IsShared,
        template.Owner,
        mapping = JsonSerializer.SerializeToElement(template.Mapping, ImportMapping.Json),
        template.Mode,
        template.Match,
        acceptDuplicates = template.AcceptsDuplicates,
        missing = template.Missing.Select(m => m.Message),
        template.Withheld,
    };

    /// <summary>The body of a request.</summary>
    private sealed record Wish
    {
        public string Name { get; init; } = null!;

        public bool Shared { get; init; }

        public JsonElement? Mapping { get; init; }

        public ImportMode Mode { get; init; }

        public string[]? Match { get; init; }

        public bool AcceptDuplicates { get; init; }

        public ImportTemplate For(Guid id, string entity, Guid owner) =>
            new(id, entity, Name, Shared, owner, ImportMapping.Parse(Mapping?.GetRawText() ?? throw Unreadable("mapping"))) { Mode = Mode, Match = [.. Match ?? []], AcceptsDuplicates = AcceptDuplicates };
    }
}
