using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.History;

public sealed class HistoryTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task Every_write_is_in_the_history_newest_first()
    {
        var records = engine.Records;
        var deal = await records.SavedAsync(Values.Deal(("budget", "5 USD"), ("tags", "a;b"), ("due", "2026-01-02"), ("urgent", true)) with { Source = "form" });
        deal = await engine.With().As(Engine.Admin).SavedAsync(Values.Update(deal, ("budget", 7), ("tags", null), ("due", "2026-01-03")));
        await records.SaveAsync(RecordChange.Delete("deal", deal.Id));

        var history = await records.HistoryAsync("deal", deal.Id);

        Assert.Equal([(ChangeKind.Delete, 3L, "Bob", "api"), (ChangeKind.Update, 2L, "Ada", "api"), (ChangeKind.Create, 1L, "Bob", "form")], history.Select(h => (h.Kind, h.Version, h.UserName, h.Source)));
        Assert.Equal(["budget", "due", "tags"], history[1].Changes.Select(c => c.Field));
        Assert.Equal(new FieldChange("budget", new Money(5, "USD"), new Money(7, "USD")), history[1].Changes[0]);
        Assert.Equal(new FieldChange("due", new DateOnly(2026, 1, 2), new DateOnly(2026, 1, 3)), history[1].Changes[1]);
        Assert.Equal(["a", "b"], ((ImmutableArray<string>)history[1].Changes[2].Before!).ToArray());
        Assert.Null(history[1].Changes[2].After);
        Assert.Equal(deal["modified_at"], history[1].At);
        Assert.All(history[2].Changes, c => Assert.Null(c.Before));
        Assert.All(history[0].Changes, c => Assert.Null(c.After));
        Assert.Contains(history[2].Changes, c => c is { Field: "owner", After: Guid });
        Assert.DoesNotContain(history[2].Changes, c => c.Field is "id" or "version" or "created_at");
    }

    [Fact]
    public async Task A_field_that_is_gone_is_shown_as_it_was_written()
    {
        var deal = await engine.Records.SavedAsync(Values.Deal());
        await engine.ExecuteAsync($"UPDATE crm.history SET changes = '{{\"gone\": [null, 5], \"due\": [null, \"no date\"]}}' WHERE record_id = '{deal.Id}'");
        var changes = Assert.Single(await engine.Records.HistoryAsync("deal", deal.Id)).Changes;
        Assert.Equal([new FieldChange("due", null, "no date"), new FieldChange("gone", null, "5")], changes.ToArray());
    }

    [Fact]
    public async Task A_renamed_field_keeps_its_history_under_its_new_name()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_first","type":"integer"}}]""");
        var deal = await engine.Records.SavedAsync(Values.Deal(("x_first", 1)));
        await engine.ChangeAsync("""[{"change":"rename_field","entity":"deal","field":"x_first","to":"x_second"}]""");
        deal = await engine.Records.SavedAsync(Values.Update(deal, ("x_second", 2)));
        await engine.ChangeAsync("""[{"change":"rename_field","entity":"deal","field":"x_second","to":"x_third"}]""");
        // Another field takes the name that the first one had.
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_first","type":"text"}}]""");
        deal = await engine.Records.SavedAsync(Values.Update(deal, ("x_third", 3), ("x_first", "new")));

        var changes = (await engine.Records.HistoryAsync("deal", deal.Id)).Select(h => h.Changes.Where(c => c.Field.StartsWith("x_", StringComparison.Ordinal)).ToArray()).ToArray();

        Assert.Equal([new FieldChange("x_third", 2L, 3L), new FieldChange("x_first", null, "new")], changes[0]);
        Assert.Equal([new FieldChange("x_third", 1L, 2L)], changes[1]);
        Assert.Equal([new FieldChange("x_third", null, 1L)], changes[2]);
    }
}
