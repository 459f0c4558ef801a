using System.Globalization;

namespace Crm.Sdk.Web;

/// <summary>How many records a list has, as it is said: an estimate is rounded, so that nobody takes it for more than it is.</summary>
public static class GridCount
{
    /// <summary>The number as it is shown; two digits of an estimate.</summary>
    /// <exception cref="ArgumentException">The records were not counted.</exception>
    public static long Shown(RecordPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        var count = page.Count ?? throw new ArgumentException("The records were not counted.", nameof(page));
        if (!page.IsEstimate)
        {
            return count;
        }

        var unit = 1L;
        while (count / unit >= 100)
        {
            unit *= 10;
        }

        return (count + (unit / 2)) / unit * unit;
    }

    /// <summary>The number in words: "about" before an estimate.</summary>
    /// <exception cref="ArgumentException">The records were not counted.</exception>
    public static string Text(RecordPage page, CultureInfo culture)
    {
        ArgumentNullException.ThrowIfNull(page);
        var text = Shown(page).ToString("N0", culture);
        return page.IsEstimate ? Texts.Of("About", text) : text;
    }
}
