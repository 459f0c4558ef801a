using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Live;

/// <summary>Two hosts on one database, with offers that only their owner and the administrator see.</summary>
public sealed class TwoHosts : IAsyncLifetime
{
    private const string Offer = """
        {"change":"create_entity","name":"x_offer","label":"Offer","plural":"Offers","set":"x_offers","visibility":"private","fields":[
          {"name":"title","type":"text","label":"Title","required":true},{"name":"amount","type":"integer","label":"Amount"},
          {"name":"firm","type":"lookup","label":"Firm","target":"company"}],
         "views":[{"name":"all","label":"All","columns":["title","firm"],"sort":[{"path":"title"}]}]}
        """;

    private TestCrm? first;
    private TestCrm? second;

    public TestCrm First => first!;

    public TestCrm Second => second!;

    public Actor Bob { get; private set; } = Actor.System;

    public async Task InitializeAsync()
    {
        first = await TestCrm.StartAsync();
        await first.ChangeAsync(Offer);
        var made = await first.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Bob", ["user_name"] = "bob" }));
        Bob = new Actor(made.Record!.Id, "Bob", IsAdministrator: false);
        second = await first.StartSecondHostAsync();
    }

    public async Task DisposeAsync()
    {
        await Second.DisposeAsync();
        await First.DisposeAsync();
    }

    public static async Task<Sdk.Record> CreateAsync(TestCrm host, params (string Name, object? Value)[] values)
    {
        var result = await host.Records.SaveAsync(RecordChange.Create("x_offer", values.ToDictionary(v => v.Name, v => v.Value)));
        Assert.Empty(result.Errors);
        return result.Record!;
    }

    public static async Task UpdateAsync(TestCrm host, Guid id, params (string Name, object? Value)[] values) =>
        Assert.Empty((await host.Records.SaveAsync(RecordChange.Update("x_offer", id, values.ToDictionary(v => v.Name, v => v.Value)))).Errors);
}
