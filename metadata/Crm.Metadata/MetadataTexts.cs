using System.Globalization;
using System.Resources;

namespace Crm.Metadata;

/// <summary>Texts of this project, from MetadataTexts.resx: labels the platform puts into the metadata, messages and steps of plans.</summary>
internal static class MetadataTexts
{
    private static readonly ResourceManager Resources = new("Crm.Metadata.MetadataTexts", typeof(MetadataTexts).Assembly);

    public static string Of(string name, params ReadOnlySpan<object?> arguments) =>
        string.Format(
            CultureInfo.InvariantCulture,
            Resources.GetString(name, CultureInfo.InvariantCulture) ?? throw new InvalidOperationException($"There is no text '{name}'."),
            arguments);
}
