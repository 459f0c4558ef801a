using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Crm.Cli;

/// <summary>A file of a folder and where it goes.</summary>
/// <param name="File">Its name in the folder.</param>
/// <param name="Entity">The entity.</param>
/// <param name="Options">Other parts of the import request: mode, match, encoding, delimiter, sheet.</param>
/// <param name="Mapping">The mapping, as the API takes it; null to let the CRM guess.</param>
internal sealed record PlannedFile(string File, string Entity, IReadOnlyDictionary<string, string> Options, JsonObject? Mapping);

/// <summary>A figure to read back: how many records match, or the sum of a field over them.</summary>
/// <param name="Label">Shown to the user.</param>
/// <param name="Set">The entity set.</param>
/// <param name="Filter">OData filter; null for all records.</param>
/// <param name="Sum">The property to add up; null to count.</param>
/// <param name="Expect">What it should be; null when nobody said.</param>
internal sealed record Figure(string Label, string Set, string? Filter, string? Sum, decimal? Expect);

/// <summary>The mapping file: which files go where, in order, and which figures are read back.</summary>
internal sealed record ImportPlan(IReadOnlyList<PlannedFile> Files, IReadOnlyList<Figure> Figures)
{
    private static readonly string[] OptionNames = ["mode", "match", "encoding", "delimiter", "sheet"];
    private static readonly string[] MappingNames = ["fields", "culture", "date_formats", "time_zone", "empty"];

    /// <summary>Reads the YAML.</summary>
    /// <exception cref="CliException">It is none, or says something nobody understands.</exception>
    public static ImportPlan Parse(string yaml)
    {
        try
        {
            var root = Map(new DeserializerBuilder().Build().Deserialize<object?>(yaml), "the mapping file");
            Check(root, ["files", "figures"], "the mapping file");
            var files = List(root, "files").Select(File).ToList();
            return files.Count > 0 ? new ImportPlan(files, [.. List(root, "figures").Select(ReadFigure)]) : throw new CliException(Texts.Of("NoFiles"));
        }
        catch (YamlException problem)
        {
            throw new CliException(Texts.Of("YamlUnreadable", problem.Start.Line, problem.InnerException?.Message ?? problem.Message));
        }
    }

    private static PlannedFile File(object? item)
    {
        var map = Map(item, "files");
        Check(map, ["file", "entity", .. OptionNames, .. MappingNames], "files");
        var name = Text(map, "file") ?? throw new CliException(Texts.Of("Missing", "file", "files"));
        if (Path.GetFileName(name) != name)
        {
            throw new CliException(Texts.Of("NotInFolder", name));
        }

        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in OptionNames.Where(map.ContainsKey))
        {
            options[option] = map[option] is List<object?> list ? string.Join(',', list) : map[option]?.ToString() ?? "";
        }

        return new PlannedFile(name, Text(map, "entity") ?? throw new CliException(Texts.Of("Missing", "entity", name)), options, Mapping(map));
    }

    private static JsonObject? Mapping(Dictionary<string, object?> map)
    {
        if (!MappingNames.Any(map.ContainsKey))
        {
            return null;
        }

        var mapping = new JsonObject();
        foreach (var name in MappingNames.Where(map.ContainsKey))
        {
            mapping[name] = Json(map[name]);
        }

        if (mapping["fields"] is JsonObject fields)
        {
            // A field with a plain text is that column.
            foreach (var (field, column) in fields.Where(f => f.Value is JsonValue).ToList())
            {
                fields[field] = new JsonObject { ["column"] = column!.DeepClone() };
            }
        }

        return mapping;
    }

    private static Figure ReadFigure(object? item)
    {
        var map = Map(item, "figures");
        Check(map, ["label", "set", "filter", "sum", "expect"], "figures");
        var set = Text(map, "set") ?? throw new CliException(Texts.Of("Missing", "set", "figures"));
        decimal? expect = null;
        if (Text(map, "expect") is { } text)
        {
            expect = decimal.TryParse(text, System.Globalization.NumberStyles.Number, System.Globalization.CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new CliException(Texts.Of("NotANumber", text));
        }

        return new Figure(Text(map, "label") ?? set, set, Text(map, "filter"), Text(map, "sum"), expect);
    }

    private static JsonNode? Json(object? value) => value switch
    {
        null => null,
        Dictionary<object, object?> map => new JsonObject(map.Select(m => KeyValuePair.Create(m.Key.ToString()!, Json(m.Value)))),
        List<object?> list => new JsonArray([.. list.Select(Json)]),
        _ => JsonValue.Create(value.ToString()),
    };

    private static Dictionary<string, object?> Map(object? value, string where) =>
        value is Dictionary<object, object?> map ? map.ToDictionary(m => m.Key.ToString()!, m => m.Value, StringComparer.Ordinal) : throw new CliException(Texts.Of("NotAMap", where));

    private static List<object?> List(Dictionary<string, object?> map, string name) => map.GetValueOrDefault(name) switch
    {
        null => [],
        List<object?> list => list,
        _ => throw new CliException(Texts.Of("NotAList", name)),
    };

    private static string? Text(Dictionary<string, object?> map, string name) => map.GetValueOrDefault(name)?.ToString();

    private static void Check(Dictionary<string, object?> map, string[] known, string where)
    {
        if (map.Keys.FirstOrDefault(k => !known.Contains(k)) is { } unknown)
        {
            throw new CliException(Texts.Of("UnknownKey", unknown, where, string.Join(", ", known)));
        }
    }
}
