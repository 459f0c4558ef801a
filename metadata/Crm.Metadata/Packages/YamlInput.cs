using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Crm.Metadata;

/// <summary>
/// Reads a YAML file that a stranger wrote, as far as a package needs YAML: maps, lists and plain values. Anchors, aliases and tags, with which a small file can
/// become a huge or a strange one, are refused.
/// </summary>
internal sealed partial class YamlInput
{
    private const int MaxDepth = 40;

    private readonly Parser parser;
    private readonly PackageFile file;
    private readonly PackageLines lines;

    private YamlInput(PackageFile file, PackageLines lines)
    {
        parser = new Parser(new StringReader(file.Text));
        this.file = file;
        this.lines = lines;
    }

    /// <summary>The map a file holds; an empty file holds an empty one.</summary>
    /// <param name="file">The file.</param>
    /// <param name="lines">Where each value was found.</param>
    /// <param name="at">Path of the map within what the file is a part of.</param>
    /// <exception cref="PackageException">It cannot be read, with the line.</exception>
    public static JsonObject Read(PackageFile file, PackageLines lines, string at)
    {
        try
        {
            return new YamlInput(file, lines).Document(at);
        }
        catch (YamlException problem)
        {
            throw new PackageException(file.Path, problem.Start.Line, MetadataTexts.Of("YamlUnreadable", Reason(problem)));
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException or IndexOutOfRangeException or OverflowException)
        {
            // The parser stumbles over some texts in ways it does not know itself; that is the text's fault all the same.
            throw new PackageException(file.Path, 1, MetadataTexts.Of("YamlUnreadable", problem.Message));
        }
    }

    private static string Reason(YamlException problem) => problem.InnerException?.Message ?? problem.Message;

    private JsonObject Document(string at)
    {
        Next();
        if (Next() is StreamEnd)
        {
            return [];
        }

        var value = Value(Next(), at, 0);
        Next();
        if (Next() is { } more and not StreamEnd)
        {
            throw Refused(more, "YamlDocuments");
        }

        return value switch
        {
            JsonObject map => map,
            null => [],
            _ => throw new PackageException(file.Path, 1, MetadataTexts.Of("YamlMap")),
        };
    }

    private JsonNode? Value(ParsingEvent found, string at, int depth)
    {
        lines.Note(at, file.Path, found.Start.Line);
        if (depth > MaxDepth)
        {
            throw Refused(found, "YamlDepth", MaxDepth);
        }

        switch (found)
        {
            case NodeEvent node when !node.Anchor.IsEmpty:
            case AnchorAlias:
                throw Refused(found, "YamlAlias");
            case NodeEvent node when !node.Tag.IsEmpty:
                throw Refused(found, "YamlTag");
            case Scalar scalar:
                return Scalar(scalar);
            case SequenceStart:
                var list = new JsonArray();
                while (Next() is { } item and not SequenceEnd)
                {
                    list.Add(Value(item, string.Create(CultureInfo.InvariantCulture, $"{at}[{list.Count}]"), depth + 1));
                }

                return list;
            case MappingStart:
                var map = new JsonObject();
                while (Next() is { } key and not MappingEnd)
                {
                    var name = Key(key);
                    if (map.ContainsKey(name))
                    {
                        throw Refused(key, "JsonTwice", LayerEdit.Short(name));
                    }

                    map[name] = Value(Next(), at.Length == 0 ? name : at + "." + name, depth + 1);
                }

                return map;
            default:
                throw Refused(found, "YamlMap");
        }
    }

    private string Key(ParsingEvent found) => found switch
    {
        AnchorAlias => throw Refused(found, "YamlAlias"),
        NodeEvent { Anchor.IsEmpty: false } => throw Refused(found, "YamlAlias"),
        NodeEvent { Tag.IsEmpty: false } => throw Refused(found, "YamlTag"),
        Scalar scalar => scalar.Value,
        _ => throw Refused(found, "YamlKey"),
    };

    /// <summary>What is not quoted may be a number, a yes or no, or nothing; everything else is a text.</summary>
    private static JsonNode? Scalar(Scalar scalar) => scalar.Style != ScalarStyle.Plain ? JsonValue.Create(scalar.Value) : scalar.Value switch
    {
        "" or "~" or "null" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        var number when Number().IsMatch(number) => JsonNode.Parse(number),
        var text => JsonValue.Create(text),
    };

    private ParsingEvent Next()
    {
        return parser.MoveNext() && parser.Current is { } found ? found : throw new PackageException(file.Path, 1, MetadataTexts.Of("YamlMap"));
    }

    private PackageException Refused(ParsingEvent found, string text, params ReadOnlySpan<object?> arguments) =>
        new(file.Path, found.Start.Line, MetadataTexts.Of(text, arguments));

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();
}
