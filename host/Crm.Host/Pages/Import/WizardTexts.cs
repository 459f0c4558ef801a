using System.Globalization;
using System.Resources;

namespace Crm.Host.Pages.Import;

/// <summary>Texts of the import wizard; <c>WizardTexts.resx</c> holds the English ones.</summary>
internal static class WizardTexts
{
    private static readonly ResourceManager Resources = new("Crm.Host.Pages.Import.WizardTexts", typeof(WizardTexts).Assembly);

    /// <summary>The text of this name with its places filled; a missing name is a bug and throws.</summary>
    public static string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = Resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"Crm.Host.Pages.Import has no text '{name}'.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, arguments);
    }
}
