using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Host.Security;
using Crm.Records;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Who changed a record, when, and what.</summary>
internal static class HistoryEndpoints
{
    public static void MapHistory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/records/{entity}/{id}/history", (Delegate)HandleAsync).RequireAuthorization().OpenToNarrowedKeys()
            .WithTags("records").WithSummary("The history of a record, newest first");
        routes.MapGet("/api/records/{entity}/{id:guid}/views", (Delegate)ViewsAsync).RequireAuthorization()
            .WithTags("records").WithSummary("Who looked at a record, the last ones first")
            .WithDescription("For those who may share the record, of entities that keep it (view_log). One line for each user and hour.");
    }

    private static async Task<IResult> ViewsAsync(string entity, Guid id, [FromServices] ViewLog log, [FromServices] CurrentActor actor, CancellationToken ct) =>
        await log.ReadAsync(actor.Value, entity, id, ct) is { } views
            ? Results.Json(new JsonObject
            {
                ["value"] = new JsonArray([.. views.Select(v => (JsonNode)new JsonObject
                {
                    ["user_id"] = v.UserId,
                    ["user_name"] = v.UserName,
                    ["first_at"] = v.FirstAt.UtcDateTime,
                    ["last_at"] = v.LastAt.UtcDateTime,
                    ["times"] = v.Times,
                })]),
            })
            : throw new ApiException(ApiError.NotFound($"There is no {entity} with the id {id} that you may share.", "id"));

    private static async Task HandleAsync(
        HttpContext context, string entity, string id, [FromServices] IRecordService records, [FromServices] ODataModels models, [FromServices] RecordSharing sharing, [FromServices] CurrentActor actor)
    {
        var model = models.Current;
        var set = model.ByEntity.GetValueOrDefault(entity) ?? model.Sets.GetValueOrDefault(entity)
            ?? throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, $"There is no entity '{entity}'.", entity));
        if (!Guid.TryParse(id, out var key))
        {
            throw new ApiException(ApiError.NotFound($"'{id}' is no id; ids look like {Guid.Empty}.", "id"));
        }

        var entries = await records.HistoryAsync(set.Entity.Name, key, context.RequestAborted);
        if (entries.IsEmpty)
        {
            throw new ApiException(ApiError.NotFound($"There is no {set.Entity.Name} with the id {id}.", "id"));
        }

        var sharings = await sharing.HistoryAsync(actor.Value, set.Entity.Name, key, context.RequestAborted);
        context.Response.ContentType = "application/json;charset=utf-8";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, Errors.Unescaped))
        {
            json.WriteStartObject();
            json.WriteStartArray("value");
            foreach (var line in HistoryLine.Of(entries, sharings))
            {
                if (line.Write is { } entry)
                {
                    Write(json, entry, set.Entity);
                }
                else
                {
                    Write(json, line.Sharing!);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, HistoryEntry entry, EntityDefinition entity)
    {
        json.WriteStartObject();
        json.WriteString("at", entry.At.UtcDateTime);
        json.WriteString("user_id", entry.UserId);
        json.WriteString("user_name", entry.UserName);
        json.WriteString("kind", entry.Kind switch { ChangeKind.Create => "create", ChangeKind.Update => "update", _ => "delete" });
        json.WriteNumber("version", entry.Version);
        json.WriteString("source", entry.Source);
        ValueJson.WriteCause(json, entry.Cause);
        json.WriteStartArray("changes");
        foreach (var change in entry.Changes)
        {
            // A field that is hidden now, or gone, is not shown here either.
            if (entity.TryField(change.Field, out var field) && !field.IsHidden)
            {
                json.WriteStartObject();
                json.WriteString("field", change.Field);
                json.WritePropertyName("before");
                ValueJson.WriteWhole(json, field.Type, change.Before);
                json.WritePropertyName("after");
                ValueJson.WriteWhole(json, field.Type, change.After);
                if (change.Rule is { } rule)
                {
                    json.WriteString("rule", rule);
                }

                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ShareEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("at", entry.At.UtcDateTime);
        json.WriteString("user_id", entry.UserId);
        json.WriteString("user_name", entry.UserName);
        json.WriteString("kind", "share");
        if (entry.Restricted is { } restricted)
        {
            json.WriteBoolean("restricted", restricted);
        }

        json.WriteStartArray("shares");
        foreach (var change in entry.Shares)
        {
            json.WriteStartObject();
            json.WriteString("with", AccessEndpoints.With(change.With));
            json.WriteString("kind", AccessEndpoints.Kind(change.With, change.IsTeam));
            json.WriteString("name", change.Name);
            json.WriteString("before", change.Before is { } before ? RecordSharing.Word(before) : null);
            json.WriteString("after", change.After is { } after ? RecordSharing.Word(after) : null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
