using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Records.Tests.Writing;

/// <summary>A host that hears nothing of what others change.</summary>
public sealed class OldDefinitionsTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task A_host_that_missed_the_news_catches_up_before_its_next_write()
    {
        await using var deaf = await DeafAsync();
        var metadata = deaf.GetRequiredService<MetadataStore>();
        var old = metadata.Current.Version;
        await engine.ChangeAsync("""[{"change":"create_entity","name":"x_news","fields":[{"name":"name","type":"text"},{"name":"code","type":"text","max_length":5}]}]""");
        Assert.Equal(old, metadata.Current.Version);

        var saved = await Records(deaf).SaveAsync(RecordChange.Create("x_news", new Dictionary<string, object?> { ["name"] = "One", ["code"] = "abc" }));
        Assert.Empty(saved.Errors);
        Assert.Equal(engine.Metadata.Current.Version, metadata.Current.Version);

        // A rule that became stricter holds for its next write, though every name is still known.
        await engine.ChangeAsync("""[{"change":"change_field","entity":"x_news","field":{"name":"code","max_length":2}}]""");
        var refused = await Records(deaf).SaveAsync(RecordChange.Create("x_news", new Dictionary<string, object?> { ["code"] = "abc" }));
        Assert.Equal("length", Assert.Single(refused.Errors).Code);

        // What is gone is refused, and no error of the database.
        await engine.ChangeAsync("""[{"change":"hide_field","entity":"x_news","field":"code"}]""");
        var gone = await Records(deaf).SaveAsync(RecordChange.Create("x_news", new Dictionary<string, object?> { ["code"] = "ab" }));
        Assert.Equal("unknown_field", Assert.Single(gone.Errors).Code);
    }

    [Fact]
    public async Task Statements_prepared_for_a_column_of_another_type_are_prepared_again()
    {
        await engine.ChangeAsync("""[{"change":"create_entity","name":"x_count","fields":[{"name":"name","type":"text"},{"name":"amount","type":"integer"}]}]""");
        await using var deaf = await DeafAsync();
        var change = RecordChange.Create("x_count", new Dictionary<string, object?> { ["amount"] = 1 });
        Assert.Empty((await engine.Records.SaveAsync(change)).Errors);
        // Often enough for the driver to prepare the statements.
        for (var amount = 2; amount < 6; amount++)
        {
            foreach (var records in new[] { engine.Records, Records(deaf) })
            {
                Assert.Empty((await records.SaveAsync(new RecordChange(ChangeKind.Update, "x_count", change.Id, new Dictionary<string, object?> { ["amount"] = amount }))).Errors);
            }
        }

        await engine.ChangeAsync("""[{"change":"change_type","entity":"x_count","field":{"name":"amount","type":"decimal"}}]""");

        foreach (var (records, amount) in new[] { (engine.Records, 7.25m), (Records(deaf), 8.5m) })
        {
            Assert.Empty((await records.SaveAsync(new RecordChange(ChangeKind.Update, "x_count", change.Id, new Dictionary<string, object?> { ["amount"] = amount }))).Errors);
            Assert.Equal(amount, (await records.FindAsync("x_count", change.Id))!.Get<decimal>("amount"));
        }
    }

    [Fact]
    public async Task What_nobody_knows_stays_unknown()
    {
        var refused = await engine.Records.SaveAsync(RecordChange.Create("x_nothing", new Dictionary<string, object?> { ["name"] = "One" }));

        Assert.Equal("unknown_entity", Assert.Single(refused.Errors).Code);
    }

    private static RecordService Records(ServiceProvider host) =>
        new RecordEngine(host.GetRequiredService<CrmDatabase>(), host.GetRequiredService<MetadataStore>(), new BehaviorSource(), host.GetRequiredService<ScriptWorkers>(), TimeProvider.System).As(Engine.User);

    private async Task<ServiceProvider> DeafAsync()
    {
        var host = new ServiceCollection().AddLogging().AddCrmMetadata(engine.ConnectionString).BuildServiceProvider();
        await host.GetRequiredService<MetadataStore>().LoadAsync();
        await host.GetRequiredService<Notifications>().DisposeAsync();
        return host;
    }
}
