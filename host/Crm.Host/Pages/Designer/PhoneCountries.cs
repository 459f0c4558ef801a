using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>Countries phone numbers can belong to, by their names.</summary>
internal static class PhoneCountries
{
    // The few islands no culture knows are called by their codes. In the language of the texts beside them: a server without a language would say each in its own.
    private static readonly FrozenDictionary<string, string> Names = CultureInfo.GetCultures(CultureTypes.SpecificCultures)
        .Select(c => new RegionInfo(c.Name))
        .DistinctBy(r => r.TwoLetterISORegionName, StringComparer.Ordinal)
        .ToFrozenDictionary(r => r.TwoLetterISORegionName, r => r.EnglishName, StringComparer.Ordinal);

    /// <summary>All of them in the order of their names, each with its code.</summary>
    public static ImmutableArray<(string Code, string Text)> All { get; } =
        [.. MatchKeys.PhoneCountries.Keys.Select(code => (Code: code, Text: TextOf(code))).OrderBy(c => c.Text, StringComparer.InvariantCulture)];

    /// <summary>Name and calling code: <c>Germany (+49)</c>.</summary>
    public static string TextOf(string code) => $"{Names.GetValueOrDefault(code, code)} (+{MatchKeys.PhoneCountries.GetValueOrDefault(code)})";
}
