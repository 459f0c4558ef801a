using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>What the inputs of one field hold, as text in the user's format: one text for most fields, several for money (amount, currency), date-time (date, time), addresses and geolocations.</summary>
/// <param name="Texts">Text by part; the part of a field with one input is the empty name.</param>
public sealed record FieldParts(ImmutableDictionary<string, string> Texts)
{
    /// <summary>Part of a field with one input.</summary>
    public const string Main = "";

    /// <summary>The amount of a money field.</summary>
    public const string Amount = "amount";

    /// <summary>The currency of a money field.</summary>
    public const string Currency = "currency";

    /// <summary>The date of a date-time field.</summary>
    public const string Date = "date";

    /// <summary>The time of a date-time field.</summary>
    public const string Time = "time";

    /// <summary>The degrees north of a geolocation.</summary>
    public const string Latitude = "latitude";

    /// <summary>The degrees east of a geolocation.</summary>
    public const string Longitude = "longitude";

    /// <summary>Nothing typed.</summary>
    public static FieldParts Empty { get; } = new(ImmutableDictionary<string, string>.Empty);

    /// <summary>One text.</summary>
    public static FieldParts Of(string text) => new(ImmutableDictionary<string, string>.Empty.Add(Main, text));

    /// <summary>Text of a part; empty when there is none.</summary>
    public string this[string part] => Texts.GetValueOrDefault(part, "");

    /// <summary>The same with one part replaced.</summary>
    public FieldParts With(string part, string text) => new(Texts.SetItem(part, text));

    /// <summary>The same with the parts of <paramref name="other"/> on top.</summary>
    public FieldParts With(FieldParts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new FieldParts(Texts.SetItems(other.Texts));
    }

    /// <summary>Whether no part holds anything but white space.</summary>
    public bool IsBlank => Texts.Values.All(string.IsNullOrWhiteSpace);
}
