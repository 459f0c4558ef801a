using Crm.Sdk;

namespace Crm.Host.Pages.Views;

/// <summary>Texts of saved views on pages; <c>ViewTexts.resx</c> holds the English ones.</summary>
internal static class ViewTexts
{
    private static readonly TextSource Source = new(typeof(ViewTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
