using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>Texts of imports and jobs for users; <c>ImportTexts.resx</c> holds the English ones.</summary>
internal static class ImportTexts
{
    private static readonly TextSource Source = new(typeof(ImportTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
