using System.Runtime.InteropServices;
using Crm.Host.Demo;
using Crm.Host.Security;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Crm.Host.Startup;

/// <summary>Runs the host as a program: what it says to the person who started it, and its exit code.</summary>
internal static class Launcher
{
    // Earlier versions lack the security fixes of October 2026.
    private static readonly Version Patched = new(10, 0, 13);

    public static async Task<int> RunAsync(string[] args)
    {
        // Until the host runs and listens to signals itself, a stop must not leave its database server behind.
        using var stop = new CancellationTokenSource();
        var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            if (Environment.Version < Patched)
            {
                await Console.Error.WriteLineAsync($"Warning: ASP.NET Core {Environment.Version} lacks security fixes; install {Patched} or later.");
            }

            await using var app = await CrmHost.CreateAsync(args, ct: stop.Token);
            if (args.Contains(DemoSeed.Argument))
            {
                await ActivatorUtilities.CreateInstance<DemoSeed>(app.Services).RunAsync(Console.WriteLine, stop.Token);
            }

            await app.StartAsync(stop.Token);
            interrupt.Dispose();
            terminate.Dispose();
            Greet(app);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is StartupException or IOException)
        {
            // An address in use, a full disk: the system's own words say it best.
            await Console.Error.WriteLineAsync($"The CRM cannot start. {error.Message}");
            return 1;
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync($"The CRM cannot start. {error.Message} ({await KeepAsync(error)})");
            return 1;
        }
        finally
        {
            interrupt.Dispose();
            terminate.Dispose();
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    // A fault of the program: its developers need more than the line its operator needs.
    private static async Task<string> KeepAsync(Exception error)
    {
        var file = Path.Combine(Path.GetTempPath(), $"crm-start-{Environment.ProcessId}.log");
        try
        {
            await File.WriteAllTextAsync(file, error.ToString());
            return "details: " + file;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return $"{error.GetType().Name}; details could not be written: {problem.Message}";
        }
    }

    private static void Greet(WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        Console.WriteLine($"The CRM runs at {string.Join(" and ", addresses)}");
        if (app.Services.GetRequiredService<Readiness>().NewAdminPassword is { } password)
        {
            Console.WriteLine($"Sign in as {FirstUsers.AdminUserName} with the password {password} (shown only now; change it after signing in).");
        }

        Console.WriteLine("Stop it with Ctrl+C.");
    }
}
