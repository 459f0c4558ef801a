using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>Texts of the designer, in the language of the circuit; <c>DesignerTexts.resx</c> holds the English ones.</summary>
internal static class DesignerTexts
{
    private static readonly TextSource Source = new(typeof(DesignerTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
