using Crm.Sdk;

namespace Crm.Host.Pages.Consistency;

/// <summary>Texts of the database check; <c>ConsistencyTexts.resx</c> holds the English ones.</summary>
internal static class ConsistencyTexts
{
    private static readonly TextSource Source = new(typeof(ConsistencyTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
