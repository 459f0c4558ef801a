using Crm.Sdk;

namespace Crm.Host.Pages.Keys;

/// <summary>Texts of the page of API keys, in the language of the circuit; <c>KeyTexts.resx</c> holds the English ones.</summary>
internal static class KeyTexts
{
    private static readonly TextSource Source = new(typeof(KeyTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
