using System.Collections.Frozen;

namespace Crm.Sdk;

/// <summary>Below which names of the name system everybody registers their own: <c>com</c>, <c>co.uk</c>, <c>github.io</c>. The rules are those of the Public Suffix List.</summary>
internal static class PublicSuffixes
{
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Suffixes;

    // *.kobe.jp: every name below it is a suffix, but for city.kobe.jp.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Above;

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Exceptions;

    static PublicSuffixes()
    {
        using var stream = typeof(PublicSuffixes).Assembly.GetManifestResourceStream("Crm.Sdk.Keys.PublicSuffixes.txt")!;
        using var reader = new StreamReader(stream);
        var rules = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("//", StringComparison.Ordinal)).ToLookup(l => l[0] is '!' or '*' ? l[0] : '.');
        Suffixes = Set(rules['.']);
        Above = Set(rules['*'].Select(r => r[2..]));
        Exceptions = Set(rules['!'].Select(r => r[1..]));
    }

    /// <summary>What was registered of a host, as the name system writes both: <c>example.co.uk</c> of <c>mail.example.co.uk</c>; the host itself where it is a suffix or a number.</summary>
    public static string Registrable(string host)
    {
        if (char.IsAsciiDigit(host[^1]) || host.Contains("..", StringComparison.Ordinal))
        {
            return host;
        }

        // From the longest end to the shortest, so that the longest rule holds.
        var owned = 0;
        for (var start = 0; ; owned = start, start = host.IndexOf('.', start) + 1)
        {
            var end = host.AsSpan(start);
            var dot = end.IndexOf('.');
            if (Exceptions.Contains(end))
            {
                return host[start..];
            }

            // A name no rule knows is a suffix where it is the last one.
            if (dot < 0 || Suffixes.Contains(end) || Above.Contains(end[(dot + 1)..]))
            {
                return host[owned..];
            }
        }
    }

    private static FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Set(IEnumerable<string> names) => names.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
}
