namespace Crm.Host.Security;

/// <summary>Where to go after signing in: only pages of this host.</summary>
internal static class LocalUrl
{
    /// <summary>The address when it is one of this host's, or the start page.</summary>
    public static string OrHome(string? url) =>
        url is ['/', ..] && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal) && !url.Any(char.IsControl)
            ? url
            : "/";
}
