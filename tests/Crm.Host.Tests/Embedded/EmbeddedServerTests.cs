using System.Diagnostics;
using System.Globalization;
using Crm.Host.Embedded;
using Crm.Metadata;
using Dapper;

namespace Crm.Host.Tests.Embedded;

public sealed class EmbeddedServerTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("crm embedded ").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_stopped_server_starts_again_with_its_data()
    {
        await using (var server = await EmbeddedServer.StartAsync(directory, throwAway: true))
        {
            await ExecuteAsync(server, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)");
        }

        Assert.False(File.Exists(Path.Combine(directory, "postgres", "postmaster.pid")));
        await using var again = await EmbeddedServer.StartAsync(directory, throwAway: true);
        Assert.Equal(7, await ScalarAsync<int>(again, "SELECT id FROM kept"));
    }

    [Fact]
    public async Task What_was_committed_survives_the_killing_of_host_and_server()
    {
        // The host is killed: its lock goes with it, its server stays. Then the server is killed too.
        var first = await EmbeddedServer.StartAsync(directory);
        await ExecuteAsync(first, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)");
        var process = first.ProcessId;
        await first.AbandonAsync();
        Kill(process);
        Assert.True(File.Exists(Path.Combine(directory, "postgres", "postmaster.pid")));

        await using var again = await EmbeddedServer.StartAsync(directory);
        Assert.NotEqual(process, again.ProcessId);
        Assert.Equal(7, await ScalarAsync<int>(again, "SELECT id FROM kept"));
    }

    [Fact]
    public async Task A_server_that_is_killed_under_its_host_is_started_again_where_it_was()
    {
        await using var server = await EmbeddedServer.StartAsync(directory);
        await ExecuteAsync(server, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)");
        var process = server.ProcessId;
        Kill(process);
        await Security.Eventually.AsyncEqual(7, async () =>
        {
            try
            {
                return await ScalarAsync<int>(server, "SELECT id FROM kept");
            }
            catch (Exception problem) when (problem is Npgsql.NpgsqlException or IOException)
            {
                return 0;
            }
        });
        Assert.NotEqual(process, server.ProcessId);
    }

    [Fact]
    public async Task The_server_of_a_killed_host_is_stopped_before_a_new_one_starts()
    {
        var first = await EmbeddedServer.StartAsync(directory, throwAway: true);
        await ExecuteAsync(first, "CREATE TABLE kept (id int)");
        var orphan = first.ProcessId;
        await first.AbandonAsync();

        await using var again = await EmbeddedServer.StartAsync(directory, throwAway: true);
        Assert.NotEqual(orphan, again.ProcessId);
        Assert.Equal(0, await ScalarAsync<int>(again, "SELECT count(*)::int FROM kept"));
    }

    [Fact]
    public async Task A_number_of_a_killed_server_that_another_program_got_is_not_mistaken_for_a_server()
    {
        await (await EmbeddedServer.StartAsync(directory, throwAway: true)).DisposeAsync();
        using var other = Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "postgres", "postmaster.pid"), string.Create(CultureInfo.InvariantCulture, $"{other.Id}\n{directory}/postgres\n0\n5432\n\n127.0.0.1\n0 0\nready\n"));
            await using var server = await EmbeddedServer.StartAsync(directory, throwAway: true);
            Assert.Equal(1, await ScalarAsync<int>(server, "SELECT 1"));
            Assert.False(other.HasExited);
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task A_second_host_on_the_same_data_directory_is_refused_with_the_first_ones_process_id()
    {
        await using var server = await EmbeddedServer.StartAsync(directory, throwAway: true);
        var refused = await Assert.ThrowsAsync<StartupException>(() => EmbeddedServer.StartAsync(directory, throwAway: true));
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
        Assert.Contains(directory, refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ScalarAsync<int>(server, "SELECT 1"));
    }

    [Fact]
    public async Task An_interrupted_first_start_is_repeated()
    {
        Directory.CreateDirectory(Path.Combine(directory, "postgres.new", "cluster", "base"));
        await using var server = await EmbeddedServer.StartAsync(directory, throwAway: true);
        Assert.Equal(1, await ScalarAsync<int>(server, "SELECT 1"));
        Assert.False(Directory.Exists(Path.Combine(directory, "postgres.new")));
    }

    [Fact]
    public async Task Files_that_are_no_database_are_not_overwritten()
    {
        Directory.CreateDirectory(Path.Combine(directory, "postgres"));
        await File.WriteAllTextAsync(Path.Combine(directory, "postgres", "important.txt"), "mine");
        await Assert.ThrowsAsync<StartupException>(() => EmbeddedServer.StartAsync(directory, throwAway: true));
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(directory, "postgres", "important.txt")));
    }

    [Fact]
    public async Task The_server_is_private_to_this_machine_and_to_those_who_know_its_password()
    {
        await using var server = await EmbeddedServer.StartAsync(directory);
        Assert.Equal("127.0.0.1", await ScalarAsync<string>(server, "SHOW listen_addresses"));
        Assert.Equal("", await ScalarAsync<string>(server, "SHOW unix_socket_directories"));
        Assert.Equal("on", await ScalarAsync<string>(server, "SHOW fsync"));
        Assert.Equal("on", await ScalarAsync<string>(server, "SHOW data_checksums"));
        Assert.StartsWith("SCRAM-SHA-256", await ScalarAsync<string>(server, "SELECT rolpassword FROM pg_authid WHERE rolname = 'crm'"), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory, "postgres.password")));
        }

        var wrong = new Npgsql.NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "wrong", Pooling = false }.ConnectionString;
        await using var stranger = new CrmDatabase(wrong);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(async () => await stranger.OpenAsync());
    }

    [Fact]
    public async Task A_host_that_is_root_runs_the_server_under_another_account()
    {
        await using var server = await EmbeddedServer.StartAsync(directory, throwAway: true);
        var owner = await Command.RunAsync("/bin/ps", ["-o", "user=", "-p", server.ProcessId.ToString(CultureInfo.InvariantCulture)], null, CancellationToken.None);
        Assert.Equal(ServerAccount.Name ?? Environment.UserName, owner.Output);
    }

    [Fact]
    public async Task A_data_directory_below_one_that_is_closed_to_others_is_reached_all_the_same()
    {
        var below = Path.Combine(directory, "closed", "data");
        Directory.CreateDirectory(below);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(directory, "closed"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        await using var server = await EmbeddedServer.StartAsync(below, throwAway: true);
        Assert.Equal(1, await ScalarAsync<int>(server, "SELECT 1"));
    }

    private static void Kill(int process)
    {
        using var server = Process.GetProcessById(process);
        server.Kill();
    }

    private static async Task ExecuteAsync(EmbeddedServer server, string sql)
    {
        await using var database = new CrmDatabase(server.ConnectionString);
        await using var connection = await database.OpenAsync();
        await connection.ExecuteAsync(sql);
    }

    private static async Task<T?> ScalarAsync<T>(EmbeddedServer server, string sql)
    {
        await using var database = new CrmDatabase(server.ConnectionString);
        await using var connection = await database.OpenAsync();
        return await connection.ExecuteScalarAsync<T>(sql);
    }
}
