using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

namespace Crm.Host.Embedded;

/// <summary>A private PostgreSQL in the data directory: made on the first start, reachable from this machine only, stopped with the host.</summary>
internal sealed class EmbeddedServer : IAsyncDisposable
{
    private const string User = "crm";
    private const string Database = "crm";

    // A killed server leaves processes that hold its memory until they notice; an old server may still write its last checkpoint.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly DataDirectoryLock directoryLock;
    private readonly EmbeddedServerFiles files;
    private readonly PostgresBinaries binaries;
    private readonly bool throwAway;
    private Task watch = Task.CompletedTask;
    private bool stopped;

    private EmbeddedServer(DataDirectoryLock directoryLock, EmbeddedServerFiles files, PostgresBinaries binaries, bool throwAway)
    {
        this.directoryLock = directoryLock;
        this.files = files;
        this.binaries = binaries;
        this.throwAway = throwAway;
    }

    /// <summary>How to reach the product's database on it.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Id of the server's first process.</summary>
    public int ProcessId => files.ReadServerProcess() ?? throw new InvalidOperationException("The server has stopped.");

    /// <summary>Starts the server, making or recovering its files as needed.</summary>
    /// <param name="dataDirectory">The host's data directory; no other host may use it.</param>
    /// <param name="throwAway">For tests: what is written need not survive a crash of the machine.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="StartupException">It cannot be started.</exception>
    public static async Task<EmbeddedServer> StartAsync(string dataDirectory, bool throwAway = false, CancellationToken ct = default)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new StartupException("The built-in PostgreSQL runs on Linux and macOS. Give a server by ConnectionStrings__Crm.");
        }

        var taken = DataDirectoryLock.Take(dataDirectory);
        try
        {
            var found = new EmbeddedServerFiles(dataDirectory);
            var server = new EmbeddedServer(taken, found, await PostgresBinaries.FindAsync(dataDirectory, found.Major, ct), throwAway);
            var port = await server.StartAsync(ct);
            server.watch = Task.Run(() => server.WatchAsync(port), CancellationToken.None);
            return server;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Stops the server after it has written everything, and gives the data directory free.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopped)
        {
            return;
        }

        stopped = true;
        try
        {
            await stopping.CancelAsync();
            await watch;
            await StopAsync(CancellationToken.None);
        }
        finally
        {
            directoryLock.Dispose();
            stopping.Dispose();
        }
    }

    /// <summary>For tests: leaves everything as a killed host does, with the server running and the directory free.</summary>
    internal async Task AbandonAsync()
    {
        stopped = true;
        await stopping.CancelAsync();
        await watch;
        directoryLock.Dispose();
    }

    private async Task<int> StartAsync(CancellationToken ct)
    {
        if (files.Major is null)
        {
            await InitializeAsync(ct);
        }

        // A host that was killed leaves its server running.
        await StopAsync(ct);
        await ServerAccount.GiveAsync(files.Cluster, ct);
        try
        {
            var port = await LaunchAsync(null, ct);
            ConnectionString = new NpgsqlConnectionStringBuilder
            {
                Host = IPAddress.Loopback.ToString(),
                Port = port,
                Username = User,
                Password = await File.ReadAllTextAsync(files.Password, ct),
                Database = Database,
                // The server is on this machine: encryption would only cost time.
                SslMode = SslMode.Disable,
                GssEncryptionMode = GssEncryptionMode.Disable,
            }.ConnectionString;
            await EnsureDatabaseAsync(ct);
            return port;
        }
        catch
        {
            await StopAsync(CancellationToken.None);
            throw;
        }
    }

    private async Task InitializeAsync(CancellationToken ct)
    {
        await Console.Error.WriteLineAsync($"Making the database in {files.Cluster} (PostgreSQL {binaries.Major}).");
        files.PrepareNew();
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(24));
        await files.WritePasswordAsync(password, ct);
        // The account that runs initdb cannot read the host's own file.
        await File.WriteAllTextAsync(files.NewPassword, password, ct);
        await ServerAccount.GiveAsync(files.New, ct);
        var locale = OperatingSystem.IsMacOS() ? "en_US.UTF-8" : "C.UTF-8";
        string[] arguments =
        [
            "-D", files.NewCluster, "-U", User, "-A", "scram-sha-256", $"--pwfile={files.NewPassword}", "-k", "-E", "UTF8",
            // Names sort the same on every machine, and as people expect; messages stay English for those who search for them.
            "--locale-provider=icu", "--icu-locale=und", $"--locale={locale}", "--lc-messages=C",
            .. throwAway ? ["-N"] : Array.Empty<string>(),
        ];
        (await Command.RunAsync(binaries["initdb"], arguments, ServerAccount.Name, ct)).OrThrow("PostgreSQL cannot make its database");
        files.FinishNew();
    }

    /// <summary>Starts a server that ended on its own again, where everybody knows it: what was committed is in its log.</summary>
    private async Task WatchAsync(int port)
    {
        using var timer = new PeriodicTimer(WatchInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                if ((files.ReadServerProcess() is { } process && IsPostgres(process)) || await IsRunningAsync(stopping.Token))
                {
                    continue;
                }

                await Console.Error.WriteLineAsync("PostgreSQL has ended; starting it again.");
                await LaunchAsync(port, stopping.Token);
                await Console.Error.WriteLineAsync("PostgreSQL runs again.");
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
        catch (Exception problem) when (problem is StartupException or IOException)
        {
            // The host goes on answering that it is not ready, and whoever runs it finds the reason here.
            await Console.Error.WriteLineAsync($"PostgreSQL could not be started again: {problem.Message} Restart the host.");
        }
    }

    private async Task<int> LaunchAsync(int? known, CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var port = known ?? FreePort();
            await files.WriteSettingsAsync(port, throwAway, ct);
            // pg_ctl makes the server the leader of its own session: Ctrl+C reaches the host only, which then stops the server in order.
            var result = await Command.RunAsync(binaries["pg_ctl"], ["start", "-w", "-t", "300", "-D", files.Cluster, "-l", files.StartLog], ServerAccount.Name, ct);
            if (result.ExitCode == 0)
            {
                return port;
            }

            var reason = files.LastStartMessages();
            if (Stopwatch.GetElapsedTime(begun) > Patience || !(IsPassing(reason) || await IsRunningAsync(ct)))
            {
                throw new StartupException($"PostgreSQL does not start: {reason ?? result.Reason} (log: {files.StartLog})");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(300), ct);
        }
    }

    // Processes of a killed server that have not noticed yet, or a port taken between choosing and using it.
    private static bool IsPassing(string? reason) =>
        reason is not null
        && (reason.Contains("shared memory block", StringComparison.Ordinal) || reason.Contains("could not bind", StringComparison.Ordinal) || reason.Contains("could not create any TCP/IP sockets", StringComparison.Ordinal));

    private async Task StopAsync(CancellationToken ct)
    {
        if (!await IsRunningAsync(ct))
        {
            return;
        }

        var result = await Command.RunAsync(binaries["pg_ctl"], ["stop", "-m", "fast", "-w", "-t", "60", "-D", files.Cluster], ServerAccount.Name, ct);
        if (result.ExitCode != 0 && await IsRunningAsync(ct))
        {
            // What is committed is in its log; the next start replays it.
            (await Command.RunAsync(binaries["pg_ctl"], ["stop", "-m", "immediate", "-w", "-D", files.Cluster], ServerAccount.Name, ct)).OrThrow("PostgreSQL does not stop");
        }
    }

    // pg_ctl looks whether the process named in postmaster.pid lives; another program may have got the number of a killed server.
    private async Task<bool> IsRunningAsync(CancellationToken ct)
    {
        if (files.ReadServerProcess() is not { } process)
        {
            return false;
        }

        var alive = (await Command.RunAsync(binaries["pg_ctl"], ["status", "-D", files.Cluster], ServerAccount.Name, ct)).ExitCode == 0;
        if (alive && !IsPostgres(process))
        {
            files.ForgetServerProcess();
            return false;
        }

        return alive;
    }

    private static bool IsPostgres(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal) && !IsDefunct(id);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    // Killed, but its parent has not asked how it ended, as in a container without an init process: it keeps its number, nothing else.
    private static bool IsDefunct(int id)
    {
        var file = $"/proc/{id}/stat";
        if (!File.Exists(file))
        {
            return false;
        }

        var stat = File.ReadAllText(file);
        return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart() is ['Z' or 'X', ..];
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task EnsureDatabaseAsync(CancellationToken ct)
    {
        var admin = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres", Pooling = false }.ConnectionString;
        try
        {
            await using var connection = new NpgsqlConnection(admin);
            await connection.OpenAsync(ct);
            await using var exists = new NpgsqlCommand("SELECT count(*) FROM pg_database WHERE datname = $1", connection) { Parameters = { new() { Value = Database } } };
            if (await exists.ExecuteScalarAsync(ct) is 0L)
            {
                await using var create = new NpgsqlCommand($"CREATE DATABASE {Database}", connection);
                await create.ExecuteNonQueryAsync(ct);
            }
        }
        catch (NpgsqlException error)
        {
            throw new StartupException($"The built-in PostgreSQL does not let the host in: {error.Message}", error);
        }
    }
}
