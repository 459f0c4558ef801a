using Crm.Sdk;

namespace Crm.Host.Pages;

/// <summary>Texts of the shell and its pages, in the language of the request or circuit; <c>Texts.resx</c> holds the English ones.</summary>
internal static class Texts
{
    private static readonly TextSource Source = new(typeof(Texts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
