using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Xml;

namespace Crm.Sdk;

/// <summary>A time of day.</summary>
internal sealed class TimeType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Time)];

    public override string Name => "time";

    public override Type ValueType => typeof(TimeOnly);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override ImmutableArray<FilterOperator> Operators => NumberType.Ordered;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = Inputs.ToTime(input);
        error = value is null ? new FieldError(ErrorCodes.Type, Texts.Of("NotTime", field.Label)) : null;
        return error is null;
    }

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is TimeOnly time ? time.ToString("t", culture) : "";
}

/// <summary>
/// A length of time, stored in whole seconds, so that durations can be added up. Numbers are seconds; text is hours and minutes
/// (<c>1:30</c>, <c>1:30:15</c>), units (<c>1h 30m</c>, <c>90 min</c>, <c>2 d</c>) or ISO 8601 (<c>PT1H30M</c>).
/// </summary>
public sealed class DurationType : NumberType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Integer)];

    // About three centuries: more is a mistake, and sums of a million of these still fit.
    private const long Longest = 10_000_000_000;

    /// <inheritdoc/>
    public override string Name => "duration";

    /// <inheritdoc/>
    public override Type ValueType => typeof(long);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        var seconds = input switch
        {
            TimeSpan span => (decimal)span.TotalSeconds,
            string text => ReadText(text),
            _ => Inputs.ToDecimal(input),
        };
        if (seconds is not { } number || Math.Abs(number) > Longest)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotDuration", field.Label));
            return false;
        }

        number = Math.Round(number, MidpointRounding.AwayFromZero);
        error = RangeError(field, number);
        value = error is null ? (long)number : null;
        return error is null;
    }

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is long seconds ? Write(seconds) : "";

    /// <summary>Hours and minutes, with seconds where there are some: <c>1:30</c>, <c>0:00:45</c>.</summary>
    /// <param name="seconds">The duration in seconds.</param>
    public static string Write(long seconds)
    {
        var sign = seconds < 0 ? "-" : "";
        var (minutes, rest) = Math.DivRem(Math.Abs(seconds), 60);
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{minutes / 60}:{minutes % 60:00}{(rest == 0 ? "" : $":{rest:00}")}");
    }

    private static decimal? ReadText(string input)
    {
        var text = input.Trim();
        if (Inputs.ToDecimal(text) is { } number)
        {
            return number;
        }

        var sign = 1;
        if (text.StartsWith('-'))
        {
            (sign, text) = (-1, text[1..]);
        }

        return sign * (text.Contains(':', StringComparison.Ordinal) ? ReadClock(text) : text.StartsWith('P') ? ReadIso(text) : ReadUnits(text));
    }

    private static decimal? ReadClock(string text)
    {
        var parts = text.Split(':');
        if (parts.Length is < 2 or > 3 || !Array.TrueForAll(parts, p => p.Length is > 0 and < 10 && p.All(char.IsAsciiDigit)))
        {
            return null;
        }

        var numbers = Array.ConvertAll(parts, p => decimal.Parse(p, CultureInfo.InvariantCulture));
        return numbers[1..].Any(n => n > 59) ? null : (numbers[0] * 3600) + (numbers[1] * 60) + (numbers.Length > 2 ? numbers[2] : 0);
    }

    private static decimal? ReadIso(string text)
    {
        try
        {
            return (decimal)XmlConvert.ToTimeSpan(text).TotalSeconds;
        }
        catch (Exception problem) when (problem is FormatException or OverflowException)
        {
            return null;
        }
    }

    private static decimal? ReadUnits(string text)
    {
        decimal total = 0;
        var rest = text.AsSpan().Trim();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('.', '9');
            if (digits <= 0 || digits > 10 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            rest = rest[digits..].TrimStart();
            var letters = rest.IndexOfAnyExceptInRange('A', 'z');
            var unit = (letters < 0 ? rest : rest[..letters]).ToString().ToLowerInvariant();
            decimal? factor = unit switch
            {
                "d" or "day" or "days" => 86_400,
                "h" or "hour" or "hours" => 3_600,
                "m" or "min" or "minute" or "minutes" => 60,
                "s" or "sec" or "second" or "seconds" => 1,
                _ => null,
            };
            if (factor is null)
            {
                return null;
            }

            total += number * factor.Value;
            rest = letters < 0 ? [] : rest[letters..].TrimStart();
        }

        return text.Length == 0 ? null : total;
    }
}

/// <summary>A number of stars, from one to the field's greatest value, five when it gives none. Zero is no rating.</summary>
public sealed class RatingType : NumberType
{
    private const int MostStars = 10;

    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Integer)];

    /// <inheritdoc/>
    public override string Name => "rating";

    /// <inheritdoc/>
    public override Type ValueType => typeof(long);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <summary>Most stars a field takes.</summary>
    public static int Stars(FieldDefinition field) => field?.Maximum is { } most and >= 1 and <= MostStars ? (int)most : 5;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        if (Inputs.ToDecimal(input) is not { } number || decimal.Truncate(number) != number)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotRating", field.Label, Stars(field)));
            return false;
        }

        error = number < 0 || number > Stars(field) ? new FieldError(ErrorCodes.Range, Texts.Of("NotRating", field.Label, Stars(field))) : null;
        value = error is null && number > 0 ? (long)number : null;
        return error is null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        if (field.Minimum is not null || field.Maximum is { } most && (most is < 2 or > MostStars || decimal.Truncate(most) != most))
        {
            yield return Texts.Of("RatingStars", field.Name, MostStars);
        }
    }

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is long stars ? string.Create(culture, $"{stars}/{Stars(field)}") : "";
}
