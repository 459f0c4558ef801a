using Crm.Sdk;

namespace Crm.Host.Pages;

/// <summary>Texts of the record page, in the language of the circuit; <c>RecordTexts.resx</c> holds the English ones.</summary>
internal static class RecordTexts
{
    private static readonly TextSource Source = new(typeof(RecordTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
