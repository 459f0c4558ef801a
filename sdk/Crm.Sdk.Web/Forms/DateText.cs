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

    public static string WriteTime(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    /// <summary>Reads 930, 0930, 9, 9:30, 9.30, 9h30, 9:30 pm.</summary>
    public static TimeOnly? ReadTime(string text)
    {
        var plain = text.Trim().ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal);
        var half = 0;
        if (plain.EndsWith("pm", StringComparison.Ordinal) || plain.EndsWith("am", StringComparison.Ordinal))
        {
            half = plain.EndsWith("pm", StringComparison.Ordinal) ? 12 : -12;
            plain = plain[..^2];
        }

        string hours;
        var minutes = "0";
        var at = plain.AsSpan().IndexOfAny(':', '.', 'h');
        if (at >= 0)
        {
            (hours, minutes) = (plain[..at], at == plain.Length - 1 ? "0" : plain[(at + 1)..]);
        }
        else
        {
            (hours, minutes) = plain.Length > 2 ? (plain[..^2], plain[^2..]) : (plain, "0");
        }

        if (!int.TryParse(hours, NumberStyles.None, CultureInfo.InvariantCulture, out var hour) || !int.TryParse(minutes, NumberStyles.None, CultureInfo.InvariantCulture, out var minute)
            || (half != 0 && hour is < 1 or > 12))
        {
            return null;
        }

        hour = half switch { 12 when hour < 12 => hour + 12, -12 when hour == 12 => 0, _ => hour };
        return hour is >= 0 and < 24 && minute is >= 0 and < 60 ? new TimeOnly(hour, minute) : null;
    }
}
