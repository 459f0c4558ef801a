using Crm.Sdk;

namespace Crm.Host.Modules;

/// <summary>Texts about modules; <c>ModuleTexts.resx</c> holds the English ones.</summary>
internal static class ModuleTexts
{
    private static readonly TextSource Source = new(typeof(ModuleTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
