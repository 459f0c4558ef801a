using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What a module declares, as it is kept while a table is prepared for it.</summary>
internal static class DeclareJson
{
    public static JsonObject Write(MetadataChange.Declare declare) => new()
    {
        ["id"] = declare.Module.Id,
        ["name"] = declare.Module.Name,
        ["depends_on"] = ShapeJson.Texts(ModuleStates.DependsOn(declare.Module)),
        ["version"] = declare.Version,
        ["entities"] = new JsonArray([.. declare.Shape.Entities.Select(ShapeJson.Write)]),
        ["areas"] = new JsonArray([.. declare.Shape.Areas.Select(ShapeJson.Write)]),
    };

    /// <summary>Written by us, in the words of stored definitions: it cannot fail but for a fault of ours.</summary>
    public static MetadataChange.Declare Read(JsonElement element)
    {
        var errors = new List<PlanMessage>();
        using var json = new JsonInput(element, "", errors);
        var id = json.RequiredText("id");
        var module = new ModuleInfo(id, json.RequiredText("name"), [.. json.Texts("depends_on") ?? []]);
        var version = json.Text("version");
        var entities = ImmutableArray.CreateBuilder<EntityShape>();
        foreach (var (item, path) in json.Items("entities"))
        {
            using var entity = new JsonInput(item, path, errors);
            entities.Add(ShapeJson.ReadEntity(entity, errors, entity.RequiredText("name"), id, isStored: true, out _));
        }

        ImmutableArray<AreaDefinition> areas = [.. json.Items("areas").Select(a => ShapeJson.ReadArea(a.Element, a.Path, errors, id))];
        return errors.Count == 0
            ? new MetadataChange.Declare(module, new DeclaredShape(entities.ToImmutable(), areas)) { Version = version }
            : throw new InvalidOperationException($"What the module '{id}' declares cannot be read back: {errors[0].Target}: {errors[0].Message}");
    }
}
