using System.Diagnostics;
using System.Globalization;
using Crm.Host.Embedded;
using Npgsql;

namespace Crm.Sdk.Testing;

/// <summary>The one PostgreSQL of a test process. It goes when the process goes, however that ends.</summary>
internal static class TestServer
{
    private static readonly Lazy<Task<string>> Started = new(StartAsync);

    /// <summary>Connection string of a database on the server.</summary>
    public static async Task<string> ConnectionStringAsync(string database) =>
        new NpgsqlConnectionStringBuilder(await Started.Value) { Database = database }.ConnectionString;

    /// <summary>Runs one statement outside the databases under test.</summary>
    public static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await Started.Value) { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> StartAsync()
    {
        var directory = Directory.CreateTempSubdirectory("crm-test-").FullName;
        var server = await EmbeddedServer.StartAsync(directory, throwAway: true);
        Guard(server.ProcessId, directory);
        return server.ConnectionString;
    }

    // Code at the end of a process does not run when the process is killed. The guard's input closes in every case.
    private static void Guard(int server, string directory)
    {
        const string Script = """
            trap '' INT TERM HUP
            cat >/dev/null
            kill -QUIT "$1"
            for i in $(seq 100); do [ -e "$2/postgres/postmaster.pid" ] || break; sleep 0.1; done
            rm -rf "$2"
            """;
        using var guard = new Process
        {
            StartInfo = new ProcessStartInfo("/bin/sh", ["-c", Script, "crm-test-guard", server.ToString(CultureInfo.InvariantCulture), directory])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        guard.Start();
        // Nobody closes it: the end of this process does.
        GC.KeepAlive(KeepOpen = guard.StandardInput);
    }

    private static StreamWriter? KeepOpen { get; set; }
}
