using System.Collections.Immutable;
using Crm.Sdk;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Writing;

public sealed class RollUpTests(Engine engine) : IClassFixture<Engine>, IAsyncLifetime
{
    private RecordService Records => engine.Records;

    public async Task InitializeAsync()
    {
        if (engine.Metadata.Current.Entity("company").TryField("x_total", out _))
        {
            return;
        }

        await Records.SavedAsync(Values.Company("Was there"));
        await engine.ChangeAsync(
            """
            [{"change":"add_field","entity":"company","field":{"name":"x_deals","type":"roll_up","result":"integer","roll_up":{"entity":"deal","lookup":"company","function":"count"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_total","type":"roll_up","result":"decimal","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"budget"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_urgent","type":"roll_up","result":"decimal","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"budget * 2","condition":"urgent and count > 1"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_mean","type":"roll_up","result":"decimal","scale":1,"roll_up":{"entity":"deal","lookup":"company","function":"average","value":"count"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_earliest","type":"roll_up","result":"date","roll_up":{"entity":"deal","lookup":"company","function":"min","value":"due"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_latest","type":"roll_up","result":"date","roll_up":{"entity":"deal","lookup":"company","function":"max","value":"due"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_first","type":"roll_up","result":"text","roll_up":{"entity":"deal","lookup":"company","function":"first","value":"title","order_by":"due"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_last","type":"roll_up","result":"text","roll_up":{"entity":"deal","lookup":"company","function":"last","value":"title","order_by":"due"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_big","type":"formula","result":"yes_no","formula":"x_total > 1000"}},
             {"change":"add_field","entity":"company","field":{"name":"x_group_total","type":"roll_up","result":"decimal","roll_up":{"entity":"company","lookup":"parent","function":"sum","value":"x_total","condition":"x_big"}}}]
            """);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Roll_ups_are_right_after_every_kind_of_write()
    {
        var mother = await Records.SavedAsync(Values.Company("Mother"));
        var acme = await Records.SavedAsync(Values.Company("Acme", ("parent", mother.Id)));
        Assert.Equal((0L, 0m, null), (acme["x_deals"], acme["x_total"], acme["x_mean"]));
        var other = await Records.SavedAsync(Values.Company("Other"));

        var first = await Records.SavedAsync(Values.Deal(("title", "First"), ("company", acme.Id), ("budget", 900), ("count", 1), ("due", "2026-03-01")));
        var second = await Records.SavedAsync(Values.Deal(("title", "Second"), ("company", acme.Id), ("budget", 200), ("count", 2), ("due", "2026-02-01"), ("urgent", true)));
        await ExpectAsync(acme, ("x_deals", 2L), ("x_total", 1100m), ("x_urgent", 400m), ("x_mean", 1.5m), ("x_earliest", new DateOnly(2026, 2, 1)),
            ("x_latest", new DateOnly(2026, 3, 1)), ("x_first", "Second"), ("x_last", "First"), ("x_big", true));
        await ExpectAsync(mother, ("x_group_total", 1100m), ("x_deals", 0L));

        second = await Records.SavedAsync(Values.Update(second, ("company", other.Id)));
        await ExpectAsync(acme, ("x_deals", 1L), ("x_total", 900m), ("x_big", false));
        await ExpectAsync(other, ("x_deals", 1L), ("x_total", 200m), ("x_urgent", 400m));
        await ExpectAsync(mother, ("x_group_total", 0m));

        await Records.SavedAsync(Values.Update(second, ("count", null)));
        await ExpectAsync(other, ("x_urgent", 0m), ("x_mean", null));
        await Records.SavedAsync(RecordChange.Delete("deal", first.Id));
        await ExpectAsync(acme, ("x_deals", 0L), ("x_total", 0m), ("x_first", null), ("x_latest", null));

        // Whoever had the company open can save it: its version is what it was.
        await Records.SavedAsync(Values.Update(acme, ("country", "DE")));
        Assert.Equal(ErrorCodes.ReadOnly, (await Records.RefusedOnceAsync(Values.Update(other, ("x_total", 5)))).Code);
        var rich = await Records.QueryAsync(new RecordQuery { Entity = "company", Filter = new Filter.Compare("x_total", FilterOperator.Greater, 100), Sort = [new Sort("x_total", true)] });
        Assert.Contains(rich.Records, r => r.Id == other.Id);
        Assert.DoesNotContain(rich.Records, r => r.Id == acme.Id);
    }

    [Fact]
    public async Task Fifty_writers_on_children_of_one_parent_end_with_the_right_sum()
    {
        var parent = await Records.SavedAsync(Values.Company("Busy"));
        var aside = await Records.SavedAsync(Values.Company("Aside"));

        await Task.WhenAll(Enumerable.Range(1, 50).Select(writer => Task.Run(async () =>
        {
            var kept = await Records.SavedAsync(Values.Deal(("company", parent.Id), ("budget", writer)));
            var moved = await Records.SavedAsync(Values.Deal(("company", writer % 2 == 0 ? parent.Id : aside.Id), ("budget", 1000)));
            var gone = await Records.SavedAsync(Values.Deal(("company", parent.Id), ("budget", 7)));
            await Records.SavedAsync(Values.Update(kept, ("budget", writer * 2)));
            await Records.SavedAsync(Values.Update(moved, ("company", writer % 2 == 0 ? aside.Id : parent.Id)));
            await Records.SavedAsync(RecordChange.Delete("deal", gone.Id));
        })));

        await ExpectAsync(parent, ("x_deals", 75L), ("x_total", (50m * 51) + 25_000), ("x_big", true));
        await ExpectAsync(aside, ("x_deals", 25L), ("x_total", 25_000m));
    }

    [Fact]
    public async Task A_batch_rolls_up_every_parent_once_and_a_refused_one_leaves_nothing()
    {
        ImmutableArray<RecordChange> companies = [.. Enumerable.Range(0, 20).Select(i => Values.Company($"Batch {i}"))];
        ImmutableArray<RecordChange> deals = [.. Enumerable.Range(0, 1500).Select(i => Values.Deal(("company", companies[i % 20].Id), ("budget", i)))];
        Assert.All(await Records.SaveManyAsync([.. companies, .. deals], new SaveOptions()), r => Assert.Empty(r.Errors));

        var stored = await Records.FindAsync("company", companies[3].Id);
        Assert.Equal((75L, Enumerable.Range(0, 1500).Where(i => i % 20 == 3).Sum(i => (decimal)i)), (stored!["x_deals"], stored["x_total"]));

        var refused = await Records.SaveManyAsync([Values.Deal(("company", companies[3].Id), ("budget", 5)), Values.Deal(("title", null))], new SaveOptions());
        Assert.All(refused, r => Assert.False(r.Succeeded));
        Assert.Equal(stored.Values, (await Records.FindAsync("company", companies[3].Id))!.Values);
    }

    [Fact]
    public async Task Records_that_are_there_get_a_new_roll_up_and_circles_are_refused()
    {
        var company = await Records.SavedAsync(Values.Company("Counted"));
        await Records.SavedAsync(Values.Deal(("company", company.Id), ("count", 4)));
        await engine.ChangeAsync(
            """[{"change":"add_field","entity":"company","field":{"name":"x_seats","type":"roll_up","result":"integer","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"count"}}}]""");
        await ExpectAsync(company, ("x_seats", 4L));

        Assert.Contains("company.x_loop → company.x_loop", await engine.RefusedAsync(
            """[{"change":"add_field","entity":"company","field":{"name":"x_loop","type":"roll_up","result":"integer","roll_up":{"entity":"company","lookup":"parent","function":"sum","value":"x_loop + 1"}}}]"""), StringComparison.Ordinal);
        Assert.Contains("At character 8", await engine.RefusedAsync(
            """[{"change":"add_field","entity":"company","field":{"name":"x_bad","type":"roll_up","result":"integer","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"count *"}}}]"""), StringComparison.Ordinal);
        Assert.Contains("does not fit", await engine.RefusedAsync(
            """[{"change":"add_field","entity":"company","field":{"name":"x_bad","type":"roll_up","result":"date","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"count"}}}]"""), StringComparison.Ordinal);
    }

    private async Task ExpectAsync(Record record, params (string Field, object? Value)[] expected)
    {
        var stored = await Records.FindAsync(record.Entity, record.Id);
        Assert.Equal(expected.Select(e => (e.Field, e.Value)), expected.Select(e => (e.Field, stored![e.Field])));
        Assert.Equal(record.Version, stored!.Version);
    }
}
