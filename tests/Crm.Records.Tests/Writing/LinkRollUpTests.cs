using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Writing;

/// <summary>Roll-ups over linked records: over the links, and through a formula of the link over the records at its far side.</summary>
public sealed class LinkRollUpTests(Engine engine) : IClassFixture<Engine>, IAsyncLifetime
{
    private RecordService Records => engine.Records;

    public async Task InitializeAsync()
    {
        if (!engine.Metadata.Current.TryEntity("x_role", out _))
        {
            await engine.ChangeAsync(
                """
                [{"change":"add_field","entity":"company","field":{"name":"x_score","type":"integer"}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_partners","type":"many_to_many","target":"company",
                  "link":{"name":"x_role","fields":[{"name":"role","type":"text"},{"name":"share","type":"decimal"},{"name":"score","type":"formula","result":"integer","formula":"company.x_score"},{"name":"partner","type":"formula","result":"text","formula":"company.name"}]},
                  "inverse":{"name":"x_deals"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_count","type":"roll_up","result":"integer","roll_up":{"entity":"x_role","lookup":"deal","function":"count"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_buyers","type":"roll_up","result":"integer","roll_up":{"entity":"x_role","lookup":"deal","function":"count","condition":"role = \"buyer\""}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_total","type":"roll_up","result":"integer","roll_up":{"entity":"x_role","lookup":"deal","function":"sum","value":"score"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_best","type":"roll_up","result":"integer","roll_up":{"entity":"x_role","lookup":"deal","function":"max","value":"score"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_least","type":"roll_up","result":"integer","roll_up":{"entity":"x_role","lookup":"deal","function":"min","value":"score"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_mean","type":"roll_up","result":"decimal","roll_up":{"entity":"x_role","lookup":"deal","function":"average","value":"share"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_first","type":"roll_up","result":"text","roll_up":{"entity":"x_role","lookup":"deal","function":"first","value":"partner","order_by":"share"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_last","type":"roll_up","result":"text","roll_up":{"entity":"x_role","lookup":"deal","function":"last","value":"partner","order_by":"share"}}},
                 {"change":"add_field","entity":"company","field":{"name":"x_in","type":"roll_up","result":"integer","roll_up":{"entity":"x_role","lookup":"company","function":"count"}}}]
                """);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Roll_ups_over_links_follow_every_kind_of_change()
    {
        var (anna, bert) = (await CompanyAsync("Anna", 10), await CompanyAsync("Bert", 4));
        var deal = await Records.SavedAsync(Values.Deal(("x_partners", new object?[] { Entry(anna, ("role", "buyer"), ("share", 30)), Entry(bert, ("share", 10)) })));
        await ExpectAsync(deal, ("x_count", 2L), ("x_buyers", 1L), ("x_total", 14L), ("x_best", 10L), ("x_least", 4L), ("x_mean", 20m), ("x_first", "Bert"), ("x_last", "Anna"));
        await ExpectAsync(anna, ("x_in", 1L));

        // A value of a linked record, and one of the link.
        await Records.SavedAsync(Values.Update(bert, ("x_score", 40), ("name", "Bertram")));
        await Records.SavedAsync(Values.Update(deal, ("x_partners", new Dictionary<string, object?> { ["add"] = new object?[] { Entry(bert, ("role", "buyer"), ("share", 50)) } })));
        await ExpectAsync(deal, ("x_buyers", 2L), ("x_total", 50L), ("x_best", 40L), ("x_least", 10L), ("x_mean", 40m), ("x_first", "Anna"), ("x_last", "Bertram"));

        await Records.SavedAsync(RecordChange.Delete("company", bert.Id));
        await ExpectAsync(deal, ("x_count", 1L), ("x_total", 10L), ("x_best", 10L), ("x_last", "Anna"));
        await Records.SavedAsync(RecordChange.Delete("deal", deal.Id));
        await ExpectAsync(anna, ("x_in", 0L));
        await NothingDriftsAsync();
    }

    [Fact]
    public async Task Fifty_writers_who_link_unlink_and_change_values_end_with_the_right_values()
    {
        var deal = await Records.SavedAsync(Values.Deal(("title", "Busy")));
        var partners = await Task.WhenAll(Enumerable.Range(1, 25).Select(i => CompanyAsync($"P{i}", i)));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(writer => Task.Run(async () =>
        {
            // Two writers for each partner, one from each side.
            var partner = partners[writer / 2];
            var fromDeal = writer % 2 == 0;
            RecordChange Change(string what) => fromDeal
                ? RecordChange.Update("deal", deal.Id, Values.Of(("x_partners", new Dictionary<string, object?> { [what] = new object?[] { partner.Id } })))
                : RecordChange.Update("company", partner.Id, Values.Of(("x_deals", new Dictionary<string, object?> { [what] = new object?[] { deal.Id } })));
            await Records.SavedAsync(Change("add"));
            await Records.SavedAsync(RecordChange.Update("company", partner.Id, Values.Of(("x_score", 100 + writer))));
            await Records.SavedAsync(Change("remove"));
            await Records.SavedAsync(Change("add"));
            await Records.SavedAsync(RecordChange.Update("company", partner.Id, Values.Of(("x_score", 1000 + (writer / 2)))));
        })));

        // Whoever is last, both end by linking and give the same value.
        await ExpectAsync(deal, ("x_count", 25L), ("x_total", Enumerable.Range(1000, 25).Sum(score => (long)score)), ("x_best", 1024L), ("x_least", 1000L));
        await NothingDriftsAsync();
    }

    private static Dictionary<string, object?> Entry(Record record, params (string Name, object? Value)[] values) => Values.Of([("id", record.Id), .. values]);

    private Task<Record> CompanyAsync(string name, int score) => Records.SavedAsync(Values.Company(name, ("x_score", score)));

    private async Task ExpectAsync(Record record, params (string Field, object? Value)[] expected)
    {
        var stored = await Records.FindAsync(record.Entity, record.Id);
        Assert.Equal(expected.Select(e => (e.Field, e.Value)), expected.Select(e => (e.Field, stored![e.Field])));
    }

    private async Task NothingDriftsAsync()
    {
        ImmutableArray<DriftedField> drift = await new CalculationDrift(engine.Database, engine.Metadata).CheckAsync();
        Assert.All(drift, d => Assert.Equal(0, d.Records));
    }
}
