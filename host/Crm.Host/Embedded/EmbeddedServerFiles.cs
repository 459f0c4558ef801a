using System.Globalization;

namespace Crm.Host.Embedded;

/// <summary>Where the embedded server's files lie in the data directory, and what is in them.</summary>
internal sealed class EmbeddedServerFiles(string dataDirectory)
{
    public string Cluster { get; } = Path.Combine(dataDirectory, "postgres");

    /// <summary>Where a cluster is made; it gets its name when it is complete, so that an interrupted start is simply repeated.</summary>
    public string New { get; } = Path.Combine(dataDirectory, "postgres.new");

    public string NewCluster => Path.Combine(New, "cluster");

    public string NewPassword => Path.Combine(New, "password");

    public string Password { get; } = Path.Combine(dataDirectory, "postgres.password");

    public string StartLog => Path.Combine(Cluster, "start.log");

    private string ServerProcess => Path.Combine(Cluster, "postmaster.pid");

    /// <summary>Version the cluster was made by; null when there is none yet.</summary>
    public int? Major
    {
        get
        {
            var file = Path.Combine(Cluster, "PG_VERSION");
            return File.Exists(file) ? int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture) : null;
        }
    }

    public void PrepareNew()
    {
        if (Directory.Exists(Cluster) && Directory.EnumerateFileSystemEntries(Cluster).Any())
        {
            throw new StartupException($"{Cluster} holds files but no database. Move it away, or choose another Crm__DataDirectory.");
        }

        if (Directory.Exists(New))
        {
            Directory.Delete(New, recursive: true);
        }

        Directory.CreateDirectory(New);
        SetMode(New, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void FinishNew()
    {
        var settings = Path.Combine(NewCluster, "postgresql.conf");
        File.AppendAllText(settings, "\ninclude 'crm.conf'\ninclude_if_exists 'local.conf'\n");
        File.Delete(NewPassword);
        if (Directory.Exists(Cluster))
        {
            Directory.Delete(Cluster);
        }

        Directory.Move(NewCluster, Cluster);
        Directory.Delete(New, recursive: true);
    }

    public async Task WritePasswordAsync(string password, CancellationToken ct)
    {
        // Closed to others before anything is in it.
        await File.WriteAllTextAsync(Password, "", ct);
        SetMode(Password, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(Password, password, ct);
    }

    /// <summary>Settings for a small machine, written anew at each start.</summary>
    public async Task WriteSettingsAsync(int port, bool throwAway, CancellationToken ct)
    {
        var file = Path.Combine(Cluster, "crm.conf");
        await File.WriteAllTextAsync(
            file,
            $"""
            # Written by the CRM at each start. Settings of your own go into local.conf, which wins.
            listen_addresses = '127.0.0.1'
            port = {port}
            unix_socket_directories = ''
            max_connections = {(throwAway ? 300 : 200)}
            password_encryption = 'scram-sha-256'
            shared_buffers = {(throwAway ? "128MB" : "256MB")}
            effective_cache_size = 1GB
            work_mem = 8MB
            maintenance_work_mem = 128MB
            max_wal_size = 2GB
            random_page_cost = 1.1
            # Queries here are short: compiling them costs more than it saves.
            jit = off
            # Somebody who left a transaction open must not hold back the clean-up of rows.
            idle_in_transaction_session_timeout = '10min'
            log_min_duration_statement = '2s'
            log_connections = off
            logging_collector = on
            log_directory = 'log'
            log_filename = 'postgresql-%a.log'
            log_truncate_on_rotation = on
            log_rotation_age = 1d
            log_line_prefix = '%m [%p] '
            timezone = 'UTC'
            {(throwAway ? "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off" : "fsync = on")}

            """,
            ct);
        // Perhaps written by root, read by the account the server runs under; there is no secret in it.
        SetMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    /// <summary>Id of the server's first process as it wrote it down; it may have been killed since.</summary>
    public int? ReadServerProcess()
    {
        try
        {
            return int.TryParse(File.ReadLines(ServerProcess).FirstOrDefault(), CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public void ForgetServerProcess() => File.Delete(ServerProcess);

    /// <summary>Why the last start failed.</summary>
    public string? LastStartMessages()
    {
        try
        {
            return File.ReadLines(StartLog).LastOrDefault(line => line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("could not", StringComparison.Ordinal));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
