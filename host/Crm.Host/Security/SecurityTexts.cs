using System.Globalization;
using System.Resources;

namespace Crm.Host.Security;

/// <summary>Texts of signing in and of passwords, in the language of the user.</summary>
internal static class SecurityTexts
{
    private static readonly ResourceManager Resources = new("Crm.Host.Security.SecurityTexts", typeof(SecurityTexts).Assembly);

    public static string Of(string key, params ReadOnlySpan<object?> values) =>
        string.Format(CultureInfo.CurrentCulture, Resources.GetString(key, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException(key), values);
}
