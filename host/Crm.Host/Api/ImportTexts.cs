using System.Globalization;
using System.Resources;

namespace Crm.Host.Api;

/// <summary>Texts of imports and jobs for users; <c>ImportTexts.resx</c> holds the English ones.</summary>
internal static class ImportTexts
{
    private static readonly ResourceManager Resources = new("Crm.Host.Api.ImportTexts", typeof(ImportTexts).Assembly);

    /// <summary>The text of this name with its places filled; a missing name is a bug and throws.</summary>
    public static string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = Resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"Crm.Host has no text '{name}'.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, arguments);
    }
}
