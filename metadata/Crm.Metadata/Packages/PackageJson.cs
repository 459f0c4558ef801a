using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>A package as one change in JSON, as plans and history keep it.</summary>
internal static class PackageJson
{
    public static JsonObject Write(MetadataChange.Import import) => new()
    {
        ["change"] = "import",
        ["complete"] = import.IsComplete,
        ["needs"] = ShapeJson.Texts(import.Needs),
        ["entities"] = new JsonArray([.. import.Shape.Entities.Select(ShapeJson.Write)]),
        ["areas"] = new JsonArray([.. import.Shape.Areas.Select(ShapeJson.Write)]),
        [SettingsJson.Name] = SettingsJson.Write(import.Shape.Settings),
    };

    public static MetadataChange.Import Read(JsonInput json, List<PlanMessage> errors)
    {
        var entities = ImmutableArray.CreateBuilder<EntityShape>();
        foreach (var (element, path) in json.Items("entities"))
        {
            using var entity = new JsonInput(element, path, errors);
            entities.Add(ShapeJson.ReadEntity(entity, errors, entity.RequiredText("name"), Origins.Custom, isStored: true, out _));
        }

        ImmutableArray<AreaDefinition> areas = [.. json.Items("areas").Select(a => ShapeJson.ReadArea(a.Element, a.Path, errors, Origins.Custom))];
        // A change of an earlier version says nothing about them.
        var settings = json.Element(SettingsJson.Name) is { } said ? SettingsJson.Read(said, json.At(SettingsJson.Name), errors) : InstallationSettings.None;
        return new MetadataChange.Import(new DeclaredShape(entities.ToImmutable(), areas) { Settings = settings }, json.Texts("needs") ?? [], json.Boolean("complete") ?? false);
    }
}
