using Crm.Sdk;

namespace Crm.Host.Pages.Import;

/// <summary>Texts of the import wizard; <c>WizardTexts.resx</c> holds the English ones.</summary>
internal static class WizardTexts
{
    private static readonly TextSource Source = new(typeof(WizardTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
