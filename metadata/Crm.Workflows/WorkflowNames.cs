using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Metadata;
using Dapper;
using Npgsql;

namespace Crm.Workflows;

/// <summary>Lets workflows mean entities by their new names: every version of them, because runs keep the version they began with.</summary>
internal sealed class WorkflowNames : IEntityNames
{
    public ImmutableArray<EntityNameColumn> Columns { get; } =
    [
        new("workflow_definition", "entity"),
        new("workflow_definition", "uses", EntityNameKind.Uses),
        new("workflow_trigger", "entity"),
        new("workflow_instance", "entity"),
        new("workflow_bookmark", "entity"),
    ];

    public async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, EntityRename rename, CancellationToken ct)
    {
        var models = await connection.QueryAsync<(string Id, string Model)>(new CommandDefinition(
            "SELECT id, model::text FROM crm.workflow_definition WHERE strpos(model::text, @From) > 0", new { rename.From }, transaction, cancellationToken: ct));
        foreach (var (id, text) in models.AsList())
        {
            var model = JsonNode.Parse(text)!;
            var followed = Follow(model, rename)!.ToJsonString();
            if (followed != model.ToJsonString())
            {
                await connection.ExecuteAsync(new CommandDefinition(
                    "UPDATE crm.workflow_definition SET model = @followed::json WHERE id = @id", new { id, followed }, transaction, cancellationToken: ct));
            }
        }

        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { WorkflowStore.Channel }, transaction, cancellationToken: ct));
    }

    /// <summary>A part of a definition with the new name: in inputs called <c>entity</c>, in references to records, and in expressions.</summary>
    internal static JsonNode? Follow(JsonNode? node, EntityRename rename)
    {
        switch (node)
        {
            case JsonObject json when ActivityNode.Text(json["type"]) == ExpressionKinds.Crm && ActivityNode.Text(json["value"]) is { } formula:
                var expression = json.DeepClone().AsObject();
                expression["value"] = rename.InExpression(formula);
                return expression;
            case JsonObject json:
                return new JsonObject(json.Select(p => KeyValuePair.Create(p.Key, p.Key == "entity" ? Entity(p.Value, rename) : Follow(p.Value, rename))));
            case JsonArray list:
                return new JsonArray([.. list.Select(i => Follow(i, rename))]);
            case JsonValue when ActivityNode.Text(node) is { } text && text.StartsWith(rename.From + ":", StringComparison.Ordinal) && Guid.TryParse(text.AsSpan(rename.From.Length + 1), out _):
                return JsonValue.Create(rename.To + text[rename.From.Length..]);
            case JsonValue when ActivityNode.Text(node) is ['{' or '[', ..] text && text.Contains(rename.From, StringComparison.Ordinal) && Parsed(text) is { } inner:
                // Values of fields may stand there as a text of their own.
                return JsonValue.Create(Follow(inner, rename)!.ToJsonString());
            default:
                return node?.DeepClone();
        }
    }

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            // A text that only looks like one.
            return null;
        }
    }

    /// <summary>An input that names an entity: the name itself, or an expression that holds it.</summary>
    private static JsonNode? Entity(JsonNode? input, EntityRename rename) => input switch
    {
        JsonValue when ActivityNode.Text(input) == rename.From => JsonValue.Create(rename.To),
        JsonObject json => new JsonObject(json.Select(p => KeyValuePair.Create(p.Key, p.Key is "expression" or "value" ? Entity(p.Value, rename) : p.Value?.DeepClone()))),
        _ => input?.DeepClone(),
    };
}
