using System.Globalization;

namespace Crm.Sdk;

/// <summary>Reads the loosely typed input of callers. Culture never matters here: what a user typed was parsed where the user's culture is known.</summary>
public static class Inputs
{
    private static readonly string[] DateFormats = ["yyyy-MM-dd", "dd/MM/yyyy", "d/M/yyyy", "dd.MM.yyyy", "d.M.yyyy"];

    /// <summary>Text of a string or a number; null for anything else.</summary>
    public static string? ToText(object? input) => input switch
    {
        string text => text,
        long or int or decimal or double => Convert.ToString(input, CultureInfo.InvariantCulture),
        Guid id => id.ToString(),
        _ => null,
    };

    /// <summary>An exact number; null when the input is none or does not fit. Text may use <c>,</c> between thousands.</summary>
    public static decimal? ToDecimal(object? input)
    {
        switch (input)
        {
            case decimal number:
                return number;
            case long or int:
                return Convert.ToDecimal(input, CultureInfo.InvariantCulture);
            case double number when double.IsFinite(number) && Math.Abs(number) < 7.9e27:
                return (decimal)number;
            case string text when decimal.TryParse(text.Trim(), NumberStyles.Number, CultureInfo.InvariantCulture, out var number):
                return number;
            default:
                return null;
        }
    }

    /// <summary>Yes or no; null when the input is neither.</summary>
    public static bool? ToBoolean(object? input) => input switch
    {
        bool value => value,
        string text => text.Trim().ToUpperInvariant() switch
        {
            "TRUE" or "YES" or "Y" or "1" => true,
            "FALSE" or "NO" or "N" or "0" => false,
            _ => null,
        },
        long or int => Convert.ToInt64(input, CultureInfo.InvariantCulture) switch { 1 => true, 0 => false, _ => null },
        _ => null,
    };

    /// <summary>A date from ISO 8601 or from day, month and year; null when the input is none.</summary>
    public static DateOnly? ToDate(object? input) => input switch
    {
        DateOnly date => date,
        string text when DateOnly.TryParseExact(text.Trim(), DateFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) => date,
        _ => null,
    };

    /// <summary>An instant in UTC from ISO 8601 with an offset; null when the input is none.</summary>
    public static DateTimeOffset? ToInstant(object? input)
    {
        switch (input)
        {
            case DateTimeOffset instant:
                return instant.ToUniversalTime();
            case string text when HasOffset(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var instant):
                return instant.ToUniversalTime();
            default:
                return null;
        }
    }

    /// <summary>A time of day, to the second; null when the input is none. Text may be <c>9:30</c>, <c>9.30</c>, <c>9h30</c>, <c>9:30 pm</c>, <c>09:30:15</c> or bare digits as in <c>930</c>.</summary>
    public static TimeOnly? ToTime(object? input) => input switch
    {
        TimeOnly time => new TimeOnly(time.Hour, time.Minute, time.Second),
        string text => ReadTime(text),
        _ => null,
    };

    /// <summary>The id of a record; null when the input is none.</summary>
    public static Guid? ToId(object? input) => input switch
    {
        Guid id => id,
        Record record => record.Id,
        string text when Guid.TryParse(text, out var id) => id,
        _ => null,
    };

    private static TimeOnly? ReadTime(string text)
    {
        var plain = text.Trim().ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal);
        var half = 0;
        if (plain.EndsWith("pm", StringComparison.Ordinal) || plain.EndsWith("am", StringComparison.Ordinal))
        {
            half = plain.EndsWith("pm", StringComparison.Ordinal) ? 12 : -12;
            plain = plain[..^2];
        }

        // Bare digits are hours, hours and minutes, or all three: 9, 930, 93015.
        var parts = plain.AsSpan().IndexOfAny(':', '.', 'h') >= 0
            ? plain.Split(':', '.', 'h')
            : plain.Length switch
            {
                <= 2 => [plain],
                <= 4 => [plain[..^2], plain[^2..]],
                _ => [plain[..^4], plain[^4..^2], plain[^2..]],
            };
        if (parts is [_, ""])
        {
            parts = [parts[0]];
        }

        // What other programs write behind the seconds is cut: 09:30:00.0000000.
        if (parts.Length > 4 || !TryParts(parts, out var hour, out var minute, out var second) || (half != 0 && hour is < 1 or > 12))
        {
            return null;
        }

        hour = half switch { 12 when hour < 12 => hour + 12, -12 when hour == 12 => 0, _ => hour };
        return hour < 24 && minute < 60 && second < 60 ? new TimeOnly(hour, minute, second) : null;
    }

    private static bool TryParts(string[] parts, out int hour, out int minute, out int second)
    {
        (minute, second) = (0, 0);
        return int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out hour)
            && (parts.Length < 2 || int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out minute))
            && (parts.Length < 3 || int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out second))
            && (parts.Length < 4 || parts[3].All(char.IsAsciiDigit));
    }

    // Without an offset an instant would depend on the server's time zone.
    private static bool HasOffset(string text)
    {
        var time = text.IndexOf('T', StringComparison.OrdinalIgnoreCase);
        return time > 0 && (text.EndsWith('Z') || text.EndsWith('z') || text.AsSpan(time).IndexOfAny('+', '-') > 0);
    }
}
