using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>Texts of the recycle bin; <c>BinTexts.resx</c> holds the English ones.</summary>
internal static class BinTexts
{
    private static readonly TextSource Source = new(typeof(BinTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
