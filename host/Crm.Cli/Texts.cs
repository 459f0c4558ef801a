using System.Globalization;
using System.Resources;

namespace Crm.Cli;

/// <summary>Texts of the command line; <c>Texts.resx</c> holds the English ones.</summary>
internal static class Texts
{
    private static readonly ResourceManager Resources = new("Crm.Cli.Texts", typeof(Texts).Assembly);

    /// <summary>The text of this name with its places filled; a missing name is a bug and throws.</summary>
    public static string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = Resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"Crm.Cli has no text '{name}'.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.InvariantCulture, text, arguments);
    }
}
