using System.Text;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>
/// Text with columns in braces: <c>{product} – {account}</c>. A part in brackets is left out when a column in it is empty:
/// <c>{product}[ – {account}]</c>. A bar changes the value: <c>{sales_agent|user_name}</c> gives <c>moses.frase</c>; also
/// <c>lower</c>, <c>upper</c>, <c>slug</c>. Braces and brackets are written twice to be taken as they are.
/// </summary>
internal sealed class TextTemplate
{
    private readonly List<Part> content;

    private TextTemplate(List<Part> content) => this.content = content;

    private enum Change
    {
        None,
        Lower,
        Upper,
        Slug,
        UserName,
    }

    /// <summary>Columns it names.</summary>
    public IEnumerable<string> Columns => content.SelectMany(p => p.Inner ?? [p]).Where(p => p.Column is not null).Select(p => p.Column!);

    /// <exception cref="FormatException">The template cannot be read; the message says why.</exception>
    public static TextTemplate Parse(string text)
    {
        var position = 0;
        return new TextTemplate(ParseParts(text, ref position, inBrackets: false));
    }

    /// <summary>Fills the template; empty when every column in it is.</summary>
    public string Fill(Func<string, string> column)
    {
        var text = new StringBuilder();
        var anything = false;
        foreach (var part in content)
        {
            if (part.Inner is null)
            {
                Append(part, column, text, ref anything);
                continue;
            }

            if (part.Inner.TrueForAll(p => p.Column is null || column(p.Column).Length > 0))
            {
                part.Inner.ForEach(p => Append(p, column, text, ref anything));
            }
        }

        return anything ? text.ToString().Trim() : "";
    }

    private static void Append(Part part, Func<string, string> column, StringBuilder text, ref bool anything)
    {
        if (part.Column is null)
        {
            text.Append(part.Text);
            return;
        }

        var value = column(part.Column);
        anything |= value.Length > 0;
        text.Append(part.Change switch
        {
            Change.Lower => value.ToLowerInvariant(),
            Change.Upper => value.ToUpperInvariant(),
            Change.Slug => Names.FromLabel(value).Replace('_', '-'),
            Change.UserName => Names.FromLabel(value).Replace('_', '.'),
            _ => value,
        });
    }

    private static List<Part> ParseParts(string text, ref int position, bool inBrackets)
    {
        var parts = new List<Part>();
        var literal = new StringBuilder();
        while (position < text.Length)
        {
            var c = text[position++];
            var isDoubled = c is '{' or '}' or '[' or ']' && position < text.Length && text[position] == c;
            if (isDoubled)
            {
                position++;
                literal.Append(c);
            }
            else if (c == '{')
            {
                Flush(literal, parts);
                parts.Add(ParseColumn(text, ref position));
            }
            else if (c == '[' && !inBrackets)
            {
                Flush(literal, parts);
                parts.Add(new Part(null, null, Change.None, ParseParts(text, ref position, inBrackets: true)));
            }
            else if (c == ']' && inBrackets)
            {
                Flush(literal, parts);
                return parts;
            }
            else if (c is '}' or '[' or ']')
            {
                throw new FormatException(Texts.Of("TemplateStray", c));
            }
            else
            {
                literal.Append(c);
            }
        }

        if (inBrackets)
        {
            throw new FormatException(Texts.Of("TemplateNotClosed", '['));
        }

        Flush(literal, parts);
        return parts;
    }

    private static Part ParseColumn(string text, ref int position)
    {
        var end = text.IndexOf('}', position);
        if (end < 0)
        {
            throw new FormatException(Texts.Of("TemplateNotClosed", '{'));
        }

        var inside = text[position..end];
        position = end + 1;
        var bar = inside.LastIndexOf('|');
        var change = bar < 0 ? Change.None : inside[(bar + 1)..].Trim() switch
        {
            "lower" => Change.Lower,
            "upper" => Change.Upper,
            "slug" => Change.Slug,
            "user_name" => Change.UserName,
            var other => throw new FormatException(Texts.Of("TemplateChange", other)),
        };
        return new Part(null, (bar < 0 ? inside : inside[..bar]).Trim(), change, null);
    }

    private static void Flush(StringBuilder literal, List<Part> parts)
    {
        if (literal.Length > 0)
        {
            parts.Add(new Part(literal.ToString(), null, Change.None, null));
            literal.Clear();
        }
    }

    private sealed record Part(string? Text, string? Column, Change Change, List<Part>? Inner);
}
