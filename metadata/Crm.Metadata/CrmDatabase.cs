using Npgsql;

namespace Crm.Metadata;

/// <summary>The one database of this installation: the pool every reader and writer takes its connections from.</summary>
public sealed class CrmDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource source;

    /// <summary>Makes the pool; nothing is connected yet.</summary>
    /// <param name="connectionString">An Npgsql connection string.</param>
    public CrmDatabase(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "crm";
        // Statements are built once per shape and prepared by the driver after a few uses.
        builder.ConnectionStringBuilder.MaxAutoPrepare = 200;
        builder.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        source = builder.Build();
    }

    /// <summary>Opens a connection from the pool; the caller disposes it.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken ct = default) => source.OpenConnectionAsync(ct);

    /// <summary>As <see cref="OpenAsync"/>, for the few interfaces of the framework that know no waiting.</summary>
    public NpgsqlConnection Open() => source.OpenConnection();

    /// <summary>Lets every connection end once it is given back: each has prepared statements that fit the tables as they were.</summary>
    internal void Renew() => source.Clear();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => source.DisposeAsync();
}
