using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Roll-ups as JSON: <c>{"entity":"opportunity","lookup":"company","function":"sum","value":"budget","condition":"stage = \"won\""}</c>.</summary>
internal static class RollUpJson
{
    private static readonly RollUpFunction[] Functions = Enum.GetValues<RollUpFunction>();

    public static JsonObject? Write(RollUpDefinition? rollUp)
    {
        if (rollUp is null)
        {
            return null;
        }

        var json = new JsonObject { ["entity"] = rollUp.Entity, ["lookup"] = rollUp.Lookup, ["function"] = ShapeJson.Word(rollUp.Function) };
        foreach (var (name, value) in new[] { ("value", rollUp.Value), ("condition", rollUp.Condition), ("order_by", rollUp.OrderBy) })
        {
            if (value is not null)
            {
                json[name] = value;
            }
        }

        return json;
    }

    public static RollUpDefinition Read(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        var word = json.RequiredText("function");
        var function = Functions.FirstOrDefault(f => ShapeJson.Word(f) == word);
        if (word.Length > 0 && ShapeJson.Word(function) != word)
        {
            json.Error(ErrorCodes.Unknown, "function", MetadataTexts.Of("UnknownFunction", LayerEdit.Short(word), string.Join(", ", Functions.Select(f => ShapeJson.Word(f)))));
        }

        return new RollUpDefinition(json.RequiredText("entity"), json.RequiredText("lookup"), function, json.Text("value"), json.Text("condition"), json.Text("order_by"));
    }
}
