namespace Crm.Sdk.Testing;

/// <summary>A throw-away PostgreSQL database, for tests of what lies below the CRM; most tests want <see cref="TestCrm"/>.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static int count;

    private TestDatabase(string name, string connectionString)
    {
        Name = name;
        ConnectionString = connectionString;
    }

    internal string Name { get; }

    /// <summary>How to reach it.</summary>
    public string ConnectionString { get; }

    /// <summary>Makes an empty database.</summary>
    public static Task<TestDatabase> CreateAsync() => CreateAsync("template0");

    /// <summary>Makes a copy of a database that nobody is connected to.</summary>
    internal static async Task<TestDatabase> CreateAsync(string template)
    {
        var unique = $"test_{Interlocked.Increment(ref count)}";
        await TestServer.ExecuteAsync($"CREATE DATABASE {unique} TEMPLATE {template}");
        return new(unique, await TestServer.ConnectionStringAsync(unique));
    }

    /// <summary>Lets nobody in any more, so that it can be copied.</summary>
    internal async Task CloseAsync()
    {
        await TestServer.ExecuteAsync($"ALTER DATABASE {Name} WITH ALLOW_CONNECTIONS false");
        await TestServer.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Name}'");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await TestServer.ExecuteAsync($"DROP DATABASE IF EXISTS {Name} WITH (FORCE)");
}
