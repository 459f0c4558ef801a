namespace Crm.Sdk.Testing;

/// <summary>A throw-away PostgreSQL database, for tests of what lies below the CRM.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static int count;

    private readonly string name;

    private TestDatabase(string name, string connectionString)
    {
        this.name = name;
        ConnectionString = connectionString;
    }

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

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await TestServer.ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
}
