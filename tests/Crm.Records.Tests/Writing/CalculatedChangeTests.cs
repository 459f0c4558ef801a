using System.Collections.Immutable;
using Crm.Sdk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Writing;

/// <summary>What is said of records whose calculated fields change because another record was saved.</summary>
public sealed class CalculatedChangeTests(Engine engine) : IClassFixture<Engine>, IAsyncLifetime
{
    private RecordService Records => engine.Records;

    public async Task InitializeAsync()
    {
        if (!engine.Metadata.Current.Entity("company").TryField("x_total", out _))
        {
            await engine.ChangeAsync(
                """
                [{"change":"add_field","entity":"company","field":{"name":"x_total","type":"roll_up","result":"decimal","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"budget"}}},
                 {"change":"add_field","entity":"company","field":{"name":"x_urgent","type":"roll_up","result":"integer","roll_up":{"entity":"deal","lookup":"company","function":"count","condition":"urgent"}}},
                 {"change":"add_field","entity":"company","field":{"name":"x_big","type":"formula","result":"yes_no","formula":"x_total > 1000"}},
                 {"change":"add_field","entity":"company","field":{"name":"x_group_total","type":"roll_up","result":"decimal","roll_up":{"entity":"company","lookup":"parent","function":"sum","value":"x_total"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_customer","type":"formula","result":"text","formula":"upper(company.name)"}}]
                """);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task What_a_save_changes_in_other_records_is_in_their_history_with_the_record_that_was_saved()
    {
        var mother = await Records.SavedAsync(Values.Company("Mother"));
        var acme = await Records.SavedAsync(Values.Company("Acme", ("parent", mother.Id)));
        var deal = await Records.SavedAsync(Values.Deal(("company", acme.Id), ("budget", 1500)) with { Source = "form" });

        var entry = (await Records.HistoryAsync("company", acme.Id))[0];
        Assert.Equal((ChangeKind.Update, acme.Version, "Bob", HistoryEntry.Calculated, new RecordRef("deal", deal.Id)), (entry.Kind, entry.Version, entry.UserName, entry.Source, entry.Cause));
        Assert.Equal([new FieldChange("x_total", 0m, 1500m), new FieldChange("x_big", false, true)], entry.Changes.ToArray());
        // Two steps away it is still the record somebody saved.
        entry = (await Records.HistoryAsync("company", mother.Id))[0];
        Assert.Equal(new RecordRef("deal", deal.Id), entry.Cause);
        Assert.Equal([new FieldChange("x_group_total", 0m, 1500m)], entry.Changes.ToArray());

        await Records.SavedAsync(Values.Update(acme, ("name", "Globex")));
        entry = (await Records.HistoryAsync("deal", deal.Id))[0];
        Assert.Equal(new RecordRef("company", acme.Id), entry.Cause);
        Assert.Equal([new FieldChange("x_customer", "ACME", "GLOBEX")], entry.Changes.ToArray());

        // Who had the record open when that happened can save it, and the next entry says what they did alone.
        deal = await Records.SavedAsync(Values.Update(deal, ("count", 3)));
        Assert.Equal((2L, null), ((await Records.HistoryAsync("deal", deal.Id))[0].Version, (await Records.HistoryAsync("deal", deal.Id))[0].Cause));
        var before = (await Records.HistoryAsync("company", acme.Id)).Length;
        await Records.SavedAsync(RecordChange.Delete("deal", deal.Id));
        entry = (await Records.HistoryAsync("company", acme.Id))[0];
        Assert.Equal((new RecordRef("deal", deal.Id), before + 1), (entry.Cause, (await Records.HistoryAsync("company", acme.Id)).Length));
        Assert.Equal([new FieldChange("x_total", 1500m, 0m), new FieldChange("x_big", true, false)], entry.Changes.ToArray());
    }

    [Fact]
    public async Task A_batch_gives_one_entry_for_each_record_and_none_where_nothing_changed()
    {
        ImmutableArray<RecordChange> companies = [.. Enumerable.Range(0, 3).Select(i => Values.Company($"Batch {i}"))];
        await Records.SaveManyAsync(companies, new SaveOptions());
        ImmutableArray<RecordChange> deals = [.. Enumerable.Range(0, 90).Select(i => Values.Deal(("company", companies[i % 3].Id), ("budget", i % 3 == 2 ? null : 1)))];
        Assert.All(await Records.SaveManyAsync(deals, new SaveOptions()), r => Assert.Empty(r.Errors));

        var entry = (await Records.HistoryAsync("company", companies[0].Id))[0];
        Assert.Equal([new FieldChange("x_total", 0m, 30m)], entry.Changes.ToArray());
        Assert.Contains(deals, d => d.Id == entry.Cause!.Id);
        Assert.Equal(2, (await Records.HistoryAsync("company", companies[1].Id)).Length);
        Assert.Single(await Records.HistoryAsync("company", companies[2].Id));
        Assert.Equal(["x_total"], await engine.ScalarAsync<string[]>($"SELECT fields FROM crm.outbox WHERE record_id = '{companies[0].Id}' AND cause_id IS NOT NULL"));
        Assert.Equal(0L, await engine.ScalarAsync<long>($"SELECT count(*) FROM crm.outbox WHERE record_id = '{companies[2].Id}' AND cause_id IS NOT NULL"));
    }

    [Fact]
    public async Task Listeners_hear_what_followed_in_the_order_it_followed_with_many_writers()
    {
        var company = await Records.SavedAsync(Values.Company("Busy"));
        var heard = new List<RecordChanged>();
        var all = new TaskCompletionSource();
        var source = new BehaviorSource();
        source.Replace(Engine.Behaviors([Engine.Module], [], [new Listener("company", change =>
        {
            lock (heard)
            {
                heard.Add(change);
                if (heard.Count(c => c.Id == company.Id && c.Cause is not null) == 20)
                {
                    all.TrySetResult();
                }
            }

            return Task.CompletedTask;
        })]));
        using var dispatcher = new OutboxDispatcher(engine.Database, source, engine.Notifications, [], NullLogger<OutboxDispatcher>.Instance) { Interval = TimeSpan.FromMilliseconds(50) };
        await dispatcher.StartAsync(CancellationToken.None);

        var deals = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => Records.SavedAsync(Values.Deal(("company", company.Id), ("budget", 100))))));
        await all.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await dispatcher.StopAsync(CancellationToken.None);

