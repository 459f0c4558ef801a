using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>This project's texts for users; <c>Texts.resx</c> holds the English ones.</summary>
internal static class Texts
{
    private static readonly TextSource Source = new(typeof(Texts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
