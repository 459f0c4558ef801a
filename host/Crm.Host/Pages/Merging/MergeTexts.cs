using Crm.Sdk;

namespace Crm.Host.Pages.Merging;

/// <summary>Texts of merging; <c>MergeTexts.resx</c> holds the English ones.</summary>
internal static class MergeTexts
{
    private static readonly TextSource Source = new(typeof(MergeTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
