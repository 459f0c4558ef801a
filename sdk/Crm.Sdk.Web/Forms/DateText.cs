using System.Globalization;

namespace Crm.Sdk.Web.Forms;

/// <summary>Dates and times as people type them. Day, month, year is always accepted, whatever the user's culture; so a date is never written month first.</summary>
internal static class DateText
{
    private static readonly string[] Formats =
    [
        "d/M/yyyy", "d.M.yyyy", "d-M-yyyy", "d M yyyy", "yyyy-M-d", "ddMMyyyy", "d/M/yy", "d.M.yy", "d-M-yy", "d MMM yyyy", "d MMMM yyyy", "d. MMM yyyy", "d. MMMM yyyy",
    ];

    private static readonly string[] FormatsWithoutYear = ["d/M", "d.M", "d.M.", "d MMM", "d MMMM"];

    /// <summary>How the editor writes dates: in the user's own order where the day comes before the month, else with the month as a word.</summary>
    public static string Pattern(CultureInfo culture)
    {
        var pattern = culture.DateTimeFormat.ShortDatePattern;
        var day = pattern.IndexOf('d', StringComparison.Ordinal);
        var month = pattern.IndexOf('M', StringComparison.Ordinal);
        var year = pattern.IndexOf('y', StringComparison.Ordinal);
        if (year < month && month < day)
        {
            return "yyyy-MM-dd";
        }

        if (day > month)
        {
            return "dd MMM yyyy";
        }

        return pattern.Contains('.', StringComparison.Ordinal) ? "dd.MM.yyyy" : "dd/MM/yyyy";
    }

    public static string Write(DateOnly date, CultureInfo culture) =>
        Pattern(culture) is var pattern && pattern.Contains("MMM", StringComparison.Ordinal)
            ? date.ToString(pattern, culture)
            : date.ToString(pattern, CultureInfo.InvariantCulture);

    public static DateOnly? Read(string text, CultureInfo culture, DateOnly today)
    {
        var plain = text.Trim();
        foreach (var words in new[] { CultureInfo.InvariantCulture, culture })
        {
            if (DateOnly.TryParseExact(plain, Formats, words, DateTimeStyles.AllowWhiteSpaces, out var date))
            {
                return date;
            }

            foreach (var format in FormatsWithoutYear)
            {
                var year = today.Year.ToString("0000", CultureInfo.InvariantCulture);
                if (DateOnly.TryParseExact(plain + "|" + year, format + "'|'yyyy", words, DateTimeStyles.None, out date))
                {
                    return date;
                }
            }
        }

        return null;
    }

    public static string WriteTime(TimeOnly time) => time.ToString(time.Second == 0 ? "HH:mm" : "HH:mm:ss", CultureInfo.InvariantCulture);
}
