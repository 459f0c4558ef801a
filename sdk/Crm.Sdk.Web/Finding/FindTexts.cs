namespace Crm.Sdk.Web.Finding;

/// <summary>Texts of finding, in the language of the circuit; <c>FindTexts.resx</c> holds the English ones.</summary>
internal static class FindTexts
{
    private static readonly TextSource Source = new(typeof(FindTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
