using System.Diagnostics;
using System.Globalization;
using System.Net;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Startup;

/// <summary>The host as a program, in a process of its own.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("crm launcher ").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task The_first_start_tells_the_administrators_password_once_and_a_signal_stops_host_and_server()
    {
        using var first = Start();
        var (address, password) = await GreetingAsync(first);
        Assert.NotNull(password);
        Assert.Equal(20, password.Length);
        using (var client = new HttpClient { BaseAddress = new Uri(address) })
        {
            using var ready = await client.GetAsync("/health/ready");
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        }

        await SignalAsync(first, "TERM");
        await first.WaitForExitAsync();
        Assert.Equal(0, first.ExitCode);
        Assert.False(File.Exists(Path.Combine(directory, "data", "postgres", "postmaster.pid")));

        using var second = Start();
        Assert.Null((await GreetingAsync(second)).Password);
        await SignalAsync(second, "INT");
        await second.WaitForExitAsync();
        Assert.Equal(0, second.ExitCode);
    }

    [Fact]
    public async Task After_a_kill_the_next_start_recovers()
    {
        using var first = Start();
        await GreetingAsync(first);
        first.Kill();
        await first.WaitForExitAsync();

        using var second = Start();
        await GreetingAsync(second);
        await SignalAsync(second, "TERM");
        await second.WaitForExitAsync();
        Assert.Equal(0, second.ExitCode);
    }

    [Fact]
    public async Task A_second_start_on_the_same_data_directory_ends_with_one_clear_line()
    {
        using var first = Start();
        await GreetingAsync(first);
        using var second = Start();
        var errors = await second.StandardError.ReadToEndAsync();
        await second.WaitForExitAsync();
        Assert.Equal(1, second.ExitCode);
        Assert.Contains($"in use by process {first.Id.ToString(CultureInfo.InvariantCulture)}", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        await SignalAsync(first, "TERM");
        await first.WaitForExitAsync();
    }

    [Fact]
    public async Task A_database_that_refuses_ends_the_start_with_one_clear_line()
    {
        await using var database = await TestDatabase.CreateAsync();
        var wrong = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString) { Password = "wrong" }.ConnectionString;
        using var host = Start($"--ConnectionStrings:Crm={wrong}");
        var errors = await host.StandardError.ReadToEndAsync();
        await host.WaitForExitAsync();
        Assert.Equal(1, host.ExitCode);
        Assert.Contains("The CRM cannot start. The database cannot be reached", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    private static async Task<(string Address, string? Password)> GreetingAsync(Process host)
    {
        string? address = null;
        var password = "";
        while (await host.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("The CRM runs at ", StringComparison.Ordinal))
            {
                address = line["The CRM runs at ".Length..];
            }
            else if (address is not null && line.StartsWith("Sign in as admin with the password ", StringComparison.Ordinal))
            {
                password = line.Split(' ')[7];
            }

            // The line that always comes last.
            if (line.StartsWith("Stop it with", StringComparison.Ordinal))
            {
                return (address!, password.Length == 0 ? null : password);
            }
        }

        throw new InvalidOperationException("The host ended: " + await host.StandardError.ReadToEndAsync());
    }

    private static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private Process Start(params string[] arguments)
    {
        var host = typeof(CrmHost).Assembly.Location;
        // Tests started in the background ignore Ctrl+C, and so would every program they start.
        string[] program = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];
        var start = new ProcessStartInfo(program[0], [.. program[1..], host, "--urls=http://127.0.0.1:0", "--Crm:DataDirectory=data", .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment.Remove("ConnectionStrings__Crm");
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        return Process.Start(start)!;
    }
}
