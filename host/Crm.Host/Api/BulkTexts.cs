using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>What the API says about requests for bulk changes; <c>BulkTexts.resx</c> holds the English texts.</summary>
internal static class BulkTexts
{
    private static readonly TextSource Source = new(typeof(BulkTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
