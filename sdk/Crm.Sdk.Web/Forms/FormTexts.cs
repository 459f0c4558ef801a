using System.Globalization;
using System.Resources;

namespace Crm.Sdk.Web.Forms;

/// <summary>Texts of forms, in the user's language.</summary>
public static class FormTexts
{
    private static readonly ResourceManager Texts = new("Crm.Sdk.Web.Forms.FormTexts", typeof(FormTexts).Assembly);

    /// <summary>A text, with its places filled in the user's format; <see cref="KeyNotFoundException"/> when there is none of this name.</summary>
    public static string Text(string name, params ReadOnlySpan<object?> places)
    {
        var text = Texts.GetString(name, CultureInfo.CurrentUICulture) ?? throw new KeyNotFoundException($"There is no form text '{name}'.");
        return places.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, places);
    }
}
