using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Crm.Sdk;

/// <summary>
/// All operators and functions. Each is written a second time as SQL, for values that change without their record being saved; a test compares the two.
/// Comparisons always give yes or no; arithmetic with something empty is empty; an empty text and no text are the same.
/// </summary>
internal static class ExpressionLibrary
{
    private const ExpressionType Text = ExpressionType.Text;
    private const ExpressionType Number = ExpressionType.Number;
    private const ExpressionType YesNo = ExpressionType.YesNo;
    private const ExpressionType Date = ExpressionType.Date;
    private const ExpressionType Instant = ExpressionType.Instant;
    private const ExpressionType List = ExpressionType.List;
    private const ExpressionType Empty = ExpressionType.Empty;

    public static ImmutableArray<ExpressionFunction> Functions { get; } =
    [
        new("+", "number + number, date + days", a => Takes(a, Number, Number) ? Number : Takes(a, Date, Number) ? Date : null, (a, _) => a[0] is DateOnly ? AddDays(a) : Compute(a, (x, y) => x + y)),
        new("-", "number - number, date - days, date - date", a => Takes(a, Number, Number) || Takes(a, Date, Date) ? Number : Takes(a, Date, Number) ? Date : null, (a, _) => Subtract(a)),
        new("*", "number * number", a => Takes(a, Number, Number) ? Number : null, (a, _) => Compute(a, (x, y) => x * y)),
        new("/", "number / number", a => Takes(a, Number, Number) ? Number : null, (a, _) => Compute(a, (x, y) => y == 0 ? null : Math.Round(x / y, 10, MidpointRounding.AwayFromZero))),
        new("negate", "-number", a => Takes(a, Number) ? Number : null, (a, _) => Compute(a[0], x => -x)),
        new("&", "text & text", a => a is [{ Type: Text or Number or Date or Empty }, { Type: Text or Number or Date or Empty }] ? Text : null, (a, _) => Full(ToText(a[0]) + ToText(a[1]))),

        new("=", "value = value", a => AreComparable(a) ? YesNo : null, (a, _) => AreSame(a[0], a[1])),
        new("<>", "value <> value", a => AreComparable(a) ? YesNo : null, (a, _) => !AreSame(a[0], a[1])),
        new("<", "number < number", a => AreOrdered(a) ? YesNo : null, (a, _) => Compare(a) < 0),
        new("<=", "number <= number", a => AreOrdered(a) ? YesNo : null, (a, _) => Compare(a) <= 0),
        new(">", "number > number", a => AreOrdered(a) ? YesNo : null, (a, _) => Compare(a) > 0),
        new(">=", "number >= number", a => AreOrdered(a) ? YesNo : null, (a, _) => Compare(a) >= 0),
        new("in", "value in (value, …)", a => a.Length > 1 && AreComparable(a) ? YesNo : null, (a, _) => a.Skip(1).Any(x => AreSame(x, a[0]))),
        new("is_empty", "value is empty", a => a.Length == 1 ? YesNo : null, (a, _) => a[0] is null),
        new("and", "condition and condition", a => Takes(a, YesNo, YesNo) ? YesNo : null, (a, _) => a[0] is true && a[1] is true),
        new("or", "condition or condition", a => Takes(a, YesNo, YesNo) ? YesNo : null, (a, _) => a[0] is true || a[1] is true),
        new("not", "not condition", a => Takes(a, YesNo) ? YesNo : null, (a, _) => a[0] is not true),
        new("if", "if(condition, value, …, otherwise)", a => a.Length % 2 == 1 && a.Length > 2 && a.Where((x, i) => i % 2 == 0 && i < a.Length - 1).All(x => Is(x, YesNo)) ? Common(a.Where((_, i) => i % 2 == 1 || i == a.Length - 1)) : null, (a, _) => If(a)),
        new("coalesce", "coalesce(value, value, …)", a => a.Length > 1 ? Common(a) : null, (a, _) => a.FirstOrDefault(x => x is not null)),

        new("upper", "upper(text)", a => Takes(a, Text) ? Text : null, (a, _) => (a[0] as string)?.Replace("ß", "SS", StringComparison.Ordinal).Replace('ı', 'I').ToUpperInvariant()),
        new("lower", "lower(text)", a => Takes(a, Text) ? Text : null, (a, _) => (a[0] as string)?.Replace("İ", "i\u0307", StringComparison.Ordinal).ToLowerInvariant()),
        new("trim", "trim(text)", a => Takes(a, Text) ? Text : null, (a, _) => Full((a[0] as string)?.Trim(' '))),
        new("len", "len(text)", a => Takes(a, Text) ? Number : null, (a, _) => a[0] is string text ? (decimal)text.EnumerateRunes().Count() : null),
        new("left", "left(text, characters)", a => Takes(a, Text, Number) ? Text : null, (a, _) => Cut(a, fromEnd: false)),
        new("right", "right(text, characters)", a => Takes(a, Text, Number) ? Text : null, (a, _) => Cut(a, fromEnd: true)),
        new("text", "text(number), text(date), text(text)", a => a is [{ Type: Text or Number or Date }] ? Text : null, (a, _) => ToText(a[0])),
        new("contains", "contains(text, text), contains(choices, text)", a => Takes(a, Text, Text) || Takes(a, List, Text) ? YesNo : null, (a, _) => Contains(a)),
        new("starts", "starts(text, text)", a => Takes(a, Text, Text) ? YesNo : null, (a, _) => a is [string text, string start] && text.StartsWith(start, StringComparison.Ordinal)),
        new("ends", "ends(text, text)", a => Takes(a, Text, Text) ? YesNo : null, (a, _) => a is [string text, string end] && text.EndsWith(end, StringComparison.Ordinal)),

        new("abs", "abs(number)", a => Takes(a, Number) ? Number : null, (a, _) => Compute(a[0], Math.Abs)),
        new("floor", "floor(number)", a => Takes(a, Number) ? Number : null, (a, _) => Compute(a[0], Math.Floor)),
        new("ceil", "ceil(number)", a => Takes(a, Number) ? Number : null, (a, _) => Compute(a[0], Math.Ceiling)),
        new("round", "round(number), round(number, digits)", a => Takes(a, Number) || Takes(a, Number, Number) ? Number : null, (a, _) => Round(a)),
        new("min", "min(value, value, …)", a => a.Length > 1 && a.All(x => x.Type == a[0].Type) && a[0].Type is Number or Date ? a[0].Type : null, (a, _) => a.Where(x => x is not null).Order().FirstOrDefault()),
        new("max", "max(value, value, …)", a => a.Length > 1 && a.All(x => x.Type == a[0].Type) && a[0].Type is Number or Date ? a[0].Type : null, (a, _) => a.Where(x => x is not null).OrderDescending().FirstOrDefault()),

        new("year", "year(date)", a => Takes(a, Date) ? Number : null, (a, _) => a[0] is DateOnly date ? (decimal)date.Year : null),
        new("month", "month(date)", a => Takes(a, Date) ? Number : null, (a, _) => a[0] is DateOnly date ? (decimal)date.Month : null),
        new("day", "day(date)", a => Takes(a, Date) ? Number : null, (a, _) => a[0] is DateOnly date ? (decimal)date.Day : null),
        new("weekday", "weekday(date)", a => Takes(a, Date) ? Number : null, (a, _) => a[0] is DateOnly date ? date.DayOfWeek == DayOfWeek.Sunday ? 7m : (decimal)(int)date.DayOfWeek : null),
        new("date", "date(instant), date(\"2026-11-21\")", a => Takes(a, Instant) ? Date : null, (a, _) => a[0] is DateTimeOffset instant ? DateOnly.FromDateTime(instant.UtcDateTime) : null),
        new("add_days", "add_days(date, days)", a => Takes(a, Date, Number) ? Date : null, (a, _) => AddDays(a)),
        new("add_months", "add_months(date, months)", a => Takes(a, Date, Number) ? Date : null, (a, _) => AddMonths(a, 1)),
        new("add_years", "add_years(date, years)", a => Takes(a, Date, Number) ? Date : null, (a, _) => AddMonths(a, 12)),
        new("today", "today()", a => a.IsEmpty ? Date : null, (_, now) => DateOnly.FromDateTime(now.UtcDateTime)),
        new("now", "now()", a => a.IsEmpty ? Instant : null, (_, now) => now.ToUniversalTime()),
    ];

