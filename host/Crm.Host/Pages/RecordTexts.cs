using System.Globalization;
using System.Resources;

namespace Crm.Host.Pages;

/// <summary>Texts of the record page, in the language of the circuit; <c>RecordTexts.resx</c> holds the English ones.</summary>
internal static class RecordTexts
{
    private static readonly ResourceManager Resources = new("Crm.Host.Pages.RecordTexts", typeof(RecordTexts).Assembly);

    /// <summary>The text of this name with its places filled; a missing name is a bug and throws.</summary>
    public static string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = Resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"Crm.Host.Pages.RecordTexts has no text '{name}'.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, arguments);
    }
}
