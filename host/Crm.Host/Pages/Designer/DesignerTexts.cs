using System.Globalization;
using System.Resources;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>Texts of the designer, in the language of the circuit; <c>DesignerTexts.resx</c> holds the English ones.</summary>
internal static class DesignerTexts
{
    private static readonly TextSource Source = new(typeof(DesignerTexts));
    private static readonly ResourceManager All = new(typeof(DesignerTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);

    /// <summary>A text without arguments; null when there is none of this name.</summary>
    public static string? Find(string name) => All.GetString(name, CultureInfo.CurrentUICulture);
}