    /// <summary>A value as text joins it: numbers without needless zeros, dates as in ISO 8601.</summary>
    private static string? ToText(object? value) => value switch
    {
        string text => text,
        0m => "0",
        decimal number => number.ToString("0.############################", CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => null,
    };

    private static bool Takes(ImmutableArray<Expression> arguments, params ReadOnlySpan<ExpressionType> types)
    {
        if (arguments.Length != types.Length)
        {
            return false;
        }

        for (var i = 0; i < types.Length; i++)
        {
            if (!Is(arguments[i], types[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Is(Expression argument, ExpressionType type) => argument.Type == type;

    /// <summary>The one type of all that are not the word empty; null when there are several.</summary>
    private static ExpressionType? Common(IEnumerable<Expression> arguments)
    {
        var types = arguments.Select(a => a.Type).Where(t => t != Empty).Distinct().ToList();
        return types switch { [] => Empty, [List] => null, [var one] => one, _ => null };
    }

    private static bool AreComparable(ImmutableArray<Expression> arguments) =>
        arguments.Length > 1 && arguments.All(a => a.Type != List) && Common(arguments) is not (null or Empty);

    // The order of texts depends on a language; who compares texts by order means something else.
    private static bool AreOrdered(ImmutableArray<Expression> arguments) => Takes(arguments, Number, Number) || Takes(arguments, Date, Date) || Takes(arguments, Instant, Instant);

    private static bool AreSame(object? left, object? right) => Equals(left, right);

    /// <summary>Negative, zero or positive; null, which no comparison holds for, when one side is empty.</summary>
    private static int? Compare(object?[] arguments) => arguments is [IComparable left, { } right] ? left.CompareTo(right) : null;

    private static string? Full(string? text) => text is { Length: > 0 } ? text : null;

    private static decimal? Compute(object? argument, Func<decimal, decimal> compute) => argument is decimal number ? compute(number) : null;

    private static decimal? Compute(object?[] arguments, Func<decimal, decimal, decimal?> compute)
    {
        if (arguments is not [decimal left, decimal right])
        {
            return null;
        }

        try
        {
            return compute(left, right) is { } result && Math.Abs(result) <= Expression.MaxNumber ? result : null;
        }
        catch (OverflowException)
        {
            // Beyond every number there is, and therefore empty like all of those.
            return null;
        }
    }

    private static object? Subtract(object?[] arguments) => arguments switch
    {
        [DateOnly left, DateOnly right] => (decimal)(left.DayNumber - right.DayNumber),
        [DateOnly, decimal days] => AddDays([arguments[0], -days]),
        _ => Compute(arguments, (x, y) => x - y),
    };

    private static object? If(object?[] arguments)
    {
        for (var i = 0; i + 1 < arguments.Length; i += 2)
        {
            if (arguments[i] is true)
            {
                return arguments[i + 1];
            }
        }

        return arguments[^1];
    }

    private static bool Contains(object?[] arguments) => arguments switch
    {
        [string text, string part] => text.Contains(part, StringComparison.Ordinal),
        [string[] list, string item] => list.Contains(item, StringComparer.Ordinal),
        _ => false,
    };

    private static string? Cut(object?[] arguments, bool fromEnd)
    {
        if (arguments is not [string text, decimal wanted])
        {
            return null;
        }

        var runes = text.EnumerateRunes().ToArray();
        var count = (int)Math.Clamp(decimal.Truncate(wanted), 0, runes.Length);
        var cut = new StringBuilder();
        foreach (var rune in fromEnd ? runes[^count..] : runes[..count])
        {
            cut.Append(rune);
        }

        return Full(cut.ToString());
    }

    private static object? Round(object?[] arguments) => arguments switch
    {
        [decimal number] => Math.Round(number, 0, MidpointRounding.AwayFromZero),
        [decimal number, decimal digits] => Math.Round(number, (int)Math.Clamp(decimal.Truncate(digits), 0, 10), MidpointRounding.AwayFromZero),
        _ => null,
    };

    private static DateOnly? AddDays(object?[] arguments)
    {
        if (arguments is not [DateOnly date, decimal days] || Math.Abs(days) > 4_000_000)
        {
            return null;
        }

        var number = date.DayNumber + (int)decimal.Truncate(days);
        return number >= DateOnly.MinValue.DayNumber && number <= DateOnly.MaxValue.DayNumber ? DateOnly.FromDayNumber(number) : null;
    }

    private static DateOnly? AddMonths(object?[] arguments, int months)
    {
        if (arguments is not [DateOnly date, decimal count] || Math.Abs(count) > 120_000)
        {
            return null;
        }

        var added = (int)decimal.Truncate(count) * months;
        var month = (date.Year * 12) + date.Month - 1 + added;
        return month is >= 12 and < 120_000 ? date.AddMonths(added) : null;
    }
}
