using System.Globalization;

namespace Crm.Records.Exporting;

/// <summary>Texts that a spreadsheet would run as a formula.</summary>
public static class SheetText
{
    // Also as they are written among full-width characters, and the small forms of them.
    private const string Signs = "=+-@＝＋－＠﹦﹢﹣﹫";

    /// <summary>Whether a spreadsheet may take a text for a formula: by its first character that is not blank, a control or invisible one.</summary>
    public static bool IsFormula(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text is ['\t' or '\r' or '\n' or '\0', ..])
        {
            return true;
        }

        foreach (var c in text)
        {
            if (!char.IsWhiteSpace(c) && !char.IsControl(c) && char.GetUnicodeCategory(c) != UnicodeCategory.Format)
            {
                return Signs.Contains(c, StringComparison.Ordinal);
            }
        }

        return false;
    }

    /// <summary>The text, with an apostrophe before it where it would be run: that makes it a text in every spreadsheet.</summary>
    public static string Harmless(string? text) => text is null ? "" : IsFormula(text) ? "'" + text : text;

    /// <summary>The text as it was before <see cref="Harmless"/>.</summary>
    public static string Plain(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text is ['\'', ..] && IsFormula(text[1..]) ? text[1..] : text;
    }
}
