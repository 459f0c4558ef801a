using Crm.Sdk;

namespace Crm.Host.Exporting;

/// <summary>Texts of exports for users; <c>ExportTexts.resx</c> holds the English ones.</summary>
internal static class ExportTexts
{
    private static readonly TextSource Source = new(typeof(ExportTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
