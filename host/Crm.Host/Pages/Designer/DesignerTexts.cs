using System.Globalization;
using System.Resources;

namespace Crm.Host.Pages.Designer;

/// <summary>Texts of the designer, in the language of the circuit; <c>DesignerTexts.resx</c> holds the English ones.</summary>
internal static class DesignerTexts
{
    private static readonly ResourceManager Resources = new("Crm.Host.Pages.Designer.DesignerTexts", typeof(DesignerTexts).Assembly);

    /// <summary>The text of this name with its places filled; a missing name is a bug and throws.</summary>
    public static string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = Resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"The designer has no text '{name}'.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, arguments);
    }
}
