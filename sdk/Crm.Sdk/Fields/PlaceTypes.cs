using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>A place on earth (WGS 84), to six digits: a hand's breadth.</summary>
/// <param name="Latitude">Degrees north, -90 to 90.</param>
/// <param name="Longitude">Degrees east, -180 to 180.</param>
public readonly record struct GeoPoint(decimal Latitude, decimal Longitude)
{
    /// <summary>Latitude and longitude, for example <c>52.520008, 13.404954</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Latitude:0.######}, {Longitude:0.######}");
}

/// <summary>A place on earth. Text is latitude and longitude in degrees: <c>52.520008, 13.404954</c>.</summary>
public sealed class GeolocationType : FieldType
{
    private const int Digits = 6;

    private static readonly ImmutableArray<FieldColumn> Parts =
        [new("latitude", "_latitude", StorageKind.Decimal, Scale: Digits), new("longitude", "_longitude", StorageKind.Decimal, Scale: Digits)];

    /// <inheritdoc/>
    public override string Name => "geolocation";

    /// <inheritdoc/>
    public override Type ValueType => typeof(GeoPoint);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Parts;

    /// <inheritdoc/>
    public override ImmutableArray<FilterOperator> Operators => NumberType.Ordered;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        error = null;
        (object? latitude, object? longitude) = input switch
        {
            GeoPoint point => (point.Latitude, point.Longitude),
            IReadOnlyDictionary<string, object?> parts => (parts.GetValueOrDefault("latitude"), parts.GetValueOrDefault("longitude")),
            string text when text.Split([',', ';'], StringSplitOptions.TrimEntries) is [var first, var second] => (first, second),
            _ => (input, null),
        };
        if (latitude is null or "" && longitude is null or "")
        {
            return true;
        }

        if (Inputs.ToDecimal(latitude) is { } north and >= -90 and <= 90 && Inputs.ToDecimal(longitude) is { } east and >= -180 and <= 180)
        {
            value = new GeoPoint(Math.Round(north, Digits, MidpointRounding.AwayFromZero), Math.Round(east, Digits, MidpointRounding.AwayFromZero));
            return true;
        }

        error = new FieldError(ErrorCodes.Type, Texts.Of("NotGeolocation", field.Label));
        return false;
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        var point = value as GeoPoint?;
        columns[0] = point?.Latitude;
        columns[1] = point?.Longitude;
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns) =>
        columns[0] is decimal latitude && columns[1] is decimal longitude ? new GeoPoint(latitude, longitude) : null;

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is GeoPoint point ? point.ToString() : "";
}

/// <summary>A postal address; a missing part is null. A field holds one, or several with what they are for: <see cref="AddressesType"/>.</summary>
/// <param name="Street">Street and number, of one or several lines.</param>
/// <param name="PostalCode">Postal code.</param>
/// <param name="City">City.</param>
/// <param name="Region">State, province or county.</param>
/// <param name="Country">Country: its name, or its code of two capital letters.</param>
public sealed record Address(string? Street = null, string? PostalCode = null, string? City = null, string? Region = null, string? Country = null)
{
    /// <summary>In one line.</summary>
    public override string ToString() => string.Join(", ", Lines);

    /// <summary>As on an envelope.</summary>
    public IEnumerable<string> Lines => [.. (Street ?? "").Split('\n').Append(Join(PostalCode, City)).Append(Region ?? "").Append(Country ?? "").Where(line => line.Length > 0)];

    private static string Join(string? code, string? city) => string.Join(' ', new[] { code, city }.Where(part => part is { Length: > 0 }));
}

/// <summary>A postal address in five columns: <c>{name}_street</c>, <c>_postal_code</c>, <c>_city</c>, <c>_region</c> and <c>_country</c>. Parts not given keep their stored value.</summary>
public sealed class AddressType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Parts =
    [
        new("street", "_street", StorageKind.Text, MaxLength: 255), new("postal_code", "_postal_code", StorageKind.Text, MaxLength: 20),
        new("city", "_city", StorageKind.Text, MaxLength: 100), new("region", "_region", StorageKind.Text, MaxLength: 100), new("country", "_country", StorageKind.Text, MaxLength: 100),
    ];

    private static readonly ImmutableArray<FilterOperator> TextOperators = [.. Enum.GetValues<FilterOperator>().Where(o => o != FilterOperator.Matches)];

    /// <inheritdoc/>
    public override string Name => "address";

    /// <inheritdoc/>
    public override Type ValueType => typeof(Address);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Parts;

    /// <inheritdoc/>
    public override ImmutableArray<FilterOperator> Operators => TextOperators;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        if (input is Address address)
        {
            input = ToParts(address);
        }

        if (input is not IReadOnlyDictionary<string, object?> given || given.Keys.Any(key => !Parts.Any(p => p.Part == key)))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotAddress", field.Label, string.Join(", ", Parts.Select(p => p.Part))));
            return false;
        }

        var parts = new string?[Parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!TryPart(field, Parts[i], given.GetValueOrDefault(Parts[i].Part), out parts[i], out error))
            {
                return false;
            }
        }

        // DE and de are the same country.
        parts[4] = parts[4] is { Length: 2 } code ? code.ToUpperInvariant() : parts[4];
        value = Array.TrueForAll(parts, p => p is null) ? null : new Address(parts[0], parts[1], parts[2], parts[3], parts[4]);
        error = null;
        return true;
    }

    /// <inheritdoc/>
    public override object Complete(object input, object stored)
    {
        if (input is not IReadOnlyDictionary<string, object?> given || stored is not Address address)
        {
            return input;
        }

        var parts = ToParts(address);
        foreach (var (part, value) in given)
        {
            parts[part] = value;
        }

        return parts;
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        var address = value as Address;
        (columns[0], columns[1], columns[2], columns[3], columns[4]) = (address?.Street, address?.PostalCode, address?.City, address?.Region, address?.Country);
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns)
    {
        foreach (var column in columns)
        {
            if (column is not null)
            {
                return new Address(columns[0] as string, columns[1] as string, columns[2] as string, columns[3] as string, columns[4] as string);
            }
        }

        return null;
    }

    private static bool TryPart(FieldDefinition field, FieldColumn part, object? input, out string? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = null;
        error = null;
        if (input is null)
        {
            return true;
        }

        var isLines = part.Part == "street";
        var text = Inputs.ToText(input)?.Trim().ReplaceLineEndings("\n");
        if (text is null || !SingleTextType.IsUnicode(text) || text.Any(c => char.IsControl(c) && !(isLines && c == '\n')))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotAddressPart", field.Label, part.Part));
        }
        else if (text.Length > part.MaxLength)
        {
            error = new FieldError(ErrorCodes.Length, Texts.Of("PartTooLong", field.Label, part.Part, part.MaxLength));
        }

        value = text is { Length: > 0 } ? text : null;
        return error is null;
    }

    internal static Dictionary<string, object?> ToParts(Address address) => new(StringComparer.Ordinal)
    {
        ["street"] = address.Street,
        ["postal_code"] = address.PostalCode,
        ["city"] = address.City,
        ["region"] = address.Region,
        ["country"] = address.Country,
    };
}
