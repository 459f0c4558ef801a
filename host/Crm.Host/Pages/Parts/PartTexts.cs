using Crm.Sdk;

namespace Crm.Host.Pages.Parts;

/// <summary>Texts of what belongs to a record: notes and files; <c>PartTexts.resx</c> holds the English ones.</summary>
internal static class PartTexts
{
    private static readonly TextSource Source = new(typeof(PartTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
