using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>Texts of signing in and of passwords, in the language of the user.</summary>
internal static class SecurityTexts
{
    private static readonly TextSource Source = new(typeof(SecurityTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Of(string name, params ReadOnlySpan<object?> arguments) => Source.Of(name, arguments);
}
