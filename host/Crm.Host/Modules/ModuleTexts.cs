using System.Globalization;
using System.Resources;

namespace Crm.Host.Modules;

/// <summary>Texts about modules; <c>ModuleTexts.resx</c> holds the English ones.</summary>
internal static class ModuleTexts
{
    private static readonly ResourceManager Resources = new(typeof(ModuleTexts));

    /// <summary>The text of this name with its places filled; a missing name is a bug and throws.</summary>
    public static string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = Resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"There is no text '{name}' about modules.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, arguments);
    }
}
