using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Metadata.Tests;

/// <summary>The metadata engine of one host on a database.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly ServiceProvider services;

    private Node(ServiceProvider services) => this.services = services;

    public static Actor Admin { get; } = new(Guid.CreateVersion7(), "Ada", IsAdministrator: true);

    public CrmDatabase Database => services.GetRequiredService<CrmDatabase>();

    public MetadataStore Store => services.GetRequiredService<MetadataStore>();

    public MetadataEditor Editor => services.GetRequiredService<MetadataEditor>();

    public MetadataHistory History => services.GetRequiredService<MetadataHistory>();

    public UpgradeNotes Upgrades => services.GetRequiredService<UpgradeNotes>();

    public MetadataSteps Steps => services.GetRequiredService<MetadataSteps>();

    public StepRunner StepRunner => services.GetRequiredService<StepRunner>();

    public ModuleStates Modules => services.GetRequiredService<ModuleStates>();

    public ConsistencyCheck Consistency => services.GetRequiredService<ConsistencyCheck>();

    public SavedViews Views => services.GetRequiredService<SavedViews>();

    public Notifications Notifications => services.GetRequiredService<Notifications>();

    public static async Task<Node> StartAsync(string connectionString)
    {
        var node = new Node(new ServiceCollection().AddLogging(l => l.SetMinimumLevel(LogLevel.Warning)).AddCrmMetadata(connectionString).BuildServiceProvider());
        await PlatformScripts.RunAsync(node.Database, [typeof(PlatformScripts).Assembly]);
        await node.Store.LoadAsync();
        return node;
    }

    public async Task<ApplyResult> ChangeAsync(string changes, params string[] confirm)
    {
        var plan = await Editor.PlanAsync(Samples.Read(changes), Admin);
        Assert.Empty(plan.Errors);
        return await Editor.ApplyAsync(plan.Id, Admin, new ApplyOptions(Confirm: [.. confirm]));
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await Database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = await Database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async Task<IReadOnlyList<string>> ListAsync(string sql)
    {
        await using var connection = await Database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await reader.ReadAsync())
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }

    /// <summary>A record written below the pipeline, to have data a plan must respect.</summary>
    public Task InsertAsync(string table, string columns, string values) => ExecuteAsync(
        $"INSERT INTO records.{table} (id, created_at, modified_at, {columns}) VALUES (gen_random_uuid(), now(), now(), {values})");

    /// <summary>Waits until the node is at a version; the test's own time limit is the only clock.</summary>
    public async Task<MetadataSnapshot> AtAsync(long version)
    {
        var reached = new TaskCompletionSource<MetadataSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check(MetadataSnapshot snapshot)
        {
            if (snapshot.Version >= version)
            {
                reached.TrySetResult(snapshot);
            }
        }

        Store.Changed += Check;
        Check(Store.Current);
        var found = await reached.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Store.Changed -= Check;
        return found;
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
