using System.Globalization;
using System.Text.RegularExpressions;

namespace Crm.Sdk.Web.Forms;

/// <summary>Numbers as people write them. A group separator counts only where groups of three stand, so that 1.5 typed by a German is one and a half and never fifteen.</summary>
internal static class NumberText
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    public static decimal? Read(string text, CultureInfo culture)
    {
        ArgumentNullException.ThrowIfNull(culture);
        var plain = text.Trim().Replace("\u00A0", "", StringComparison.Ordinal).Replace("\u202F", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Replace('\u2212', '-');
        return ReadStrictly(plain, culture.NumberFormat) ?? ReadStrictly(plain, CultureInfo.InvariantCulture.NumberFormat);
    }

    public static string Write(decimal number, CultureInfo culture, int leastDigits = 0) =>
        number.ToString("#,0." + new string('0', leastDigits) + new string('#', 10 - leastDigits), culture);

    private static decimal? ReadStrictly(string text, NumberFormatInfo format)
    {
        var group = Regex.Escape(format.NumberGroupSeparator.Trim('\u00A0', '\u202F', ' '));
        var point = Regex.Escape(format.NumberDecimalSeparator);
        var groups = group.Length == 0 ? "" : $@"|[0-9]{{1,3}}({group}[0-9]{{3}})+";
        var pattern = $@"^[+-]?([0-9]+{groups})?({point}[0-9]*)?$";
        if (!text.Any(char.IsAsciiDigit) || !Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Patience))
        {
            return null;
        }

        var separator = format.NumberGroupSeparator.Trim('\u00A0', '\u202F', ' ');
        var digits = separator.Length == 0 ? text : text.Replace(separator, "", StringComparison.Ordinal);
        return decimal.TryParse(digits.Replace(format.NumberDecimalSeparator, ".", StringComparison.Ordinal), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }
}
