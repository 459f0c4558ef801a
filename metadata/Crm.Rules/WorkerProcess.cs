using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Crm.Rules;

/// <summary>One worker process: started with nothing but a memory limit, asked by messages, ended at once when it does not answer.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly Stream input;
    private readonly Stream output;

    private WorkerProcess(Process process)
    {
        this.process = process;
        (input, output) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        // A worker that ends because of a stack that is full says so at length; nobody else reads it, and a full pipe would stop it.
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public bool IsAlive => !process.HasExited;

    /// <summary>Whether it ended because its memory was used up.</summary>
    public bool IsOutOfMemory => process.HasExited && process.ExitCode == WorkerMessages.OutOfMemory;

    /// <summary>Starts a worker and waits until it is warm.</summary>
    public static async Task<WorkerProcess> StartAsync(long memoryBytes, CancellationToken ct)
    {
        var start = new ProcessStartInfo(DotnetPath())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        // What the host knows from its environment (connection strings, passwords) is not the worker's business.
        start.Environment.Clear();
        start.Environment["DOTNET_GCHeapHardLimit"] = memoryBytes.ToString("X", CultureInfo.InvariantCulture);
        // Without it a worker would leave a socket in the temporary folder when it is killed.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredCompilation"] = "1";
        if (OperatingSystem.IsWindows())
        {
            // Its loader does not start without.
            start.Environment["SystemRoot"] = Environment.GetEnvironmentVariable("SystemRoot");
        }

        var worker = new WorkerProcess(Process.Start(start) ?? throw new InvalidOperationException("The worker of the rules could not be started."));
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
            late.CancelAfter(StartTime);
            if (await Frames.ReadAsync(worker.output, late.Token) is null)
            {
                throw new InvalidOperationException("The worker of the rules ended while it started.");
            }

            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken ct) => Frames.WriteAsync(input, message, ct);

    /// <summary>The next answer; null when the worker ended.</summary>
    /// <exception cref="OperationCanceledException">It did not come in time, or the caller left.</exception>
    public async Task<byte[]?> ReceiveAsync(TimeSpan time, CancellationToken ct)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
        late.CancelAfter(time);
        return await Frames.ReadAsync(output, late.Token);
    }

    /// <summary>Waits until an ended process can say how it ended.</summary>
    public Task EndedAsync(CancellationToken ct) => process.WaitForExitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }

        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static string DotnetPath()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        // shared/Microsoft.NETCore.App/10.0.x lies three levels below.
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : throw new InvalidOperationException($"Rules run in processes of their own and need '{beside}' to start them.");
    }
}
