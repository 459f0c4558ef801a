using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Crm.Sdk;

/// <summary>
/// Numbering plans of all countries, and phone numbers read by them. It says which notations mean the same number, not whether the number exists: a number no plan
/// knows is as good as any other, because somebody wrote it down to be called.
/// </summary>
internal static class PhoneNumbers
{
    // E.164: at most 15 digits with the calling code. Longer ones are no numbers of the public network.
    private const int MaxDigits = 15;

    private const int MaxText = 255;

    private static readonly FrozenDictionary<string, Plan> ByRegion;

    private static readonly FrozenDictionary<string, Plan> ByCode;

    static PhoneNumbers()
    {
        using var stream = typeof(PhoneNumbers).Assembly.GetManifestResourceStream("Crm.Sdk.Keys.PhoneNumbers.tsv")!;
        using var reader = new StreamReader(stream);
        var plans = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').Select(l => new Plan(l.Split('\t'))).ToList();
        Countries = plans.Where(p => p.Region != "001").ToImmutableSortedDictionary(p => p.Region, p => p.Code, StringComparer.Ordinal);
        ByRegion = plans.Where(p => p.Region != "001").ToFrozenDictionary(p => p.Region, StringComparer.Ordinal);
        // Where countries share a code the first one's rules serve all.
        ByCode = plans.GroupBy(p => p.Code, StringComparer.Ordinal).ToFrozenDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
    }

    /// <summary>Calling codes by country.</summary>
    public static ImmutableSortedDictionary<string, string> Countries { get; }

    /// <summary>Whether numbers of the country can be read.</summary>
    public static bool IsCountry(string region) => ByRegion.ContainsKey(region);

    /// <summary>The key of a number: <c>+</c> and its digits where it is known which country it belongs to, its bare digits otherwise; null when there are fewer than two.</summary>
    public static string? Key(string text, string? country)
    {
        if (text.Length > MaxText)
        {
            return null;
        }

        var (digits, isInternational) = Digits(text);
        if (digits.Length < 2)
        {
            return null;
        }

        var plan = country is null ? null : ByRegion.GetValueOrDefault(country);
        if (isInternational)
        {
            return International(digits) ?? digits;
        }

        // Without a country 00 is taken for the international prefix it is nearly everywhere.
        var prefix = plan is null ? (digits.StartsWith("00", StringComparison.Ordinal) ? 2 : 0) : plan.InternationalPrefix(digits);
        if (prefix > 0 && International(digits[prefix..]) is { } abroad)
        {
            return abroad;
        }

        return plan?.National(digits) ?? digits;
    }

    private static string? International(string digits)
    {
        for (var length = 1; length <= 3 && length < digits.Length; length++)
        {
            if (ByCode.TryGetValue(digits[..length], out var plan))
            {
                return digits.Length > MaxDigits + 1 ? null : "+" + plan.Code + plan.WithoutTrunk(digits[length..]);
            }
        }

        return null;
    }

    /// <summary>The digits before an extension, in whatever script, and whether a plus stands before them.</summary>
    private static (string Digits, bool IsInternational) Digits(string text)
    {
        var digits = new StringBuilder(text.Length);
        var hasPlus = false;
        foreach (var c in text)
        {
            if (CharUnicodeInfo.GetDecimalDigitValue(c) is >= 0 and var digit)
            {
                digits.Append((char)('0' + digit));
            }
            else if (c is '+' or '\uFF0B')
            {
                hasPlus |= digits.Length == 0;
            }
            else if (digits.Length > 2 && (c is '#' or ';' or ',' || char.IsLetter(c)))
            {
                break;
            }
        }

        return (digits.ToString(), hasPlus);
    }

    /// <summary>One country's rules.</summary>
    private sealed class Plan(string[] columns)
    {
        private readonly Lazy<Regex> abroad = new(() => Compile(columns[2]));
        private readonly Lazy<Regex> national = new(() => Compile(columns[3], "$"));
        private readonly Lazy<Regex> trunk = new(() => Compile(columns[6].Length > 0 ? columns[6] : columns[5]));
        private readonly FrozenSet<int> lengths = columns[4].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(l => int.Parse(l, CultureInfo.InvariantCulture)).ToFrozenSet();
        private readonly bool hasTrunk = columns[5].Length + columns[6].Length > 0;
        private readonly string becomes = columns[7];

        public string Region { get; } = columns[0];

        public string Code { get; } = columns[1];

        /// <summary>How many digits at the beginning say that a number abroad follows.</summary>
        public int InternationalPrefix(string digits) =>
            abroad.Value.Match(digits) is { Success: true, Length: > 0 and var length } && length < digits.Length && digits[length] != '0' ? length : 0;

        /// <summary>A number as it is dialled within the country; null when it cannot be one of its numbers.</summary>
        public string? National(string digits)
        {
            // 49171… without a plus: the calling code, unless the digits are a number of the country as they stand.
            if (digits.StartsWith(Code, StringComparison.Ordinal) && digits.Length > Code.Length)
            {
                var rest = WithoutTrunk(digits[Code.Length..]);
                if (national.Value.IsMatch(rest) && lengths.Contains(rest.Length) && !(national.Value.IsMatch(digits) && lengths.Contains(digits.Length)))
                {
                    return "+" + Code + rest;
                }
            }

            var number = WithoutTrunk(digits);
            return lengths.Contains(number.Length) ? "+" + Code + number : null;
        }

        /// <summary>Takes away what is dialled within the country only; a number that would then be none keeps it.</summary>
        public string WithoutTrunk(string digits)
        {
            if (!hasTrunk || trunk.Value.Match(digits) is not { Success: true, Length: > 0 } match)
            {
                return digits;
            }

            var rest = digits[match.Length..];
            if (becomes.Length > 0 && match.Groups[match.Groups.Count - 1].Success)
            {
                rest = match.Result(becomes) + rest;
            }

            return rest.Length == 0 || (national.Value.IsMatch(digits) && !national.Value.IsMatch(rest)) ? digits : rest;
        }

        // Time linear in the text, whatever it is.
        private static Regex Compile(string pattern, string end = "") => new("^(?:" + pattern + ")" + end, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    }
}
