using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>How one field is filled from a row: its mapping, checked and prepared.</summary>
internal sealed class FieldPlan
{
    private readonly int? column;
    private readonly TextTemplate? template;
    private readonly string? constant;
    private readonly FrozenDictionary<string, string?>? values;

    private FieldPlan(string key, FieldDefinition field, FieldMapping mapping, int? column, TextTemplate? template, string? constant)
    {
        Key = key;
        Field = field;
        Mapping = mapping;
        this.column = column;
        this.template = template;
        this.constant = constant;
        values = mapping.Values is { Count: > 0 } map ? ToDictionary(map) : null;
        // The property of a lookup (company_id) takes ids as they are; the field itself takes names.
        IsReference = IsList || (field.Type is ReferenceType && (key == field.Name || field.Type is OwnerType));
        if (field.Type is KindsType && key != field.Name && key[(field.Name.Length + 1)..].Split('.') is [var kind, .. var part])
        {
            (Kind, AddressPart) = (kind, part is [var name] ? name : null);
        }

        IsPart = key != field.Name && !IsReference && Kind is null;
        CreateTemplates = mapping.Create?.ToFrozenDictionary(c => c.Key, c => TextTemplate.Parse(c.Value)) ?? FrozenDictionary<string, TextTemplate>.Empty;
    }

    /// <summary>Name of the field or the property, as the mapping gives it.</summary>
    public string Key { get; }

    public FieldDefinition Field { get; }

    public FieldMapping Mapping { get; }

    /// <summary>Whether values are names of other records.</summary>
    public bool IsReference { get; }

    /// <summary>Whether the key is a further property of the field, such as a currency.</summary>
    public bool IsPart { get; }

    /// <summary>The kind the value is of, in a field that holds several; null for other fields.</summary>
    public string? Kind { get; }

    /// <summary>The part of an address of that kind; null for other fields.</summary>
    public string? AddressPart { get; }

    /// <summary>The entity a reference points to; the first of several.</summary>
    public string Target => Targets[0];

    /// <summary>Every entity a reference may point to.</summary>
    public ImmutableArray<string> Targets => TargetsOf(Field);

    /// <summary>Whether a cell names any number of records, with semicolons between them.</summary>
    public bool IsList => Field.Type is ManyToManyType;

    /// <summary>The entities a field names records of; empty when it names none.</summary>
    public static ImmutableArray<string> TargetsOf(FieldDefinition field) => field.Type switch
    {
        ManyToManyType => [field.Target!],
        ReferenceType reference => [.. reference.WaysOf(field).Select(w => w.Target)],
        _ => [],
    };

    /// <summary>The names in a cell.</summary>
    public IEnumerable<string> Names(string text) => IsList ? text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [text];

    /// <summary>Templates of further values of records made for unknown references.</summary>
    public FrozenDictionary<string, TextTemplate> CreateTemplates { get; }

    /// <summary>The column the value comes from, for reports.</summary>
    public string? ColumnName => Mapping.Column;

    public bool HasValues => values is not null;

    public int? Column => column;

    /// <summary>Prepares one field of a mapping that <see cref="MappingCheck"/> found good.</summary>
    public static FieldPlan Create(string key, FieldDefinition field, FieldMapping mapping, FrozenDictionary<string, int> columns) =>
        new(
            key,
            field,
            mapping,
            mapping.Column is { } name ? columns[name] : null,
            mapping.Template is { } text ? TextTemplate.Parse(text) : null,
            mapping.Value is { } value ? ToText(value) : null);

    /// <summary>The text of the field in a row, values replaced as the mapping says; empty for none.</summary>
    /// <param name="row">The row.</param>
    /// <param name="valueOf">Value of a column as its own field maps it, for templates.</param>
    public string Text(string[] row, Func<string, string> valueOf)
    {
        var text = column is { } index ? row[index] : template?.Fill(valueOf) ?? constant ?? "";
        return Replace(text);
    }

    /// <summary>What the mapping says is meant by a value of the file.</summary>
    public string Replace(string text) => values is not null && values.TryGetValue(text, out var meant) ? meant ?? "" : text;

