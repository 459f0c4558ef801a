using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Writing;

/// <summary>Formulas over fields of the records a lookup leads to.</summary>
public sealed class LookedUpFormulaTests(Engine engine) : IClassFixture<Engine>, IAsyncLifetime
{
    private RecordService Records => engine.Records;

    private CalculationDrift Drift => new(engine.Database, engine.Metadata);

    public async Task InitializeAsync()
    {
        if (engine.Metadata.Current.Entity("company").TryField("x_rate", out _))
        {
            return;
        }

        var company = await Records.SavedAsync(Values.Company("Was there", ("country", "AT")));
        var deal = await Records.SavedAsync(Values.Deal(("company", company.Id), ("budget", 10)));
        await engine.ChangeAsync(
            """
            [{"change":"add_field","entity":"company","field":{"name":"x_rate","type":"decimal","default":1}},
             {"change":"add_field","entity":"deal","field":{"name":"x_customer","type":"formula","result":"text","formula":"company.name & \" (\" & coalesce(company.country, \"?\") & \")\""}},
             {"change":"add_field","entity":"deal","field":{"name":"x_weighted","type":"formula","result":"decimal","formula":"budget * company.x_rate"}},
             {"change":"add_field","entity":"deal","field":{"name":"x_double","type":"formula","result":"decimal","formula":"x_weighted * 2"}},
             {"change":"add_field","entity":"company","field":{"name":"x_total","type":"roll_up","result":"decimal","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"x_weighted"}}},
             {"change":"add_field","entity":"deal","field":{"name":"x_share","type":"formula","result":"decimal","formula":"x_weighted / company.x_total"}},
             {"change":"add_field","entity":"company","field":{"name":"x_mother","type":"formula","result":"text","formula":"upper(parent.name)"}},
             {"change":"add_field","entity":"company","field":{"name":"x_line","type":"formula","result":"text","formula":"parent.x_mother & \" / \" & x_mother"}},
             {"change":"add_field","entity":"deal","field":{"name":"x_group","type":"formula","result":"text","formula":"company.x_mother"}}]
            """);
        await ExpectAsync(deal, ("x_customer", "Was there (AT)"), ("x_weighted", null));
        await Records.SavedAsync(Values.Update(company, ("x_rate", 2)));
        await ExpectAsync(deal, ("x_weighted", 20m), ("x_double", 40m), ("x_share", 1m));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_looked_up_value_is_right_after_every_kind_of_write()
    {
        var mother = await Records.SavedAsync(Values.Company("Mother"));
        var acme = await Records.SavedAsync(Values.Company("Acme", ("parent", mother.Id), ("x_rate", 3), ("country", "DE")));
        Assert.Equal("MOTHER", acme["x_mother"]);
        var other = await Records.SavedAsync(Values.Company("Other"));

        var deal = await Records.SavedAsync(Values.Deal(("company", acme.Id), ("budget", 100)));
        Assert.Equal(("Acme (DE)", 300m, 600m, 1m, "MOTHER"), (deal["x_customer"], deal["x_weighted"], deal["x_double"], deal["x_share"], deal["x_group"]));
        Assert.Equal(deal.Values, (await Records.FindAsync("deal", deal.Id))!.Values);

        // A second one halves the share of the first, which nobody saved.
        var second = await Records.SavedAsync(Values.Deal(("company", acme.Id), ("budget", 100)));
        Assert.Equal(0.5m, second["x_share"]);
        await ExpectAsync(deal, ("x_share", 0.5m));

        // What the looked-up record becomes, its dependants follow, and theirs.
        acme = await Records.SavedAsync(Values.Update(acme, ("x_rate", 4), ("name", "Acme Ltd")));
        Assert.Equal(800m, acme["x_total"]);
        await ExpectAsync(deal, ("x_customer", "Acme Ltd (DE)"), ("x_weighted", 400m), ("x_double", 800m), ("x_share", 0.5m));

        await Records.SavedAsync(Values.Update(mother, ("name", "Holding")));
        await ExpectAsync(deal, ("x_group", "HOLDING"));
        await ExpectAsync(acme, ("x_mother", "HOLDING"));

        // Own value, then the lookup, then none.
        deal = await Records.SavedAsync(Values.Update(deal, ("budget", 300)));
        Assert.Equal((1200m, 0.75m), (deal["x_weighted"], deal["x_share"]));
        deal = await Records.SavedAsync(Values.Update(deal, ("company", other.Id)));
        Assert.Equal(("Other (?)", 300m, 1m, null), (deal["x_customer"], deal["x_weighted"], deal["x_share"], deal["x_group"]));
        await ExpectAsync(second, ("x_share", 1m));
        await ExpectAsync(acme, ("x_total", 400m));
        deal = await Records.SavedAsync(Values.Update(deal, ("company", null)));
        Assert.Equal((" (?)", null, null), (deal["x_customer"], deal["x_weighted"], deal["x_share"]));
        await ExpectAsync(other, ("x_total", 0m));

        // A record that is looked up cannot be deleted; without dependants it can.
        Assert.Equal(ErrorCodes.InUse, (await Records.RefusedOnceAsync(RecordChange.Delete("company", acme.Id))).Code);
        await Records.SavedAsync(RecordChange.Delete("deal", second.Id));
        await Records.SavedAsync(RecordChange.Delete("company", acme.Id));
        Assert.All(await Drift.CheckAsync(), d => Assert.Equal(0, d.Records));
    }

    [Fact]
    public async Task A_change_of_the_looked_up_record_is_no_change_of_its_dependants_version_but_listeners_hear_of_it()
    {
        var company = await Records.SavedAsync(Values.Company("Quiet", ("x_rate", 1)));
        var deal = await Records.SavedAsync(Values.Deal(("company", company.Id), ("budget", 5)));
        await Records.SavedAsync(Values.Update(company, ("x_rate", 2)));

        var stored = await Records.FindAsync("deal", deal.Id);
        Assert.Equal(10m, stored!["x_weighted"]);
        Assert.Equal(deal.Version, stored.Version);
        // Its own save changed the total of the company, and so its own share.
        Assert.Equal([new RecordRef("company", company.Id), new RecordRef("deal", deal.Id), null], (await Records.HistoryAsync("deal", deal.Id)).Select(h => h.Cause));
        Assert.True(await engine.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM crm.outbox WHERE record_id = '{deal.Id}' AND fields @> ARRAY['x_weighted', 'x_double'] AND NOT fields @> ARRAY['title'])"));
        await Records.SavedAsync(Values.Update(deal, ("budget", 6)));
    }

    [Fact]
    public async Task A_batch_sees_its_own_records_and_what_was_refused_leaves_no_trace()
    {
        var grandmother = Values.Company("Grandmother");
        var mother = Values.Company("Mother", ("parent", grandmother.Id));
        ImmutableArray<RecordChange> daughters = [.. Enumerable.Range(0, 1200).Select(i => Values.Company($"Daughter {i}", ("parent", mother.Id)))];
        ImmutableArray<RecordChange> deals = [.. daughters.Select(d => Values.Deal(("company", d.Id), ("budget", 1)))];
        // The daughters come first: whose lookup leads to what comes later in the batch is no worse off.
        var results = await Records.SaveManyAsync([grandmother, mother, .. daughters, .. deals], new SaveOptions());
        Assert.All(results, r => Assert.Empty(r.Errors));
        Assert.All(results[2..1202], r => Assert.Equal("MOTHER", r.Record!["x_mother"]));
        Assert.All(results[2..1202], r => Assert.Equal("GRANDMOTHER / MOTHER", r.Record!["x_line"]));
        Assert.All(results[1202..], r => Assert.Equal("MOTHER", r.Record!["x_group"]));

        var stored = results[1].Record!;
        var mixed = await Records.SaveManyAsync(
            [Values.Update(stored, ("name", "Stepmother"), ("email", "no address")), Values.Update(results[2].Record!, ("parent", null)), Values.Update(results[3].Record!, ("country", "FR"), ("parent", grandmother.Id)), Values.Company("Late", ("parent", mother.Id))],
            new SaveOptions(AllOrNothing: false));
        Assert.Equal([false, true, true, true], mixed.Select(r => r.Succeeded));
        Assert.Null(mixed[1].Record!["x_mother"]);
        Assert.Equal("GRANDMOTHER", mixed[2].Record!["x_mother"]);
        Assert.Equal("MOTHER", mixed[3].Record!["x_mother"]);
        Assert.All(await Drift.CheckAsync(), d => Assert.Equal(0, d.Records));
    }

    [Fact]
    public async Task Fifty_writers_on_lookups_and_looked_up_records_end_right()
    {
        var companies = new List<Record>();
        for (var i = 0; i < 4; i++)
        {
            companies.Add(await Records.SavedAsync(Values.Company($"Busy {i}", ("x_rate", 1))));
        }

        var deals = (await Records.SaveManyAsync([.. Enumerable.Range(0, 50).Select(i => Values.Deal(("company", companies[i % 4].Id), ("budget", 10)))], new SaveOptions())).Select(r => r.Record!).ToList();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(writer => Task.Run(async () =>
        {
            for (var round = 0; round < 2; round++)
            {
                var (from, to) = (companies[writer % 4], companies[(writer + round + 1) % 4]);
                await AgainAsync(RecordChange.Update("deal", deals[writer].Id, Values.Of(("company", to.Id), ("budget", 10 + round))));
                await AgainAsync(RecordChange.Update("company", from.Id, Values.Of(("x_rate", 1 + ((writer + round) % 5)), ("name", $"Busy {writer} {round}"))));
                await AgainAsync(Values.Deal(("company", to.Id), ("budget", 1)));
            }
        })));

        Assert.All(await Drift.CheckAsync(), d => Assert.Equal(0, d.Records));
        var total = 0m;
        foreach (var company in companies)
        {
            total += (decimal)(await Records.FindAsync("company", company.Id))!["x_total"]!;
        }

        Assert.True(total > 0);

        // With so many at once somebody may be told to come back; nobody is given a wrong answer.
        async Task AgainAsync(RecordChange change)
        {
            while (true)
            {
                var result = await Records.SaveAsync(change);
                if (result.Errors.All(e => e.Code != ErrorCodes.Busy))
                {
                    Assert.Empty(result.Errors);
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task A_write_that_began_before_the_formula_was_there_calculates_it_all_the_same()
    {
        var company = await Records.SavedAsync(Values.Company("Early"));
        var deal = await Records.SavedAsync(Values.Deal(("company", company.Id)));
        var isThere = false;
        var slow = engine.With(new Interceptor("company", meanwhile: async () =>
        {
            if (!isThere)
            {
                isThere = true;
                await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_early","type":"formula","result":"text","formula":"lower(company.name)"}}]""");
            }
        }));

        await slow.As(Engine.User).SavedAsync(Values.Update(company, ("name", "Late")));

        await ExpectAsync(deal, ("x_early", "late"));
    }

    [Fact]
    public async Task Drift_is_found_and_repaired()
    {
        var company = await Records.SavedAsync(Values.Company("Drifting", ("x_rate", 2)));
        var deal = await Records.SavedAsync(Values.Deal(("company", company.Id), ("budget", 7)));
        await engine.ExecuteAsync($"UPDATE records.deal SET x_weighted = 1 WHERE id = '{deal.Id}'");
        Assert.Equal(1, (await Drift.CheckAsync()).Single(d => d.Field == "x_weighted").Records);

        Assert.Equal(1, (await Drift.RepairAsync()).Single(d => d.Field == "x_weighted").Records);

        await ExpectAsync(deal, ("x_weighted", 14m), ("x_double", 28m));
        Assert.All(await Drift.CheckAsync(), d => Assert.Equal(0, d.Records));
    }

    [Fact]
    public async Task What_cannot_work_is_refused_with_its_place()
    {
        Assert.Contains("company.x_total → deal.x_weighted → company.x_ring", await engine.RefusedAsync(
            """
            [{"change":"add_field","entity":"company","field":{"name":"x_ring","type":"formula","result":"decimal","formula":"x_total + 1"}},
             {"change":"change_field","entity":"deal","field":{"name":"x_weighted","formula":"budget * company.x_ring"}}]
            """), StringComparison.Ordinal);
        Assert.Contains("company.x_deep → company.x_deep", await engine.RefusedAsync(
            """[{"change":"add_field","entity":"company","field":{"name":"x_deep","type":"formula","result":"text","formula":"parent.x_deep & name"}}]"""), StringComparison.Ordinal);
        var far = await engine.RefusedAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_far","type":"formula","result":"text","formula":"title & company.parent.name"}}]""");
        Assert.Contains("At character 9: 'company.parent.name' follows more lookups than the 1 allowed here", far, StringComparison.Ordinal);
        Assert.Contains("At character 1", await engine.RefusedAsync(
            """[{"change":"add_field","entity":"deal","field":{"name":"x_bad","type":"formula","result":"text","formula":"company.nowhere"}}]"""), StringComparison.Ordinal);
        Assert.Contains("x_rate", await engine.RefusedAsync("""[{"change":"hide_field","entity":"company","field":"x_rate"}]"""), StringComparison.Ordinal);
    }

    private async Task ExpectAsync(Record record, params (string Field, object? Value)[] expected)
    {
        var stored = await Records.FindAsync(record.Entity, record.Id);
        Assert.Equal(expected.Select(e => (e.Field, e.Value)), expected.Select(e => (e.Field, stored![e.Field])));
    }
}
