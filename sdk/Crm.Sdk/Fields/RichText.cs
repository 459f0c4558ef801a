using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace Crm.Sdk;

/// <summary>A piece of formatted text: a text, or an element of the few that are allowed.</summary>
/// <param name="Tag">Name of the element; null for a text.</param>
/// <param name="Text">The text; empty for an element.</param>
/// <param name="Href">Where a link leads: an http, https or mailto address; null for none.</param>
/// <param name="Children">What stands in the element.</param>
public sealed record RichTextNode(string? Tag, string Text, string? Href, ImmutableArray<RichTextNode> Children);

/// <summary>
/// Formatted text. HTML is parsed as a browser would and written anew from a short list of elements, of whose attributes only the target of a link is kept.
/// Scripts, styles, pictures, forms and everything unknown is left out, so that a stored text can be shown as it is.
/// </summary>
public static class RichText
{
    private const int MaxDepth = 24;

    private const int MaxRounds = 4;

    private const int MaxDepthRead = 100;

    private const int MaxElements = 20_000;

    // Elements without content, and those whose end tag people leave out.
    private static readonly FrozenSet<string> Unclosed = new[] { "br", "hr", "img", "input", "meta", "link", "col", "wbr", "p", "li", "td", "th", "tr", "dt", "dd", "option" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Kept = new[]
    {
        "p", "br", "strong", "em", "u", "s", "sub", "sup", "code", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "hr", "a", "table", "thead", "tbody", "tr", "th", "td",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> SameAs = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["b"] = "strong",
        ["i"] = "em",
        ["strike"] = "s",
        ["del"] = "s",
        ["ins"] = "u",
        ["div"] = "p",
        ["h1"] = "h2",
        ["h5"] = "h4",
        ["h6"] = "h4",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // What stands in these is no text for readers.
    private static readonly FrozenSet<string> Dropped = new[]
    {
        "script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "svg", "math", "head", "title", "select", "textarea", "audio", "video", "canvas", "xmp", "noembed", "noframes", "plaintext",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Empty = new[] { "br", "hr" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Blocks = new[] { "p", "h2", "h3", "h4", "li", "blockquote", "pre", "tr", "br", "hr" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The harmless part of an HTML text, as nodes.</summary>
    public static ImmutableArray<RichTextNode> Parse(string html)
    {
        ArgumentNullException.ThrowIfNull(html);
        if (!TryRead(html, out var body))
        {
            return [new RichTextNode(null, html, null, [])];
        }

        var open = new Stack<Frame>([new Frame(null, null, body.ChildNodes, null, 0)]);
        while (true)
        {
            var frame = open.Peek();
            if (frame.Next < frame.Nodes.Length)
            {
                Enter(open, frame, frame.Nodes[frame.Next++]);
                continue;
            }

            open.Pop();
            if (open.Count == 0)
            {
                return [.. frame.Children];
            }

            if (frame.Tag is not null && (frame.Children.Count > 0 || Empty.Contains(frame.Tag) || frame.Tag is "td" or "th"))
            {
                frame.Into!.Add(new RichTextNode(frame.Tag, "", frame.Href, [.. frame.Children]));
            }
        }
    }

    /// <summary>The harmless part of an HTML text; null when it says nothing. Cleaning twice changes nothing more.</summary>
    public static string? Clean(string html)
    {
        // What was left out may make a browser read the rest differently, so what is written is read again until it stays as it is.
        for (var round = 0; ; round++)
        {
            var nodes = Parse(html);
            if (!nodes.Any(SaysSomething))
            {
                return null;
            }

            var text = new StringBuilder();
            Write(text, nodes);
            var cleaned = text.ToString();
            if (cleaned == html || round == MaxRounds)
            {
                return cleaned;
            }

            html = cleaned;
        }
    }

    /// <summary>The text without its formatting, blocks in lines of their own.</summary>
    public static string ToText(string html)
    {
        var text = new StringBuilder();
        WriteText(text, Parse(html));
        return text.ToString().Trim();
    }

    /// <summary>Reads as a browser would. What is nested without end or makes elements without end costs a browser minutes: it is taken as plain text.</summary>
    private static bool TryRead(string html, [NotNullWhen(true)] out IElement? body)
    {
        body = null;
        if (DepthOf(html) > MaxDepthRead)
        {
            return false;
        }

        var elements = 0;
        var parser = new HtmlParser(new HtmlParserOptions
        {
            OnCreated = (_, _) =>
            {
                if (++elements > MaxElements)
                {
                    throw new TooManyElementsException();
                }
            },
        });
        try
        {
            body = parser.ParseDocument("<!doctype html><body>" + html).Body!;
            return true;
        }
        catch (TooManyElementsException)
        {
            return false;
        }
    }

    /// <summary>How deep elements are nested at most, end tags that may be left out counted as written.</summary>
    private static int DepthOf(string html)
    {
        var (depth, deepest) = (0, 0);
        for (var at = html.IndexOf('<', StringComparison.Ordinal); at >= 0 && at + 1 < html.Length; at = html.IndexOf('<', at + 1))
        {
            var isEnd = html[at + 1] == '/';
            var from = isEnd ? at + 2 : at + 1;
            var to = from;
            while (to < html.Length && char.IsAsciiLetterOrDigit(html[to]))
            {
                to++;
            }

            if (to == from || Unclosed.Contains(html[from..to].ToLowerInvariant()))
            {
                continue;
            }

            depth = isEnd ? Math.Max(0, depth - 1) : depth + 1;
            deepest = Math.Max(deepest, depth);
        }

        return deepest;
    }

    private static void Enter(Stack<Frame> open, Frame frame, INode node)
    {
        if (node is IText { Data.Length: > 0 } text)
        {
            frame.Children.Add(new RichTextNode(null, text.Data, null, []));
        }
        else if (node is IElement element && !Dropped.Contains(element.LocalName))
        {
            var tag = TagOf(element);
            var isKept = Kept.Contains(tag) && frame.Depth < MaxDepth;
            var href = tag == "a" ? Target(element.GetAttribute("href")) : null;
            // A link that leads nowhere, an element that is not known and one that is nested too deep leave their content behind.
            open.Push(isKept && (tag != "a" || href is not null)
                ? new Frame(tag, href, element.ChildNodes, frame.Children, frame.Depth + 1)
                : new Frame(null, null, element.ChildNodes, frame.Children, frame.Depth) { Children = frame.Children });
        }
    }

    private static string TagOf(IElement element) => element.LocalName switch
    {
        "div" when element.Children.Any(IsBlock) => "",
        "span" => Meant(element.GetAttribute("style") ?? ""),
        var name => SameAs.GetValueOrDefault(name, name),
    };

    // Editors and word processors write their formats as styles; the first one that has an element of its own is kept.
    private static string Meant(string style)
    {
        foreach (var declaration in style.Split(';'))
        {
            if (declaration.Split(':', StringSplitOptions.TrimEntries) is not [var property, var value])
            {
                continue;
            }

            switch (property.ToLowerInvariant(), value.ToLowerInvariant())
            {
                case ("font-weight", "bold" or "bolder" or "600" or "700" or "800" or "900"):
                    return "strong";
                case ("font-style", "italic" or "oblique"):
                    return "em";
                case ("text-decoration" or "text-decoration-line", var line) when line.Contains("underline", StringComparison.Ordinal):
                    return "u";
                case ("text-decoration" or "text-decoration-line", var line) when line.Contains("line-through", StringComparison.Ordinal):
                    return "s";
            }
        }

        return "";
    }

    // A paragraph holds no other block; a division does.
    private static bool IsBlock(IElement element) =>
        element.LocalName is "div" or "table" or "ul" or "ol" or "section" or "article" || Blocks.Contains(SameAs.GetValueOrDefault(element.LocalName, element.LocalName)) && element.LocalName != "br";

    private static string? Target(string? href) =>
        href?.Trim() is { Length: > 0 and <= 2048 } text && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "mailto"
        && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
            ? text
            : null;

    private static bool SaysSomething(RichTextNode node) => node.Tag == "hr" || !string.IsNullOrWhiteSpace(node.Text.Replace('\u00A0', ' ')) || node.Children.Any(SaysSomething);

    private static void Write(StringBuilder text, ImmutableArray<RichTextNode> nodes)
    {
        foreach (var node in nodes)
        {
            if (node.Tag is null)
            {
                text.Append(Encode(node.Text));
                continue;
            }

            text.Append('<').Append(node.Tag);
            if (node.Href is { } href)
            {
                text.Append(" href=\"").Append(Encode(href)).Append("\" rel=\"noopener noreferrer\"");
            }

            text.Append('>');
            if (!Empty.Contains(node.Tag))
            {
                Write(text, node.Children);
                text.Append("</").Append(node.Tag).Append('>');
            }
        }
    }

    private static void WriteText(StringBuilder text, ImmutableArray<RichTextNode> nodes)
    {
        foreach (var node in nodes)
        {
            text.Append(node.Tag is null ? node.Text.Replace('\u00A0', ' ') : "");
            WriteText(text, node.Children);
            if (node.Tag is not null && Blocks.Contains(node.Tag) && text.Length > 0 && text[^1] != '\n')
            {
                text.Append('\n');
            }
            else if (node.Tag is "td" or "th")
            {
                text.Append(' ');
            }
        }
    }

    private static string Encode(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal);

    private sealed class TooManyElementsException : Exception;

    private sealed class Frame(string? tag, string? href, INodeList nodes, List<RichTextNode>? into, int depth)
    {
        public string? Tag => tag;

        public string? Href => href;

        public INodeList Nodes => nodes;

        public List<RichTextNode>? Into => into;

        public int Depth => depth;

        public int Next { get; set; }

        /// <summary>Its own list, or that of the frame around it when the element itself is left out.</summary>
        public List<RichTextNode> Children { get; init; } = [];
    }
}
