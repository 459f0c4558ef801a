using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Crm.Sdk;

/// <summary>
/// What different notations of the same thing have in common: <c>0171 1234567</c> and <c>+49 171 1234567</c>, <c>Acme GmbH</c> and <c>ACME</c>. Keys are for finding; what
/// was typed is what is shown. A text too strange to have a key gives null; nothing here throws.
/// </summary>
public static class MatchKeys
{
    /// <summary>Longest text a key is made of, in characters.</summary>
    public const int MaxText = 2048;

    // Keys are indexed; an entry of an index may not be longer than a third of a page.
    private const int MaxKey = 255;

    // RFC 5321: 64 for the person, 255 for the domain, and the sign between them.
    private const int MaxAddress = 320;

    private static readonly IdnMapping Idn = new();

    // As written without their dots: S.p.A. is spa, Sp. z o.o. is sp z oo.
    private static readonly FrozenSet<string> LegalForms = FrozenSet.Create(
        StringComparer.Ordinal,
        "gmbh", "mbh", "ggmbh", "ag", "kg", "kgaa", "ohg", "gbr", "ug", "haftungsbeschrankt", "ev", "eg", "ek", "se", "co", "cie",
        "ltd", "limited", "llc", "llp", "lp", "plc", "inc", "incorporated", "corp", "corporation", "company", "pty", "pte", "pvt", "cic",
        "sa", "sas", "sasu", "sarl", "eurl", "snc", "srl", "srls", "spa", "sl", "slu", "lda", "ltda", "sapi", "cv",
        "bv", "nv", "vof", "bvba", "ab", "as", "asa", "aps", "oy", "oyj", "hf", "ehf",
        "kft", "zrt", "nyrt", "bt", "sro", "dd", "doo", "ad", "ood", "eood", "sia", "uab", "ou", "ooo", "oao", "pao", "zao", "sp z oo", "spolka z oo");

    private static readonly FrozenDictionary<char, string> Letters = new Dictionary<char, string>
    {
        ['ß'] = "ss",
        ['æ'] = "ae",
        ['œ'] = "oe",
        ['ø'] = "o",
        ['đ'] = "d",
        ['ð'] = "d",
        ['þ'] = "th",
        ['ł'] = "l",
        ['ı'] = "i",
        ['ħ'] = "h",
        ['ŧ'] = "t",
    }.ToFrozenDictionary();

    /// <summary>
    /// A phone number in E.164 (<c>+491711234567</c>) without its extension; the bare digits of one of which it is not known to which country it belongs; null when the
    /// text holds fewer than two digits. Plans of numbers come from libphonenumber; whether a number is in use is not checked.
    /// </summary>
    /// <param name="text">In any notation.</param>
    /// <param name="country">ISO 3166 code of the country numbers without a calling code belong to; null for none.</param>
    public static string? Phone(string? text, string? country) => text is null ? null : PhoneNumbers.Key(text, country);

    /// <summary>Instead of a country's code: numbers without a calling code belong to none, whatever country the installation has. The code for an unknown one, as libphonenumber has it.</summary>
    public const string NoPhoneCountry = "ZZ";

    /// <summary>Countries <see cref="Phone"/> can read numbers of: ISO 3166 codes, each with its calling code (<c>49</c> of <c>DE</c>).</summary>
    public static ImmutableSortedDictionary<string, string> PhoneCountries => PhoneNumbers.Countries;

    /// <summary>Whether <see cref="Phone"/> can read numbers of a country.</summary>
    /// <param name="country">ISO 3166 code of two capital letters.</param>
    public static bool IsPhoneCountry(string? country) => country is not null && PhoneNumbers.IsCountry(country);

