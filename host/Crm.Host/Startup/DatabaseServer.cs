using Crm.Host.Embedded;

namespace Crm.Host.Startup;

/// <summary>The database server this host uses: somebody else's, or its own, which it then stops.</summary>
internal sealed class DatabaseServer(string connectionString, EmbeddedServer? embedded) : IAsyncDisposable
{
    public string ConnectionString { get; } = connectionString;

    public ValueTask DisposeAsync() => embedded?.DisposeAsync() ?? ValueTask.CompletedTask;
}
