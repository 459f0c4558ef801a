using System.Collections.Immutable;

namespace Crm.Host.Api.OData;

/// <summary>
/// One entry of <c>$expand</c> as the client wrote it: a page of an expanded collection that goes on has to ask for the same again, and what the parser makes of an option does not hold
/// its text. It was parsed before, so that quotes and parentheses fit.
/// </summary>
/// <param name="Options">What stands in its parentheses; names with <c>$</c>.</param>
internal sealed record ExpandText(ImmutableArray<(string Name, string Value)> Options)
{
    /// <summary>The entries by what they expand.</summary>
    public static IReadOnlyDictionary<string, ExpandText> Read(string? expand)
    {
        var entries = new Dictionary<string, ExpandText>(StringComparer.Ordinal);
        foreach (var entry in Split(expand ?? "", ','))
        {
            var open = entry.IndexOf('(', StringComparison.Ordinal);
            var options = open < 0 ? [] : Split(entry[(open + 1)..entry.LastIndexOf(')')], ';').Select(Option).ToImmutableArray();
            entries.TryAdd((open < 0 ? entry : entry[..open]).Trim(), new ExpandText(options));
        }

        return entries;
    }

    /// <summary>What the entry expands in turn.</summary>
    public IReadOnlyDictionary<string, ExpandText> Inner => Read(Options.FirstOrDefault(o => o.Name == "$expand").Value);

    private static (string Name, string Value) Option(string text)
    {
        var (name, value) = text.IndexOf('=', StringComparison.Ordinal) is >= 0 and var sign ? (text[..sign].Trim(), text[(sign + 1)..].Trim()) : (text.Trim(), "");
        return (name is ['$', ..] ? name : "$" + name, value);
    }

    private static IEnumerable<string> Split(string text, char separator)
    {
        var (start, depth, isQuoted) = (0, 0, false);
        for (var i = 0; i < text.Length; i++)
        {
            isQuoted ^= text[i] == '\'';
            depth += isQuoted ? 0 : text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (text[i] == separator && depth == 0 && !isQuoted)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        if (start < text.Length)
        {
            yield return text[start..];
        }
    }
}