    /// <summary>
    /// An e-mail address in lower case with its domain as the name system has it (<c>xn--…</c>); null when it is none. Dots and what follows a plus stay: only the
    /// receiver knows whether they make a difference.
    /// </summary>
    public static string? Email(string? text)
    {
        if (Clean(text) is not { } clean || clean.LastIndexOf('@') is not (> 0 and var at) || clean.Any(char.IsWhiteSpace) || Host(clean[(at + 1)..]) is not { } host)
        {
            return null;
        }

        var key = clean[..at].ToLowerInvariant() + "@" + host;
        return key.Length <= MaxAddress ? key : null;
    }

    /// <summary>
    /// What was registered of the host of a web address or of an e-mail address, as the name system has it: <c>example.co.uk</c> of <c>mail.example.co.uk</c>; null when there is
    /// no host. <c>acme.com</c> alone is one. Under which names everybody registers their own says the Public Suffix List.
    /// </summary>
    public static string? Domain(string? text)
    {
        if (Clean(text) is not { } clean)
        {
            return null;
        }

        var scheme = clean.IndexOf("://", StringComparison.Ordinal);
        var host = scheme >= 0 ? clean[(scheme + 3)..] : clean;
        var end = host.AsSpan().IndexOfAny('/', '?', '#');
        host = end >= 0 ? host[..end] : host;
        host = host[(host.LastIndexOf('@') + 1)..];
        var port = host.LastIndexOf(':');
        host = port >= 0 && host[(port + 1)..].All(char.IsAsciiDigit) ? host[..port] : host;
        return Host(host) is { } key ? PublicSuffixes.Registrable(key) : null;
    }

    /// <summary>
    /// A name in lower case, without accents, signs and the legal forms at its end (GmbH, Ltd., S.A. and their like), words separated by one space; null when nothing
    /// is left. A name that is nothing but legal forms keeps its first word.
    /// </summary>
    public static string? Name(string? text)
    {
        if (Clean(text) is not { } clean)
        {
            return null;
        }

        var words = Fold(clean).Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList();
        for (var count = FormAtEnd(words); count > 0; count = FormAtEnd(words))
        {
            words.RemoveRange(words.Count - count, count);
        }

        var key = string.Join(' ', words);
        return key.Length == 0 ? null : key.Length <= MaxKey ? key : key[..(char.IsHighSurrogate(key[MaxKey - 1]) ? MaxKey - 1 : MaxKey)];
    }

    private static int FormAtEnd(List<string> words)
    {
        for (var count = Math.Min(3, words.Count - 1); count > 0; count--)
        {
            if (LegalForms.Contains(string.Join(' ', words.Skip(words.Count - count))))
            {
                return count;
            }
        }

        return 0;
    }

    private static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var c in text.ToLowerInvariant().Normalize(NormalizationForm.FormKD))
        {
            switch (CharUnicodeInfo.GetUnicodeCategory(c))
            {
                case UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark:
                    break;
                case UnicodeCategory.Surrogate:
                    folded.Append(c);
                    break;
                default:
                    // S.A. and O'Neill are one word; every other sign ends one.
                    folded.Append(Letters.TryGetValue(c, out var plain) ? plain : char.IsLetterOrDigit(c) ? char.ToLowerInvariant(c).ToString() : c is '.' or '\'' or '\u2019' ? "" : " ");
                    break;
            }
        }

        return folded.ToString();
    }

    private static string? Host(string text)
    {
        var host = text.TrimEnd('.').ToLowerInvariant();
        if (host.Length is 0 or > 253 || !host.Contains('.', StringComparison.Ordinal) || host.Any(c => c is not ('.' or '-' or '_') && !char.IsLetterOrDigit(c) && !char.IsSurrogate(c) && CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark))
        {
            return null;
        }

        try
        {
            return Idn.GetAscii(host);
        }
        catch (ArgumentException)
        {
            // No name the name system could hold; texts like it are still found by it.
            return Ascii.IsValid(host) ? host : null;
        }
    }

    private static string? Clean(string? text) =>
        text?.Trim() is { Length: > 0 and <= MaxText } trimmed && SingleTextType.IsUnicode(trimmed) ? trimmed : null;
}
