using Crm.Sdk;

namespace Crm.Host.Pages.Jobs;

/// <summary>Texts of the page of jobs; <c>JobTexts.resx</c> holds the English ones.</summary>
internal static class JobTexts
{
    private static readonly TextSource Source = new(typeof(JobTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
