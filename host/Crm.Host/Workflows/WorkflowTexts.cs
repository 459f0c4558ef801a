using Crm.Sdk;

namespace Crm.Host.Workflows;

/// <summary>Texts of the page of workflows; <c>WorkflowTexts.resx</c> holds the English ones.</summary>
internal static class WorkflowTexts
{
    private static readonly TextSource Source = new(typeof(WorkflowTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
