using Crm.Sdk;

namespace Crm.Host.Webhooks;

/// <summary>Texts of webhooks; <c>WebhookTexts.resx</c> holds the English ones.</summary>
internal static class WebhookTexts
{
    private static readonly TextSource Source = new(typeof(WebhookTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
