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
    public async Task A_host_that_missed_the_new_name_of_an_entity_writes_under_it_and_refuses_the_old_one()
    {
        await engine.ChangeAsync(
            """
            [{"change":"create_entity","name":"x_talk","fields":[{"name":"name","type":"text"},{"name":"number","type":"auto_number","prefix":"T","width":3}]},
             {"change":"create_entity","name":"x_slide","fields":[{"name":"name","type":"text"},{"name":"talk","type":"lookup","target":"x_talk"},{"name":"about","type":"any_lookup"}]}]
            """);
        var talk = RecordChange.Create("x_talk", new Dictionary<string, object?> { ["name"] = "One" });
        Assert.Empty((await engine.Records.SaveAsync(talk)).Errors);
        RecordChange Slide(string entity) => RecordChange.Create("x_slide", new Dictionary<string, object?> { ["talk"] = talk.Id, ["about"] = new RecordRef(entity, talk.Id) });
        var slide = Slide("x_talk");
        Assert.Empty((await engine.Records.SaveAsync(slide)).Errors);
        // Each write is the first one of a host that knows the old name only.
        async Task<ServiceProvider[]> DeafAsync(int count) => [.. await Task.WhenAll(Enumerable.Range(0, count).Select(_ => this.DeafAsync()))];
        var deaf = await DeafAsync(5);
        await engine.ChangeAsync("""[{"change":"rename_entity","entity":"x_talk","to":"x_speech"}]""");

        Assert.Equal("unknown_entity", Assert.Single((await Records(deaf[0]).SaveAsync(RecordChange.Create("x_talk", new Dictionary<string, object?> { ["name"] = "Two" }))).Errors).Code);
        Assert.Equal("about", Assert.Single((await Records(deaf[1]).SaveAsync(Slide("x_talk"))).Errors).Field);
        Assert.Empty((await Records(deaf[2]).SaveAsync(Slide("x_speech"))).Errors);
        Assert.Empty((await Records(deaf[3]).SaveAsync(new RecordChange(ChangeKind.Update, "x_slide", slide.Id, new Dictionary<string, object?> { ["name"] = "Renamed" }))).Errors);
        Assert.Equal("One", (await Records(deaf[4]).FindAsync("x_speech", talk.Id))!.Get<string>("name"));
        Assert.Equal(new RecordRef("x_speech", talk.Id), (await Records(deaf[0]).FindAsync("x_slide", slide.Id))!["about"]);
        foreach (var host in deaf)
        {
            Assert.Equal(engine.Metadata.Current.Version, host.GetRequiredService<MetadataStore>().Current.Version);
            await host.DisposeAsync();
        }

        // The next number goes on.
        var next = RecordChange.Create("x_speech", new Dictionary<string, object?> { ["name"] = "Two" });
        Assert.Empty((await engine.Records.SaveAsync(next)).Errors);
        Assert.EndsWith("2", (await engine.Records.FindAsync("x_speech", next.Id))!.Get<string>("number"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_who_writes_while_an_entity_is_renamed_leaves_its_old_name_behind()
    {
        await engine.ChangeAsync("""[{"change":"create_entity","name":"x_goal","fields":[{"name":"name","type":"text"}]},{"change":"create_entity","name":"x_hint","fields":[{"name":"name","type":"text"},{"name":"about","type":"any_lookup"}]}]""");
        var goal = RecordChange.Create("x_goal", new Dictionary<string, object?> { ["name"] = "One" });
        Assert.Empty((await engine.Records.SaveAsync(goal)).Errors);
        using var done = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var saved = 0;
            while (!done.IsCancellationRequested)
            {
                var about = new RecordRef(engine.Metadata.Current.TryEntity("x_goal", out var _) ? "x_goal" : "x_aim", goal.Id);
                saved += (await engine.Records.SaveAsync(RecordChange.Create("x_hint", new Dictionary<string, object?> { ["about"] = about }))).Succeeded ? 1 : 0;
            }

            return saved;
        })).ToList();
        while (await engine.ScalarAsync<long>("SELECT count(*) FROM records.x_hint") < 20)
        {
            await Task.Yield();
        }

        await engine.ChangeAsync("""[{"change":"rename_entity","entity":"x_goal","to":"x_aim"}]""");
        await done.CancelAsync();

        var written = (await Task.WhenAll(writers)).Sum();
        Assert.Equal(written, await engine.ScalarAsync<long>("SELECT count(*) FROM records.x_hint WHERE about_entity = 'x_aim'"));
        Assert.Equal(written, await engine.ScalarAsync<long>("SELECT count(*) FROM records.x_hint"));
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
