using System.Threading.Channels;
using Crm.Sdk.Testing;

namespace Crm.Metadata.Tests;

/// <summary>What the metadata engine gives to the other parts: scripts, notifications, states of modules.</summary>
public sealed class PlatformTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async Task InitializeAsync() => database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task Scripts_run_once_even_when_hosts_start_together()
    {
        await using var one = new CrmDatabase(database.ConnectionString);
        await using var two = new CrmDatabase(database.ConnectionString);
        var assemblies = new[] { typeof(PlatformScripts).Assembly };

        var runs = await Task.WhenAll(PlatformScripts.RunAsync(one, assemblies), PlatformScripts.RunAsync(two, assemblies));

        var scripts = assemblies[0].GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Select(n => n["Crm.Metadata.Sql.".Length..]).Order(StringComparer.Ordinal).ToList();
        Assert.Equal("0001-metadata.sql", scripts[0]);
        Assert.Equal(scripts, runs.SelectMany(r => r.Ran));
        Assert.All(runs, r => Assert.Empty(r.Warnings));
        Assert.Empty((await PlatformScripts.RunAsync(one, assemblies)).Ran);
    }

    [Fact]
    public async Task A_subscriber_is_called_when_listening_begins_and_for_every_message()
    {
        await using var node = await Node.StartAsync(database.ConnectionString);
        var heard = Channel.CreateUnbounded<string>();
        using var first = node.Notifications.Subscribe("crm_modules", (payload, ct) => heard.Writer.WriteAsync(payload, ct).AsTask());
        Assert.Equal("", await NextAsync(heard));

        await node.Modules.SeenAsync(Samples.Contacts);
        await node.Modules.SetEnabledAsync("contacts", isEnabled: false);
        Assert.Equal("contacts", await NextAsync(heard));

        // A subscriber that fails does not silence the others, and a late one is served by the same connection.
        using var failing = node.Notifications.Subscribe("crm_modules", (_, _) => throw new InvalidOperationException("Broken subscriber"));
        var late = Channel.CreateUnbounded<string>();
        using var other = node.Notifications.Subscribe("crm_jobs", (payload, ct) => late.Writer.WriteAsync(payload, ct).AsTask());
        Assert.Equal("", await NextAsync(late));
        await node.ExecuteAsync("NOTIFY crm_jobs, '17'; NOTIFY crm_modules, 'sales'");
        Assert.Equal("17", await NextAsync(late));
        Assert.Equal("sales", await NextAsync(heard));
    }

    [Fact]
    public async Task After_the_connection_was_lost_every_subscriber_is_called_once_more()
    {
        await using var node = await Node.StartAsync(database.ConnectionString);
        var heard = Channel.CreateUnbounded<string>();
        using var subscription = node.Notifications.Subscribe("crm_jobs", (payload, ct) => heard.Writer.WriteAsync(payload, ct).AsTask());
        Assert.Equal("", await NextAsync(heard));

        await node.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'");

        Assert.Equal("", await NextAsync(heard));
        await node.ExecuteAsync("NOTIFY crm_jobs, 'again'");
        Assert.Equal("again", await NextAsync(heard));
    }

    [Fact]
    public async Task Modules_are_on_until_they_are_switched_off()
    {
        await using var node = await Node.StartAsync(database.ConnectionString);
        Assert.True(await node.Modules.IsEnabledAsync("sales"));
        Assert.False(await node.Modules.SetEnabledAsync("sales", isEnabled: false));

        await node.Modules.SeenAsync(Samples.Contacts);
        await node.Modules.SeenAsync(Samples.Sales);
        Assert.True(await node.Modules.SetEnabledAsync("sales", isEnabled: false));
        await node.Modules.SeenAsync(Samples.Sales);

        Assert.Equal([("contacts", true, ""), ("sales", false, "contacts")], (await node.Modules.ListAsync()).Select(m => (m.Id, m.IsEnabled, string.Join(',', m.DependsOn))));
        Assert.False(await node.Modules.IsEnabledAsync("sales"));
    }

    private static async Task<string> NextAsync(Channel<string> channel) => await channel.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
}
