using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Rules as JSON: <c>{"name":"reason","kind":"required","condition":"stage = \"lost\"","fields":["loss_reason"]}</c>.</summary>
internal static class RuleJson
{
    private static readonly RuleKind[] Kinds = Enum.GetValues<RuleKind>();

    public static JsonObject Write(RuleDefinition rule)
    {
        var json = new JsonObject { ["name"] = rule.Name, ["kind"] = ShapeJson.Word(rule.Kind), ["condition"] = rule.Condition, ["fields"] = ShapeJson.Texts(rule.Fields) };
        void Put(string name, JsonNode? value)
        {
            if (value is not null)
            {
                json[name] = value;
            }
        }

        Put("label", rule.Label);
        Put("message", rule.Message);
        Put("options", rule.Options.IsEmpty ? null : ShapeJson.Texts(rule.Options));
        return json;
    }

    public static RuleDefinition Read(JsonElement element, string path, List<PlanMessage> errors, string origin)
    {
        using var json = new JsonInput(element, path, errors);
        var word = json.RequiredText("kind");
        var kind = Kinds.FirstOrDefault(k => ShapeJson.Word(k) == word);
        if (word.Length > 0 && ShapeJson.Word(kind) != word)
        {
            json.Error(ErrorCodes.Unknown, "kind", MetadataTexts.Of("UnknownRuleKind", LayerEdit.Short(word), string.Join(", ", Kinds.Select(k => ShapeJson.Word(k)))));
        }

        return new RuleDefinition(json.RequiredText("name"), kind, json.RequiredText("condition"), json.Texts("fields") ?? [])
        {
            Label = json.Text("label"),
            Message = json.Text("message"),
            Options = json.Texts("options") ?? [],
            Origin = origin,
        };
    }
}
