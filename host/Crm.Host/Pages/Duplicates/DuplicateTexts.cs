using Crm.Sdk;

namespace Crm.Host.Pages.Duplicates;

/// <summary>Texts about duplicates; <c>DuplicateTexts.resx</c> holds the English ones.</summary>
internal static class DuplicateTexts
{
    private static readonly TextSource Source = new(typeof(DuplicateTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