    /// <summary>Text of a JSON value as a cell would hold it.</summary>
    private static string ToText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    // Exact spelling first: a map may tell "Won" from "won"; what is left is matched in any case.
    private static FrozenDictionary<string, string?> ToDictionary(IReadOnlyDictionary<string, string?> map)
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (from, to) in map)
        {
            all.TryAdd(from.Trim(), to?.Trim());
        }

        return all.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }
}

/// <summary>Turns the text of a cell into input the field's type takes, where the file's own way of writing numbers and dates matters.</summary>
internal sealed class CellReader
{
    private readonly CultureInfo? culture;
    private readonly string[] dateFormats;
    private readonly TimeZoneInfo zone;

    public CellReader(ImportMapping mapping)
    {
        culture = mapping.Culture is { Length: > 0 } name ? CultureInfo.GetCultureInfo(name, predefinedOnly: true) : null;
        dateFormats = [.. mapping.DateFormats ?? []];
        zone = mapping.TimeZone is { Length: > 0 } id ? TimeZoneInfo.FindSystemTimeZoneById(id) : TimeZoneInfo.Utc;
    }

    /// <summary>Input for <see cref="FieldType.TryNormalize"/>; the text itself where nothing better is known, so that the type refuses it.</summary>
    public object Read(FieldType type, string text) => type switch
    {
        MoneyType => Money(text),
        DurationType => text,
        NumberType => (object?)Number(text.TrimEnd('%', ' ', '\u00A0')) ?? text,
        _ when type.ValueType == typeof(DateOnly) => (object?)Date(text) ?? text,
        _ when type.ValueType == typeof(DateTimeOffset) => (object?)Instant(text) ?? text,
        _ => text,
    };

    private decimal? Number(string text)
    {
        if (culture is null)
        {
            return null;
        }

        // Thousands are written with any of several spaces where a culture uses one.
        var group = culture.NumberFormat.NumberGroupSeparator;
        var plain = group.Length > 0 && char.IsWhiteSpace(group[0]) ? string.Concat(text.Where(c => !char.IsWhiteSpace(c))) : text;
        return decimal.TryParse(plain, NumberStyles.Number, culture, out var number) ? number : null;
    }

    private object Money(string text)
    {
        if (culture is null)
        {
            return text;
        }

        var trimmed = text.Trim();
        string? currency = null;
        if (trimmed.Length > 3 && trimmed[^3..].All(char.IsAsciiLetter))
        {
            (currency, trimmed) = (trimmed[^3..], trimmed[..^3].TrimEnd());
        }
        else if (trimmed.Length > 3 && trimmed[..3].All(char.IsAsciiLetter))
        {
            (currency, trimmed) = (trimmed[..3], trimmed[3..].TrimStart());
        }

        return Number(trimmed) is not { } amount
            ? text
            : currency is null ? amount : new Dictionary<string, object?>(StringComparer.Ordinal) { ["amount"] = amount, ["currency"] = currency };
    }

    private DateOnly? Date(string text)
    {
        if (DateOnly.TryParseExact(text, dateFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            return date;
        }

        // A file with times at midnight in a date column is common; ISO comes before the culture, because it is never ambiguous.
        if (DateTime.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mm:ss", "yyyyMMdd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment))
        {
            return DateOnly.FromDateTime(moment);
        }

        return culture is not null && DateOnly.TryParse(text, culture, out date) ? date : null;
    }

    private DateTimeOffset? Instant(string text)
    {
        if (Inputs.ToInstant(text) is { } instant)
        {
            return instant;
        }

        var isRead = DateTime.TryParseExact(text, dateFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            || DateTime.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out local)
            || (culture is not null && DateTime.TryParse(text, culture, DateTimeStyles.None, out local));
        if (!isRead)
        {
            return null;
        }

        local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        // A time the clock skipped in spring is read as if it had not been.
        return zone.IsInvalidTime(local) ? new DateTimeOffset(local, zone.BaseUtcOffset).ToUniversalTime() : new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }
}
