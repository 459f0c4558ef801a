using System.Globalization;

namespace Crm.Sdk.Web;

/// <summary>How the user wants to see values. Scoped: one per circuit, set by the shell before any page is shown.</summary>
public sealed class DisplayContext
{
    /// <summary>Formats of numbers and dates.</summary>
    public CultureInfo Culture { get; set; } = CultureInfo.CurrentCulture;

    /// <summary>Time zone instants are shown and typed in.</summary>
    public TimeZoneInfo TimeZone { get; set; } = TimeZoneInfo.Utc;

    /// <summary>Text of a value for the user; the title of a record pointed to is shown by the caller, who has read it.</summary>
    public string Format(FieldDefinition field, object? value)
    {
        ArgumentNullException.ThrowIfNull(field);
        return value is DateTimeOffset instant
            ? field.Type.Format(field, TimeZoneInfo.ConvertTime(instant, TimeZone), Culture)
            : field.Type.Format(field, value, Culture);
    }

    /// <summary>Date and time of an instant, in the user's format and time zone.</summary>
    public string Format(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, TimeZone).ToString("g", Culture);
}
