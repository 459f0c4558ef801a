using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Rules as JSON: <c>{"name":"reason","kind":"required","condition":"stage = \"lost\"","fields":["loss_reason"]}</c>.</summary>
internal static class RuleJson
{
    private static readonly RuleKind[] Kinds = Enum.GetValues<RuleKind>();
    private static readonly ScriptMoment[] Moments = Enum.GetValues<ScriptMoment>();
    private static readonly ScriptFailing[] Failings = Enum.GetValues<ScriptFailing>();

    public static JsonObject Write(RuleDefinition rule)
    {
        var json = new JsonObject { ["name"] = rule.Name, ["kind"] = ShapeJson.Word(rule.Kind) };
        void Put(string name, JsonNode? value)
        {
            if (value is not null)
            {
                json[name] = value;
            }
        }

        Put("condition", rule.Script is null && rule.Duplicate is null ? rule.Condition : null);
        Put("refuse", rule.Duplicate is { IsRefused: true } ? true : null);
        Put("similarity", rule.Duplicate is { Similarity: not 100 } alike ? alike.Similarity : null);
        Put("when", rule.Script is { } script ? ShapeJson.Word(script.When) : null);
        Put("fields", rule.Script is not null && rule.Fields.IsEmpty ? null : ShapeJson.Texts(rule.Fields));
        Put("label", rule.Label);
        Put("message", rule.Message);
        Put("options", rule.Options.IsEmpty ? null : ShapeJson.Texts(rule.Options));
        Put("on_failure", rule.Script is { OnFailure: not ScriptFailing.Refuse } failing ? ShapeJson.Word(failing.OnFailure) : null);
        Put("budget_ms", rule.Script is { Budget: not ScriptDefinition.DefaultBudget } limited ? limited.Budget : null);
        // Last, because it is long.
        Put("script", rule.Script?.Text);
        return json;
    }

    public static RuleDefinition Read(JsonElement element, string path, List<PlanMessage> errors, string origin)
    {
        using var json = new JsonInput(element, path, errors);
        var kind = Word(json, "kind", json.RequiredText("kind"), Kinds);
        var script = kind == RuleKind.Script ? Script(json) : null;
        var duplicate = kind == RuleKind.Duplicate ? new DuplicateDefinition(json.Boolean("refuse") ?? false) { Similarity = json.Integer("similarity") ?? 100 } : null;
        return new RuleDefinition(json.RequiredText("name"), kind, script is null && duplicate is null ? json.RequiredText("condition") : "", json.Texts("fields") ?? [])
        {
            Script = script,
            Duplicate = duplicate,
            Label = json.Text("label"),
            Message = json.Text("message"),
            Options = json.Texts("options") ?? [],
            Origin = origin,
        };
    }

    private static ScriptDefinition Script(JsonInput json) =>
        // Line ends differ between the machines that edit packages; a script does not.
        new(json.RequiredText("script").ReplaceLineEndings("\n"), Word(json, "when", json.RequiredText("when"), Moments))
        {
            OnFailure = json.Text("on_failure") is { } failing ? Word(json, "on_failure", failing, Failings) : ScriptFailing.Refuse,
            Budget = json.Integer("budget_ms") ?? ScriptDefinition.DefaultBudget,
        };

    private static T Word<T>(JsonInput json, string property, string word, T[] known)
        where T : struct, Enum
    {
        var found = known.FirstOrDefault(k => ShapeJson.Word(k) == word);
        if (word.Length > 0 && ShapeJson.Word(found) != word)
        {
            json.Error(ErrorCodes.Unknown, property, MetadataTexts.Of(property == "kind" ? "UnknownRuleKind" : "UnknownWord", LayerEdit.Short(word), string.Join(", ", known.Select(k => ShapeJson.Word(k)))));
        }

        return found;
    }
}
