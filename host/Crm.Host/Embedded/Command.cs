using System.ComponentModel;
using System.Diagnostics;

namespace Crm.Host.Embedded;

/// <summary>Runs one of the server's programs and collects what it says.</summary>
internal static class Command
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="account">Account to run it under; null for the own one.</param>
    /// <param name="ct">Ends the wait and the program.</param>
    /// <exception cref="StartupException">The program is not there.</exception>
    public static async Task<CommandResult> RunAsync(string file, IEnumerable<string> arguments, string? account, CancellationToken ct)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            // The other account may not be allowed into the current directory.
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        if (account is not null && OperatingSystem.IsWindows() is false)
        {
            start.UserName = account;
        }

        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            throw new StartupException($"{file} cannot be run: {error.Message}", error);
        }

        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var errors = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new CommandResult(process.ExitCode, (await output).Trim(), (await errors).Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}

/// <summary>What a program said.</summary>
/// <param name="ExitCode">0 for success.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Errors">Its standard error.</param>
internal sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The last thing it complained about, or said.</summary>
    public string Reason => (Errors.Length > 0 ? Errors : Output).Split('\n').LastOrDefault(line => line.Length > 0) ?? "no message";

    /// <summary>Throws unless it succeeded.</summary>
    public CommandResult OrThrow(string what) => ExitCode == 0 ? this : throw new StartupException($"{what}: {Reason}");
}
