using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Values as JSON, as the API and scripts know them.</summary>
public static class ValueJson
{
    /// <summary>Writes one column of a field's value.</summary>
    public static void Write(Utf8JsonWriter json, FieldType type, int column, object? value)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(type);
        if (value is null && (type.Columns[column].Storage == StorageKind.TextList || type is KindsType))
        {
            // A collection is never null in OData.
            json.WriteStartArray();
            json.WriteEndArray();
        }
        else if (value is Money money)
        {
            if (column == 0)
            {
                json.WriteNumberValue(money.Amount);
            }
            else
            {
                json.WriteStringValue(money.Currency);
            }
        }
        else if (value is not null && type.Columns.Length > 1)
        {
            var parts = new object?[type.Columns.Length];
            type.ToColumns(value, parts);
            Write(json, parts[column]);
        }
        else
        {
            Write(json, value);
        }
    }

    /// <summary>Writes which record's save a change followed from.</summary>
    public static void WriteCause(Utf8JsonWriter json, RecordRef? cause)
    {
        if (cause is not null)
        {
            json.WriteStartObject("cause");
            json.WriteString("entity", cause.Entity);
            json.WriteString("id", cause.Id);
            json.WriteEndObject();
        }
    }

    /// <summary>Writes the value of a column.</summary>
    public static void Write(Utf8JsonWriter json, object? value)
    {
        ArgumentNullException.ThrowIfNull(json);
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case Guid id:
                json.WriteStringValue(id);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case double number:
                json.WriteNumberValue(number);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case DateOnly date:
                WriteDate(json, date);
                break;
            case TimeOnly time:
                json.WriteStringValue(time.ToString("HH:mm:ss", CultureInfo.InvariantCulture));
                break;
            case DateTimeOffset instant:
                json.WriteStringValue(instant.UtcDateTime);
                break;
            case Money money:
                json.WriteStartObject();
                json.WriteNumber("amount", money.Amount);
                json.WriteString("currency", money.Currency);
                json.WriteEndObject();
                break;
            case ImmutableArray<KindValue> values:
                json.WriteStartArray();
                foreach (var (kind, one) in values)
                {
                    json.WriteStartObject();
                    json.WriteString("kind", kind);
                    json.WriteString("value", one);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                break;
            case ImmutableArray<KindAddress> addresses:
                AddressesType.Write(json, addresses);
                break;
            case ImmutableArray<string> texts:
                WriteTexts(json, texts.IsDefault ? [] : texts.AsSpan());
                break;
            case string[] texts:
                WriteTexts(json, texts);
                break;
            default:
                throw new InvalidOperationException($"A value of type {value.GetType()} cannot be written as JSON.");
        }
    }

    /// <summary>Writes the whole value of a field: an object of its parts where it has several.</summary>
    public static void WriteWhole(Utf8JsonWriter json, FieldType type, object? value)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(type);
        if (type.Columns.Length == 1 || value is null || value.GetType() != type.ValueType)
        {
            Write(json, value);
            return;
        }

        var parts = new object?[type.Columns.Length];
        type.ToColumns(value, parts);
        json.WriteStartObject();
        for (var i = 0; i < parts.Length; i++)
        {
            json.WritePropertyName(type.Columns[i].Part);
            Write(json, parts[i]);
        }

        json.WriteEndObject();
    }

    private static void WriteDate(Utf8JsonWriter json, DateOnly date)
    {
        Span<char> text = stackalloc char[10];
        date.TryFormat(text, out var length, "yyyy-MM-dd", CultureInfo.InvariantCulture);
        json.WriteStringValue(text[..length]);
    }

    private static void WriteTexts(Utf8JsonWriter json, ReadOnlySpan<string> texts)
    {
        json.WriteStartArray();
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
