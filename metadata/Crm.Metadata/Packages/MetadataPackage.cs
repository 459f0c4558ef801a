using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>The customer's layer as a zip of readable files, to be kept in git and carried to another installation.</summary>
public static class MetadataPackage
{
    /// <summary>Largest zip that is read, in bytes.</summary>
    public const int MaxZipBytes = 25 * 1024 * 1024;

    /// <summary>Packs what the customer changed; the same definitions give the same bytes.</summary>
    public static byte[] Export(MetadataState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return PackageZip.Write(Files(state.Layers));
    }

    /// <summary>Reads a package; nothing is changed. The change is only there when there are no errors.</summary>
    /// <param name="zip">The zip; a stranger's.</param>
    /// <param name="isComplete">Whether what the package does not say goes back to the layers below.</param>
    public static (MetadataChange.Import? Change, ImmutableArray<PlanMessage> Errors) Read(Stream zip, bool isComplete)
    {
        ArgumentNullException.ThrowIfNull(zip);
        var errors = new List<PlanMessage>();
        try
        {
            var files = PackageZip.Read(zip);
            var needs = Manifest(files);
            var entities = ImmutableArray.CreateBuilder<EntityShape>();
            var areas = ImmutableArray.CreateBuilder<AreaDefinition>();
            var settings = InstallationSettings.None;
            foreach (var item in PackageLayout.Read(files, errors))
            {
                Read(item, entities, areas, ref settings, errors);
            }

            return errors.Count == 0
                ? (new MetadataChange.Import(new DeclaredShape(entities.ToImmutable(), areas.ToImmutable()) { Settings = settings }, needs, isComplete), [])
                : (null, [.. errors]);
        }
        catch (PackageException problem)
        {
            return (null, [problem.ToMessage()]);
        }
    }

    internal static IEnumerable<PackageFile> Files(MetadataLayers layers)
    {
        // An override that says nothing any more is no override.
        var entities = layers.Custom.Entities.Values.Select(e => (Shape: e, Json: ShapeJson.Write(ImportIds.Exported(layers, e)))).Where(e => e.Json.Count > 1).ToList();
        var manifest = new JsonObject { ["format"] = PackageLayout.Format };
        if (Needs(layers, entities.Select(e => e.Shape)) is { Length: > 0 } needs)
        {
            manifest["needs"] = ShapeJson.Texts(needs);
        }

        return
        [
            new PackageFile(PackageLayout.Manifest, YamlText.Write(manifest)),
            .. entities.SelectMany(e => PackageLayout.Write("entity", e.Shape.Name, e.Json)),
            .. layers.Custom.Areas.SelectMany(a => PackageLayout.Write("area", a.Name, ShapeJson.Write(a))),
            .. layers.Custom.Settings == InstallationSettings.None ? [] : PackageLayout.Write(SettingsJson.Name, SettingsJson.Name, SettingsJson.Write(layers.Custom.Settings)),
        ];
    }

    /// <summary>Modules whose entities and fields the customer's layer builds on.</summary>
    private static string[] Needs(MetadataLayers layers, IEnumerable<EntityShape> customised)
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var layer in layers.Items.Where(l => !l.IsCustom))
        {
            foreach (var entity in layer.Entities.Values)
            {
                if (entity.IsOwner)
                {
                    owners.TryAdd(entity.Name, layer.Name);
                }

                foreach (var field in entity.Fields.Where(f => f.Type is not null))
                {
                    owners.TryAdd(entity.Name + "." + field.Name, layer.Name);
                }
            }
        }

        var touched = customised.SelectMany(e => e.Fields
            .SelectMany(f => new[] { f.Type is null ? e.Name + "." + f.Name : null, f.Target })
            .Append(e.Name));
        return [.. touched.OfType<string>().Select(owners.GetValueOrDefault).OfType<string>().Where(o => o != Origins.Platform).Distinct().Order(StringComparer.Ordinal)];
    }

    private static ImmutableArray<string> Manifest(ImmutableArray<PackageFile> files)
    {
        var file = files.FirstOrDefault(f => f.Path == PackageLayout.Manifest) ?? throw new PackageException(null, 0, MetadataTexts.Of("PackageNoManifest", PackageLayout.Manifest));
        var lines = new PackageLines(file.Path);
        using var document = JsonDocument.Parse(YamlInput.Read(file, lines, "").ToJsonString());
        var errors = new List<PlanMessage>();
        int? format;
        ImmutableArray<string> needs;
        using (var json = new JsonInput(document.RootElement, "", errors))
        {
            format = json.Integer("format");
            needs = json.Texts("needs") ?? [];
        }

        var (path, line) = lines.Locate(errors.Count > 0 ? errors[0].Target ?? "" : "format");
        return errors.Count > 0 ? throw new PackageException(path, line, errors[0].Message)
            : format != PackageLayout.Format ? throw new PackageException(path, line, MetadataTexts.Of("PackageFormat", PackageLayout.Format))
            : needs;
    }

    private static void Read(PackageItem item, ImmutableArray<EntityShape>.Builder entities, ImmutableArray<AreaDefinition>.Builder areas, ref InstallationSettings settings, List<PlanMessage> errors)
    {
        var found = new List<PlanMessage>();
        using var document = JsonDocument.Parse(item.Json.ToJsonString());
        if (item.Kind == "area")
        {
            areas.Add(ShapeJson.ReadArea(document.RootElement, "", found, Origins.Custom));
        }
        else if (item.Kind == SettingsJson.Name)
        {
            using var json = new JsonInput(document.RootElement, "", found);
            settings = SettingsJson.Read(json);
            _ = json.RequiredText("name");
        }
        else
        {
            using var json = new JsonInput(document.RootElement, "", found);
            entities.Add(ShapeJson.ReadEntity(json, found, item.Name, Origins.Custom, isStored: true, out _) with { IsOwner = ImportEdit.IsOwn(item.Name) });
            _ = json.RequiredText("name");
        }

        errors.AddRange(found.Select(e => new PlanMessage(ErrorCodes.BadRequest, e.Message, item.Lines.Find(e.Target ?? ""))));
    }
}
