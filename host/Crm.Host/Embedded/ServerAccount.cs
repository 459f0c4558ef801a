namespace Crm.Host.Embedded;

/// <summary>PostgreSQL refuses to run as root; then it runs under another account that owns its directory.</summary>
internal static class ServerAccount
{
    /// <summary>The account to run the server under; null when the own one will do.</summary>
    public static string? Name { get; } = Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows() ? Find() : null;

    /// <summary>Gives a directory to the account and lets it reach the directory.</summary>
    public static async Task GiveAsync(string directory, CancellationToken ct)
    {
        if (Name is null)
        {
            return;
        }

        (await Command.RunAsync("chown", ["-R", Name, directory], null, ct)).OrThrow($"{directory} cannot be given to the account {Name}");
        await OpenWayAsync(directory, ct);
    }

    /// <summary>Lets the account pass the directories above <paramref name="path"/>, and no more than pass.</summary>
    public static async Task OpenWayAsync(string path, CancellationToken ct)
    {
        // From the top: nobody passes a directory whose parent is closed.
        foreach (var directory in Name is null ? [] : Above(path))
        {
            if (!await MayPassAsync(directory, ct) && !await OpenAsync(directory, ct))
            {
                throw new StartupException($"The account {Name}, under which PostgreSQL runs, may not pass {directory}. Allow it (chmod o+x) or choose another Crm__DataDirectory.");
            }
        }
    }

    private static Stack<string> Above(string path)
    {
        var directories = new Stack<string>();
        for (var parent = Path.GetDirectoryName(path); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            directories.Push(parent);
        }

        return directories;
    }

    private static async Task<bool> OpenAsync(string directory, CancellationToken ct)
    {
        // An access list opens the directory to this one account; without the tool it must be opened to all.
        if (File.Exists("/usr/bin/setfacl")
            && (await Command.RunAsync("/usr/bin/setfacl", ["-m", $"u:{Name}:--x", directory], null, ct)).ExitCode == 0
            && await MayPassAsync(directory, ct))
        {
            return true;
        }

        await Console.Error.WriteLineAsync($"Allowing all accounts to pass {directory} (chmod o+x), because PostgreSQL cannot run as root and must reach its files below.");
        return (await Command.RunAsync("chmod", ["o+x", directory], null, ct)).ExitCode == 0 && await MayPassAsync(directory, ct);
    }

    private static async Task<bool> MayPassAsync(string directory, CancellationToken ct) =>
        (await Command.RunAsync("/bin/sh", ["-c", "cd \"$1\"", "sh", directory], Name, ct)).ExitCode == 0;

    private static string Find()
    {
        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).ToHashSet();
        return accounts.Contains("postgres") ? "postgres" : "nobody";
    }
}
