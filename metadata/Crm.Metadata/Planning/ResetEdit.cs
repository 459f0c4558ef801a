using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Takes properties out of the customer's layer. It works on the JSON of the layer, so that a property invented later needs no line here.</summary>
internal static class ResetEdit
{
    public static void Apply(LayerEdit edit, MetadataChange.ResetProperty reset)
    {
        if (edit.Find(reset.Entity) is not { } entity)
        {
            return;
        }

        var shown = string.Join(' ', reset.Path.Select(LayerEdit.Short));
        var wanted = PropertyOrigins.Overrides(edit.Layers, entity.Name).Where(path => LayerSays.IsBelow(path, reset.Path)).ToList();
        if (wanted.Count == 0)
        {
            edit.Error(ErrorCodes.Unknown, entity.Name, "ResetNothing", entity.Label, shown);
            return;
        }

        var json = ShapeJson.Write(edit.Custom(entity.Name));
        foreach (var path in wanted)
        {
            Remove(json, path);
        }

        using var document = JsonDocument.Parse(json.ToJsonString());
        using var input = new JsonInput(document.RootElement, entity.Name, edit.Errors);
        edit.Put(ShapeJson.ReadEntity(input, edit.Errors, input.RequiredText("name"), Origins.Custom, isStored: true, out _));
        edit.Step(entity.Name, reset.Path.IsEmpty ? "StepResetAll" : "StepReset", shown, entity.Label);
    }

    private static void Remove(JsonObject json, ImmutableArray<string> path)
    {
        switch (path)
        {
            case ["views" or "rules" or "grants", var name]:
                RemoveItem(json, path[0], i => i is JsonObject item && item["name"]!.GetValue<string>() == name);
                RemoveItem(json, "removed_" + path[0], i => i!.GetValue<string>() == name);
                break;
            case ["fields", var name, var property]:
                var field = json["fields"]!.AsArray().Single(f => f!["name"]!.GetValue<string>() == name)!.AsObject();
                LayerSays.PartsOf(property).ForEach(p => field.Remove(p));
                break;
            default:
                json.Remove(path[0]);
                break;
        }
    }

    private static void RemoveItem(JsonObject json, string list, Func<JsonNode?, bool> which)
    {
        if (json[list] is JsonArray items && items.FirstOrDefault(which) is { } item)
        {
            items.Remove(item);
        }
    }
}
