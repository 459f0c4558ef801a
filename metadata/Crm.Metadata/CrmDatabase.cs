using System.Collections.Concurrent;
using Npgsql;

namespace Crm.Metadata;

/// <summary>The one database of this installation: the pool every reader and writer takes its connections from.</summary>
public sealed class CrmDatabase : IAsyncDisposable
{
    private const int MostKnown = 1000;

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlDataSource sessions;

    // Which sessions of the server, by their process, have forgotten their statements since the last time they had to.
    private readonly ConcurrentDictionary<int, long> renewed = new();
    private long renewals;

    /// <summary>Makes the pool; nothing is connected yet.</summary>
    /// <param name="connectionString">An Npgsql connection string.</param>
    public CrmDatabase(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "crm";
        // Statements are built once per shape and prepared by the driver after a few uses.
        builder.ConnectionStringBuilder.MaxAutoPrepare = 200;
        builder.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        // Taking back what a session may have set costs the server as much as reading a record, and nobody sets anything: who does opens a session of its own.
        builder.ConnectionStringBuilder.NoResetOnClose = true;
        source = builder.Build();
        builder.ConnectionStringBuilder.Pooling = false;
        sessions = builder.Build();
    }

    /// <summary>
    /// Opens a connection from the pool; the caller disposes it. The next one gets it as it is left: locks and settings of the session want <see cref="OpenSessionAsync"/>.
    /// </summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken ct = default) => Fresh(await source.OpenConnectionAsync(ct));

    /// <summary>Opens a connection that ends when it is disposed, and with it what is kept in its session: locks, settings, what it listens to.</summary>
    public ValueTask<NpgsqlConnection> OpenSessionAsync(CancellationToken ct = default) => sessions.OpenConnectionAsync(ct);

    /// <summary>As <see cref="OpenAsync"/>, for the few interfaces of the framework that know no waiting.</summary>
    public NpgsqlConnection Open() => Fresh(source.OpenConnection());

    /// <summary>
    /// Lets every connection forget the statements it has prepared, when it is used next: they fit the tables as they were. Connecting anew would make all who work at that
    /// moment wait for each other.
    /// </summary>
    internal void Renew() => Interlocked.Increment(ref renewals);

    private NpgsqlConnection Fresh(NpgsqlConnection connection)
    {
        var now = Interlocked.Read(ref renewals);
        if (now == 0 || renewed.GetValueOrDefault(connection.ProcessID) == now)
        {
            return connection;
        }

        try
        {
            connection.UnprepareAll();
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        if (renewed.Count > MostKnown)
        {
            // Sessions that ended long ago; who is forgotten here forgets once more.
            renewed.Clear();
        }

        renewed[connection.ProcessID] = now;
        return connection;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await sessions.DisposeAsync();
    }
}
