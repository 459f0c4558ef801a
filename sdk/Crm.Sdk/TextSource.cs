using System.Globalization;
using System.Resources;

namespace Crm.Sdk;

/// <summary>Texts for users from the resource file that bears a class's name and namespace, in the language of the current thread; the file without a language holds the English ones.</summary>
/// <param name="type">The class; <c>Texts</c> in <c>Crm.Modules.Sales</c> has the file <c>Texts.resx</c> in the folder of that namespace.</param>
public sealed class TextSource(Type type)
{
    private readonly ResourceManager resources = new(type);

    /// <summary>The text of this name with its places (<c>{0}</c>) filled; a missing name is a bug and throws <see cref="MissingManifestResourceException"/>.</summary>
    public string Of(string name, params ReadOnlySpan<object?> arguments)
    {
        var text = resources.GetString(name, CultureInfo.CurrentUICulture) ?? throw new MissingManifestResourceException($"'{resources.BaseName}' has no text '{name}'.");
        return arguments.IsEmpty ? text : string.Format(CultureInfo.CurrentCulture, text, arguments);
    }
}
