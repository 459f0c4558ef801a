using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>
/// Which file of a package holds what. It knows no property: a list of named things is a folder with a file for each, a thing of its own (the form) is a file, and
/// everything else stands in the item's main file, so that a property invented later travels without a line of code here.
/// </summary>
internal static class PackageLayout
{
    /// <summary>The file that makes a folder a package.</summary>
    public const string Manifest = "crm.yaml";

    /// <summary>Version of this layout.</summary>
    public const int Format = 1;

    private const string Ending = ".yaml";
    private const int MaxName = 64;

    // Beside the file name, which is the item's name, it would only be something else to keep in step. Who owns an entity is said by its prefix.
    private static readonly string[] SaidByPath = ["name", "owner"];

    /// <summary>Files of an entity, an area or the settings.</summary>
    public static IEnumerable<PackageFile> Write(string kind, string name, JsonObject item)
    {
        var main = new JsonObject();
        var folder = Folder(kind) + "/" + name;
        foreach (var (property, value) in item)
        {
            switch (value)
            {
                case var _ when SaidByPath.Contains(property):
                    break;
                case JsonArray { Count: > 0 } list when kind == "entity" && Names(list) is { } names:
                    main[property] = new JsonArray([.. names.Select(n => (JsonNode)n)]);
                    foreach (var part in list.Select(p => p!.AsObject()))
                    {
                        yield return new PackageFile($"{folder}/{property}/{part["name"]}{Ending}", YamlText.Write(Without(part)));
                    }

                    break;
                case JsonObject part when kind == "entity":
                    yield return new PackageFile($"{folder}/{property}{Ending}", YamlText.Write(part));
                    break;
                default:
                    main[property] = value?.DeepClone();
                    break;
            }
        }

        // A form alone needs no file that says nothing.
        if (main.Count == 0 && item.Any(p => p.Value is JsonObject))
        {
            yield break;
        }

        yield return new PackageFile(kind switch { "entity" => $"{folder}/entity{Ending}", SettingsJson.Name => name + Ending, _ => folder + Ending }, YamlText.Write(main));
    }

    /// <summary>Puts the files of each item together again.</summary>
    public static List<PackageItem> Read(IEnumerable<PackageFile> files, List<PlanMessage> errors)
    {
        var items = new List<PackageItem>();
        foreach (var group in files.Where(f => f.Path != Manifest).GroupBy(f => ItemOf(f.Path)).OrderBy(g => g.Key.Name, StringComparer.Ordinal))
        {
            try
            {
                items.Add(Read(group.Key.Kind, group.Key.Name, [.. group.OrderBy(f => f.Path, StringComparer.Ordinal)]));
            }
            catch (PackageException problem)
            {
                errors.Add(problem.ToMessage());
            }
        }

        return items;
    }

    /// <summary>Whether a file may be in a package.</summary>
    public static bool IsKnown(string path) => path == Manifest || ItemOf(path).Kind.Length > 0;

    private static PackageItem Read(string kind, string name, List<PackageFile> files)
    {
        var home = kind == "entity" ? $"{Folder(kind)}/{name}/entity{Ending}" : files[0].Path;
        var lines = new PackageLines(home);
        var json = files.Find(f => f.Path == home) is { } main ? YamlInput.Read(main, lines, "") : [];
        foreach (var (property, parts) in files.Where(f => f.Path != home).GroupBy(PropertyOf).Select(g => (g.Key, g.ToList())))
        {
            if (parts is [{ } whole] && whole.Path.Split('/').Length == 3)
            {
                if (json.ContainsKey(property))
                {
                    throw new PackageException(whole.Path, 1, MetadataTexts.Of("PackageTwice", property, home));
                }

                json[property] = YamlInput.Read(whole, lines, property);
                continue;
            }

            var order = Order(json, property, lines);
            var named = parts.ToDictionary(p => p.Path.Split('/')[^1][..^Ending.Length], StringComparer.Ordinal);
            if (order.Find(o => !named.ContainsKey(o)) is { } missing)
            {
                var (path, line) = lines.Locate(string.Create(CultureInfo.InvariantCulture, $"{property}[{order.IndexOf(missing)}]"));
                throw new PackageException(path, line, MetadataTexts.Of("PackageNoFile", LayerEdit.Short(missing), property));
            }

            var list = new JsonArray();
            foreach (var part in order.Union(named.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal))
            {
                list.Add(Part(named[part], part, lines, string.Create(CultureInfo.InvariantCulture, $"{property}[{list.Count}]")));
            }

            json[property] = list;
        }

        json["name"] = name;
        return new PackageItem(kind, name, json, lines);
    }

    private static JsonObject Part(PackageFile file, string name, PackageLines lines, string at)
    {
        var json = YamlInput.Read(file, lines, at);
        if (json.ContainsKey("name"))
        {
            throw new PackageException(file.Path, 1, MetadataTexts.Of("PackageName"));
        }

        // First, as everywhere else.
        json.Insert(0, "name", name);
        return json;
    }

    private static List<string> Order(JsonObject json, string property, PackageLines lines)
    {
        if (json[property] is not { } order)
        {
            return [];
        }

        var (path, line) = lines.Locate(property);
        return order is JsonArray list && list.All(i => i?.GetValueKind() == JsonValueKind.String)
            ? [.. list.Select(i => i!.GetValue<string>())]
            : throw new PackageException(path, line, MetadataTexts.Of("JsonTexts", property));
    }

    private static string[]? Names(JsonArray list)
    {
        var names = list.Select(i => i is JsonObject part && part["name"] is JsonValue name ? name.ToString() : "").ToArray();
        return names.All(IsName) && names.Distinct(StringComparer.Ordinal).Count() == names.Length ? names : null;
    }

    private static JsonObject Without(JsonObject part)
    {
        var copy = part.DeepClone().AsObject();
        copy.Remove("name");
        return copy;
    }

    private static string PropertyOf(PackageFile file)
    {
        var segments = file.Path.Split('/');
        return segments.Length == 3 ? segments[2][..^Ending.Length] : segments[2];
    }

    private static (string Kind, string Name) ItemOf(string path)
    {
        if (!path.EndsWith(Ending, StringComparison.Ordinal))
        {
            return ("", "");
        }

        var segments = path[..^Ending.Length].Split('/');
        return !segments.All(IsName) ? ("", "") : segments switch
        {
            ["entities", var entity, _] => ("entity", entity),
            ["entities", var entity, _, _] => ("entity", entity),
            ["areas", var area] => ("area", area),
            [SettingsJson.Name] => (SettingsJson.Name, SettingsJson.Name),
            _ => ("", ""),
        };
    }

    private static string Folder(string kind) => kind == "entity" ? "entities" : "areas";

    private static bool IsName(string name) => Sdk.Names.Problem(name, MaxName) is null;
}

/// <summary>An entity or area of a package, or its settings.</summary>
/// <param name="Kind"><c>entity</c>, <c>area</c> or <c>settings</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Json">What the package says about it, as definitions are stored.</param>
/// <param name="Lines">Where it says so.</param>
internal sealed record PackageItem(string Kind, string Name, JsonObject Json, PackageLines Lines);
