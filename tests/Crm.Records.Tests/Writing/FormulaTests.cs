using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class FormulaTests(Engine engine) : IClassFixture<Engine>
{
    private RecordService Records => engine.Records;

    [Fact]
    public async Task A_formula_is_right_when_the_record_is_saved()
    {
        await engine.ChangeAsync(
            """
            [{"change":"add_field","entity":"deal","field":{"name":"x_double","type":"formula","result":"decimal","formula":"x_net * 2"}},
             {"change":"add_field","entity":"deal","field":{"name":"x_net","type":"formula","result":"decimal","formula":"budget * (100 - coalesce(chance, 0)) / 100"}},
             {"change":"add_field","entity":"deal","field":{"name":"x_late","type":"formula","result":"yes_no","formula":"due < date(\"2026-01-01\") and stage <> \"Order\""}},
             {"change":"add_field","entity":"deal","field":{"name":"x_short","type":"formula","result":"text","max_length":5,"formula":"upper(title)"}},
             {"change":"add_field","entity":"deal","field":{"name":"x_reminder","type":"formula","result":"date","formula":"due - 7"}}]
            """);

        var deal = await Records.SavedAsync(Values.Deal(("budget", 200), ("due", "2025-12-24")));
        Assert.Equal(180m, deal["x_net"]);
        Assert.Equal(360m, deal["x_double"]);
        Assert.Equal(true, deal["x_late"]);
        Assert.Equal("A DEA", deal["x_short"]);
        Assert.Equal(new DateOnly(2025, 12, 17), deal["x_reminder"]);

        deal = await Records.SavedAsync(Values.Update(deal, ("budget", null), ("due", "2026-12-24")));
        Assert.Null(deal["x_net"]);
        Assert.Equal(false, deal["x_late"]);
        Assert.Equal(deal.Values, (await Records.FindAsync("deal", deal.Id))!.Values);
        var history = await Records.HistoryAsync("deal", deal.Id);
        Assert.Contains(history[0].Changes, c => c is { Field: "x_net", Before: 180m, After: null });

        await Records.SavedAsync(Values.Deal(("title", "Third"), ("budget", 1000)));
        var page = await Records.QueryAsync(new RecordQuery { Entity = "deal", Filter = new Filter.Compare("x_net", FilterOperator.Greater, 500), Sort = [new Sort("x_double")] });
        Assert.Equal("Third", Assert.Single(page.Records)["title"]);
    }

    [Fact]
    public async Task Nobody_else_may_set_a_formula()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_twice","type":"formula","result":"integer","formula":"count * 2"}}]""");

        Assert.Equal(ErrorCodes.ReadOnly, (await Records.RefusedOnceAsync(Values.Deal(("count", 2), ("x_twice", 5)))).Code);

        var intruder = engine.With(new Interceptor("deal", before: c => c["x_twice"] = 5));
        var problem = await Assert.ThrowsAsync<InterceptorException>(() => intruder.As(Engine.User).SaveAsync(Values.Deal(("count", 2))));
        Assert.Contains("x_twice", problem.Message, StringComparison.Ordinal);

        var helper = engine.With(new Interceptor("deal", before: c => c["count"] = 21));
        Assert.Equal(42L, (await helper.As(Engine.User).SavedAsync(Values.Deal(("count", 2))))["x_twice"]);
    }

    [Fact]
    public async Task Records_that_are_there_get_the_values_of_new_and_changed_formulas()
    {
        var deal = await Records.SavedAsync(Values.Deal(("title", "Old"), ("count", 3), ("ratio", 1.5m)));
        await engine.ChangeAsync(
            """
            [{"change":"add_field","entity":"deal","field":{"name":"x_sum","type":"formula","result":"decimal","scale":1,"formula":"count + ratio"}},
             {"change":"add_field","entity":"deal","field":{"name":"x_text","type":"formula","result":"text","formula":"title & \" \" & x_sum"}}]
            """);
        await ExpectAsync(4.5m, "Old 4.5");

        await engine.ChangeAsync("""[{"change":"change_field","entity":"deal","field":{"name":"x_sum","formula":"count - ratio"}}]""");
        await ExpectAsync(1.5m, "Old 1.5");

        async Task ExpectAsync(decimal sum, string text)
        {
            var read = await Records.FindAsync("deal", deal.Id);
            Assert.Equal(sum, read!["x_sum"]);
            Assert.Equal(text, read["x_text"]);
            Assert.Equal(deal.Version, read.Version);
        }
    }

    [Fact]
    public async Task A_formula_may_follow_from_when_a_record_was_made_but_not_from_its_last_change()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_born","type":"formula","result":"date","formula":"date(created_at)"}}]""");

        var deal = await Records.SavedAsync(Values.Deal());

        Assert.Equal(DateOnly.FromDateTime(((DateTimeOffset)deal["created_at"]!).UtcDateTime), deal["x_born"]);
        Assert.Contains("At character 6", await engine.RefusedAsync(
            """[{"change":"add_field","entity":"deal","field":{"name":"x_touched","type":"formula","result":"date","formula":"date(modified_at)"}}]"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_calculates_every_record()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_square","type":"formula","result":"integer","formula":"count * count"}}]""");
        ImmutableArray<RecordChange> changes = [.. Enumerable.Range(0, 2500).Select(i => Values.Deal(("count", i)))];

        var results = await Records.SaveManyAsync(changes, new SaveOptions());

        Assert.Equal(Enumerable.Range(0, 2500).Select(i => (object)(long)(i * i)), results.Select(r => r.Record!["x_square"]!));
    }
}
