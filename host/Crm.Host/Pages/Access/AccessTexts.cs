using Crm.Sdk;

namespace Crm.Host.Pages.Access;

/// <summary>Texts of the page of roles, in the language of the circuit; <c>AccessTexts.resx</c> holds the English ones.</summary>
internal static class AccessTexts
{
    private static readonly TextSource Source = new(typeof(AccessTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
