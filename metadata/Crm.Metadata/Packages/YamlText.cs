using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>
/// Writes JSON as YAML for people and for a diff: one property a line, long texts line by line. Written by hand, because the same definitions must give the
/// same bytes for years, whatever a library's next version prefers.
/// </summary>
internal static class YamlText
{
    // Words that some readers of YAML take for something else than a text.
    private static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase) { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };

    public static string Write(JsonObject json)
    {
        var yaml = new StringBuilder();
        foreach (var (name, value) in json)
        {
            Property(yaml, name, value, 0);
        }

        return yaml.ToString();
    }

    private static void Property(StringBuilder yaml, string name, JsonNode? value, int indent)
    {
        yaml.Append(' ', indent).Append(IsPlain(name) ? name : Quoted(name)).Append(':');
        switch (value)
        {
            case JsonObject { Count: > 0 } map:
                yaml.Append('\n');
                foreach (var (inner, item) in map)
                {
                    Property(yaml, inner, item, indent + 2);
                }

                break;
            case JsonArray { Count: > 0 } list:
                yaml.Append('\n');
                foreach (var item in list)
                {
                    Item(yaml, item, indent + 2);
                }

                break;
            default:
                yaml.Append(' ').Append(Scalar(value, indent + 2)).Append('\n');
                break;
        }
    }

    private static void Item(StringBuilder yaml, JsonNode? item, int indent)
    {
        if (item is JsonObject { Count: > 0 } map)
        {
            var start = yaml.Length;
            foreach (var (name, value) in map)
            {
                Property(yaml, name, value, indent + 2);
            }

            // The first property stands behind the dash.
            yaml[start + indent] = '-';
            return;
        }

        // A list in a list is rare and short: as JSON, which is YAML as well.
        yaml.Append(' ', indent).Append("- ").Append(item is JsonArray ? Inline(item) : Scalar(item, indent + 2)).Append('\n');
    }

    private static string Scalar(JsonNode? value, int indent) => value switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        _ when value.GetValueKind() == JsonValueKind.String => Text(value.GetValue<string>(), indent),
        _ => value.ToJsonString(),
    };

    private static string Text(string text, int indent)
    {
        if (IsPlain(text))
        {
            return text;
        }

        if (!IsBlock(text))
        {
            return Quoted(text);
        }

        var block = new StringBuilder(text.EndsWith('\n') ? "|" : "|-");
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            block.Append('\n').Append(' ', line.Length == 0 ? 0 : indent).Append(line);
        }

        return block.ToString();
    }

    private static bool IsPlain(string text) =>
        text.Length > 0 && char.IsLetter(text[0]) && text[^1] != ' ' && !Words.Contains(text)
        && text.All(c => char.IsLetterOrDigit(c) || c is ' ' or '_' or '-' or '.' or '/' or '(' or ')' or '+' or '\'' or ',');

    /// <summary>Whether a text of several lines can stand as it is: nothing in it that a reader or an editor would change.</summary>
    private static bool IsBlock(string text) =>
        text.Contains('\n', StringComparison.Ordinal) && !text.EndsWith("\n\n", StringComparison.Ordinal) && text[0] is not ('\n' or ' ')
        && !text.Contains(" \n", StringComparison.Ordinal) && text[^1] != ' ' && text.All(c => c == '\n' || !NeedsEscape(c));

    private static bool NeedsEscape(char c) =>
        char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF';

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                > 0xFFFF => quoted.Append(rune.ToString()),
                var value when NeedsEscape((char)value) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{value:X4}"),
                _ => quoted.Append(rune.ToString()),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static string Inline(JsonNode list) =>
        "[" + string.Join(", ", list.AsArray().Select(i => i is JsonArray inner ? Inline(inner) : i?.GetValueKind() == JsonValueKind.String ? Quoted(i.GetValue<string>()) : i?.ToJsonString() ?? "null")) + "]";
}
