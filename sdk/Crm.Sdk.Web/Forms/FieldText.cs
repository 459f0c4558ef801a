using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Crm.Sdk.Web.Forms;

/// <summary>Between the value of a field and what its inputs hold: the one place where a user's format and time zone meet what is stored.</summary>
public sealed class FieldText(DisplayContext display, TimeProvider clock)
{
    // What the user's format cannot read must not be read in another one: the type refuses this in its own words.
    private const string Unreadable = "?";

    /// <summary>What the inputs show for a value.</summary>
    public FieldParts Write(FieldDefinition field, object? value)
    {
        ArgumentNullException.ThrowIfNull(field);
        switch (value)
        {
            case null when field.Type is MoneyType:
                return FieldParts.Empty.With(FieldParts.Currency, field.Default as string ?? MoneyType.FallbackCurrency);
            case null:
                return FieldParts.Empty;
            case Money money:
                return FieldParts.Empty.With(FieldParts.Amount, NumberText.Write(money.Amount, display.Culture, Math.Min(field.Scale ?? 2, 2))).With(FieldParts.Currency, money.Currency);
            case decimal number:
                return FieldParts.Of(NumberText.Write(number, display.Culture));
            case TimeOnly time:
                return FieldParts.Of(DateText.WriteTime(time));
            case GeoPoint point:
                return FieldParts.Empty
                    .With(FieldParts.Latitude, point.Latitude.ToString("0.######", display.Culture))
                    .With(FieldParts.Longitude, point.Longitude.ToString("0.######", display.Culture));
            case FileValue file:
                return FieldParts.Of(JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["id"] = file.Id,
                    ["name"] = file.Name,
                    ["content_type"] = file.ContentType,
                    ["size"] = file.Size,
                }));
            case LinkChanges links:
                return FieldParts.Of(LinkText.Write(links));
            case Address:
                return Columns(field, value);
            case ImmutableArray<KindValue> several:
                return SeveralRows.Write(several.Select(v => (v.Kind, v.Value)));
            case ImmutableArray<KindAddress> addresses:
                return SeveralRows.OfAddresses(addresses);
            case long seconds when field.Type is DurationType:
                return FieldParts.Of(DurationType.Write(seconds));
            case long number:
                return FieldParts.Of(number.ToString(CultureInfo.InvariantCulture));
            case DateOnly date:
                return FieldParts.Of(DateText.Write(date, display.Culture));
            case DateTimeOffset instant:
                var local = TimeZoneInfo.ConvertTime(instant, display.TimeZone);
                return FieldParts.Empty
                    .With(FieldParts.Date, DateText.Write(DateOnly.FromDateTime(local.DateTime), display.Culture))
                    .With(FieldParts.Time, DateText.WriteTime(TimeOnly.FromDateTime(local.DateTime)));
            case ImmutableArray<string> names:
                return FieldParts.Of(string.Join(';', names));
            case bool yes:
                return FieldParts.Of(yes ? "true" : "false");
            default:
                return FieldParts.Of(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        }
    }

    /// <summary>Reads what the inputs hold into the value to store; null when they are empty.</summary>
    /// <param name="field">The field.</param>
    /// <param name="parts">What its inputs hold.</param>
    /// <param name="value">The value, of the type's <see cref="FieldType.ValueType"/>.</param>
    /// <param name="error">Why it cannot be read.</param>
    public bool TryRead(FieldDefinition field, FieldParts parts, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(parts);
        if (field.Type.Name == "date_time" && !parts.IsBlank)
        {
            value = Instant(parts);
            error = value is null ? new FieldError(ErrorCodes.Type, FormTexts.Text("DateTimeExample", field.Label)) : null;
            return error is null;
        }

        var input = Input(field, parts);
        if (input is null or "")
        {
            value = null;
            error = null;
            return true;
        }

        return field.Type.TryNormalize(field, input, out value, out error);
    }

    private object? Input(FieldDefinition field, FieldParts parts)
    {
        var text = parts[FieldParts.Main];
        switch (field.Type.Name)
        {
            case "integer" or "decimal":
                return string.IsNullOrWhiteSpace(text) ? null : NumberText.Read(text, display.Culture) ?? (object)Unreadable;
            case "percent":
                return string.IsNullOrWhiteSpace(text) ? null : NumberText.Read(text.Replace('%', ' '), display.Culture) ?? (object)Unreadable;
            case "money":
                return Amount(parts);
            case "date":
                return string.IsNullOrWhiteSpace(text) ? null : DateText.Read(text, display.Culture, Today) ?? (object)Unreadable;
            case "time":
                return string.IsNullOrWhiteSpace(text) ? null : Inputs.ToTime(text) ?? (object)Unreadable;
            case "duration":
                // Whoever types 90 means minutes.
                return text.Trim() is { Length: > 0 and < 9 } digits && digits.All(char.IsAsciiDigit) ? long.Parse(digits, CultureInfo.InvariantCulture) * 60 : text.Trim();
            case "geolocation":
                return new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["latitude"] = Degrees(parts[FieldParts.Latitude]),
                    ["longitude"] = Degrees(parts[FieldParts.Longitude]),
                };
            case "many_to_many":
                return LinkText.Read(text);
            case "phones" or "emails" or "urls":
                return SeveralRows.Read(parts).Select(r => (object?)new KindValue(r.Kind, r.Value)).ToList();
            case "addresses":
                return SeveralRows.ReadAddresses(parts).Select(r => (object?)r).ToList();
            case "address":
                return field.Type.Columns.ToDictionary(c => c.Part, c => (object?)parts[c.Part], StringComparer.Ordinal);
            default:
                return text;
        }
    }

    private static FieldParts Columns(FieldDefinition field, object value)
    {
        var cells = new object?[field.Type.Columns.Length];
        field.Type.ToColumns(value, cells);
        return field.Type.Columns.Zip(cells).Aggregate(FieldParts.Empty, (parts, cell) => parts.With(cell.First.Part, cell.Second as string ?? ""));
    }

    private object? Degrees(string text) => string.IsNullOrWhiteSpace(text) ? null : NumberText.Read(text, display.Culture) ?? (object)Unreadable;

    private DateOnly Today => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(clock.GetUtcNow(), display.TimeZone).DateTime);

    private Dictionary<string, object?>? Amount(FieldParts parts)
    {
        var text = parts[FieldParts.Amount];
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        var currency = parts[FieldParts.Currency].Trim();
        // A currency typed with the amount, as in "1,054 USD", is what the user means.
        var words = text.Trim().Split(' ', '\u00A0');
        if (words is [.., { Length: 3 } code] && code.All(char.IsAsciiLetter))
        {
            (text, currency) = (string.Join(' ', words[..^1]), code);
        }

        return new Dictionary<string, object?>
        {
            ["amount"] = NumberText.Read(text, display.Culture) ?? (object)Unreadable,
            ["currency"] = currency.Length == 0 ? null : currency,
        };
    }

    private DateTimeOffset? Instant(FieldParts parts)
    {
        if (DateText.Read(parts[FieldParts.Date], display.Culture, Today) is not { } date || Inputs.ToTime(parts[FieldParts.Time]) is not { } time)
        {
            return null;
        }

        var local = date.ToDateTime(time);
        // A time the clocks skip does not exist; the next one that does is what people mean.
        return display.TimeZone.IsInvalidTime(local)
            ? new DateTimeOffset(local, display.TimeZone.GetUtcOffset(local.AddHours(-3))).ToUniversalTime()
            : new DateTimeOffset(local, display.TimeZone.GetUtcOffset(local)).ToUniversalTime();
    }
}