        var events = heard.Where(c => c.Id == company.Id && c.Cause is not null).ToList();
        Assert.All(events, e => Assert.Equal((ChangeKind.Update, company.Version, "deal", Engine.User.UserId), (e.Kind, e.Version, e.Cause!.Entity, e.UserId)));
        Assert.Equal(deals.Select(d => d.Id).Order(), events.Select(e => e.Cause!.Id).Order());
        Assert.Equal(["x_total", "x_big"], events[10].Fields.ToArray());
        var history = (await Records.HistoryAsync("company", company.Id)).Reverse().Skip(1).ToList();
        // Each begins where the one before ended, and events come in the order of the history.
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (object?)(100m * i)), history.Select(h => h.Changes[0].Before));
        Assert.Equal(history.Select(h => h.Cause), events.Select(e => e.Cause));
    }

    [Fact]
    public async Task A_record_that_follows_itself_has_both_its_own_save_and_what_followed_in_its_history()
    {
        var mother = await Records.SavedAsync(Values.Company("Mother"));
        var daughter = await Records.SavedAsync(Values.Company("Daughter", ("parent", mother.Id)));
        await Records.SavedAsync(Values.Deal(("company", daughter.Id), ("budget", 10)));
        mother = await Records.SavedAsync(Values.Update(mother, ("country", "AT")));
        Assert.Equal(10m, mother["x_group_total"]);

        // Both in one save: the mother is written and follows her daughter.
        var other = await Records.SavedAsync(Values.Company("Other"));
        var saved = await Records.SaveManyAsync([Values.Update(mother, ("country", "DE")), Values.Update(daughter, ("parent", other.Id))], new SaveOptions());

        Assert.Equal(0m, saved[0].Record!["x_group_total"]);
        var history = await Records.HistoryAsync("company", mother.Id);
        Assert.Equal([(3L, new RecordRef("company", daughter.Id)), (3L, null)], history.Take(2).Select(h => (h.Version, h.Cause)));
        Assert.Equal([new FieldChange("x_group_total", 10m, 0m)], history[0].Changes.ToArray());
    }
}
