using Crm.Sdk;

namespace Crm.Host.Pages.Bulk;

/// <summary>Texts of bulk changes on pages; <c>BulkPageTexts.resx</c> holds the English ones.</summary>
internal static class BulkPageTexts
{
    private static readonly TextSource Source = new(typeof(BulkPageTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
