namespace Crm.Metadata;

/// <summary>What holds for the whole installation, as the customer's layer says it.</summary>
/// <param name="PhoneCountry">ISO 3166 code of the country phone numbers without a calling code belong to where their field names none; null for none.</param>
public sealed record InstallationSettings(string? PhoneCountry = null)
{
    /// <summary>Nothing is said.</summary>
    public static InstallationSettings None { get; } = new();
}
