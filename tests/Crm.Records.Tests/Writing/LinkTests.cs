using System.Collections.Immutable;
using Crm.Sdk;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Writing;

public sealed class LinkTests(Engine engine) : IClassFixture<Engine>, IAsyncLifetime
{
    private RecordService Records => engine.Records;

    public async Task InitializeAsync()
    {
        if (!engine.Metadata.Current.TryEntity("x_role", out _))
        {
            await engine.ChangeAsync(
                """
                [{"change":"add_field","entity":"deal","field":{"name":"x_partners","type":"many_to_many","label":"Partners","target":"company",
                  "link":{"name":"x_role","label":"Role","plural":"Roles","fields":[{"name":"role","type":"choice","choices":[{"name":"buyer","label":"Buyer"},{"name":"adviser","label":"Adviser"}]},{"name":"share","type":"decimal"}]},
                  "inverse":{"name":"x_deals","label":"Deals"}}},
                 {"change":"add_field","entity":"company","field":{"name":"x_friends","type":"many_to_many","label":"Friends","target":"company","link":{"name":"x_friend"},"inverse":{"name":"x_friend_of","label":"Friend of"}}}]
                """);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Links_are_given_with_the_record_and_replaced_by_a_new_list()
    {
        var (anna, bert, carl) = (await CompanyAsync("Anna"), await CompanyAsync("Bert"), await CompanyAsync("Carl"));
        var deal = await Records.SavedAsync(Values.Deal(("x_partners", new object?[] { anna.Id, Entry(bert, ("role", "Buyer"), ("share", 12.5m)) })));
        Assert.Null(deal["x_partners"]);
        Assert.Equal(["Anna", "Bert/buyer/12.5"], await PartnersAsync(deal));

        await Records.SavedAsync(Values.Update(deal, ("x_partners", new object?[] { bert.Id, carl.Id.ToString() })));
        Assert.Equal(["Bert/buyer/12.5", "Carl"], await PartnersAsync(deal));

        await Records.SavedAsync(Values.Update(deal, ("x_partners", null)));
        Assert.Empty(await PartnersAsync(deal));
    }

    [Fact]
    public async Task Linking_again_changes_nothing_and_a_link_keeps_what_is_not_named()
    {
        var (anna, deal) = (await CompanyAsync("Anna"), await Records.SavedAsync(Values.Deal()));
        await Records.SavedAsync(Values.Update(deal, ("x_partners", Add(Entry(anna, ("role", "buyer"), ("share", 5))))));
        await Records.SavedAsync(Values.Update(deal, ("x_partners", Add(anna.Id))));
        await Records.SavedAsync(Values.Update(anna, ("x_deals", Add(deal.Id, deal.Id))));
        await Records.SavedAsync(Values.Update(deal, ("x_partners", Add(Entry(anna, ("role", "adviser"))))));

        Assert.Equal(["Anna/adviser/5"], await PartnersAsync(deal));
        Assert.Equal(2, (await LinkHistoryAsync("x_role", deal)).Length);

        await Records.SavedAsync(Values.Update(deal, ("x_partners", Remove(anna.Id, Guid.CreateVersion7()))));
        Assert.Empty(await PartnersAsync(deal));
    }

    [Fact]
    public async Task Neither_record_gets_a_new_version_and_a_stale_one_is_still_refused()
    {
        var (anna, deal) = (await CompanyAsync("Anna"), await Records.SavedAsync(Values.Deal()));

        var linked = await Records.SavedAsync(Values.Update(deal, ("x_partners", Add(anna.Id))));
        Assert.Equal((deal.Version, anna.Version), (linked.Version, (await Records.FindAsync("company", anna.Id))!.Version));

        var named = await Records.SavedAsync(Values.Update(deal, ("title", "Other"), ("x_partners", Remove(anna.Id))));
        Assert.Equal(deal.Version + 1, named.Version);
        Assert.Equal(ErrorCodes.Conflict, (await Records.RefusedOnceAsync(Values.Update(deal, ("x_partners", Add(anna.Id))))).Code);
        Assert.Empty(await PartnersAsync(deal));
    }

    [Fact]
    public async Task Both_histories_name_who_was_linked_and_unlinked()
    {
        var (anna, bert, deal) = (await CompanyAsync("Anna"), await CompanyAsync("Bert"), await Records.SavedAsync(Values.Deal(("title", "Bridge"))));
        await Records.SavedAsync(Values.Update(deal, ("x_partners", new object?[] { Entry(anna, ("role", "buyer")), bert.Id })) with { Source = "form" });
        await Records.SavedAsync(Values.Update(deal, ("x_partners", new object?[] { Entry(anna, ("role", "adviser")) })));
        await Records.SavedAsync(Values.Update(anna, ("x_deals", Remove(deal.Id))));

        Assert.Equal(
            ["Anna (Adviser) → ", "Anna (Buyer) → Anna (Adviser)", "Bert → ", " → Anna (Buyer), Bert"],
            (await Records.HistoryAsync("deal", deal.Id)).SelectMany(h => h.Changes).Where(c => c.Field == "x_partners").Select(c => $"{c.Before} → {c.After}"));
        Assert.Equal(
            ["Bridge (Adviser) → ", "Bridge (Buyer) → Bridge (Adviser)", " → Bridge (Buyer)"],
            (await Records.HistoryAsync("company", anna.Id)).SelectMany(h => h.Changes).Where(c => c.Field == "x_deals").Select(c => $"{c.Before} → {c.After}"));
        Assert.Contains(await Records.HistoryAsync("company", bert.Id), h => h is { Source: "form", UserName: "Bob", Kind: ChangeKind.Update, Version: 1 } && h.Changes[0].Field == "x_deals");
        Assert.Equal(["x_deals"], await engine.ScalarAsync<string[]>($"SELECT fields FROM crm.outbox WHERE record_id = '{bert.Id}' ORDER BY id DESC LIMIT 1"));
    }

    [Fact]
    public async Task What_is_wrong_with_a_link_names_the_field_and_the_entry_and_nothing_is_saved()
    {
        var (anna, deal) = (await CompanyAsync("Anna"), await Records.SavedAsync(Values.Deal()));

        var gone = await Records.RefusedOnceAsync(Values.Update(deal, ("title", "Other"), ("x_partners", new object?[] { anna.Id, Guid.CreateVersion7() })));
        Assert.Equal(("x_partners", ErrorCodes.Unknown), (gone.Field, gone.Code));
        Assert.StartsWith("Partners, entry 2:", gone.Message, StringComparison.Ordinal);
        var wrong = await Records.RefusedAsync(Values.Update(deal, ("x_partners", new object?[] { Entry(anna, ("role", "king"), ("moon", 1)) })));
        Assert.Equal([("x_partners", ErrorCodes.UnknownField), ("x_partners", ErrorCodes.Unknown)], wrong.Select(e => (e.Field, e.Code)).OrderDescending());
        var unread = await Records.RefusedOnceAsync(Values.Update(deal, ("x_partners", new object?[] { anna.Id, "Anna" })));
        Assert.Equal(("x_partners", ErrorCodes.Type), (unread.Field, unread.Code));
        Assert.Equal(ErrorCodes.Type, (await Records.RefusedOnceAsync(Values.Update(deal, ("x_partners", 5)))).Code);
        Assert.Equal(ErrorCodes.Length, (await Records.RefusedOnceAsync(Values.Update(deal, ("x_partners", Enumerable.Range(0, 1001).Select(_ => Guid.CreateVersion7()).ToImmutableArray())))).Code);

        Assert.Empty(await PartnersAsync(deal));
        Assert.Equal("A deal", (await Records.FindAsync("deal", deal.Id))!["title"]);
    }

    [Fact]
    public async Task In_a_batch_only_the_change_with_the_bad_link_is_refused()
    {
        var (anna, bert) = (await CompanyAsync("Anna"), await CompanyAsync("Bert"));
        ImmutableArray<RecordChange> deals =
        [
            Values.Deal(("title", "One"), ("x_partners", new[] { anna.Id, bert.Id })),
            Values.Deal(("title", "Two"), ("x_partners", new[] { Guid.CreateVersion7() })),
            Values.Deal(("title", "Three"), ("x_partners", new[] { bert.Id })),
        ];

        var results = await Records.SaveManyAsync(deals, new SaveOptions(AllOrNothing: false));
        Assert.Equal([true, false, true], results.Select(r => r.Succeeded));
        Assert.Equal(["Anna", "Bert"], await PartnersAsync(results[0].Record!));
        Assert.Equal(["Bert"], await PartnersAsync(results[2].Record!));

        var none = await Records.SaveManyAsync([Values.Deal(("x_partners", new[] { anna.Id })) with { Id = deals[1].Id }, deals[1] with { Id = Guid.CreateVersion7() }], new SaveOptions());
        Assert.Equal([ErrorCodes.Batch, ErrorCodes.Unknown], none.Select(r => r.Errors[0].Code));
        Assert.Null(await Records.FindAsync("deal", deals[1].Id));
    }

    [Fact]
    public async Task Links_go_with_either_record_and_the_other_one_s_history_says_so()
    {
        var (anna, bert) = (await CompanyAsync("Anna"), await CompanyAsync("Bert"));
        var deal = await Records.SavedAsync(Values.Deal(("title", "Bridge"), ("x_partners", new[] { anna.Id, bert.Id })));
        await Records.SavedAsync(Values.Update(anna, ("x_friends", new[] { anna.Id, bert.Id })));

        await Records.SavedAsync(RecordChange.Delete("company", anna.Id));
        Assert.Equal(["Bert"], await PartnersAsync(deal));
        Assert.Contains((await Records.HistoryAsync("deal", deal.Id)).SelectMany(h => h.Changes), c => c is { Field: "x_partners", Before: "Anna", After: null });
        Assert.Equal(0, await engine.ScalarAsync<long>($"SELECT count(*) FROM records.x_friend WHERE company_id = '{anna.Id}'"));

        await Records.SavedAsync(RecordChange.Delete("deal", deal.Id));
        Assert.Contains((await Records.HistoryAsync("company", bert.Id)).SelectMany(h => h.Changes), c => c is { Field: "x_deals", Before: "Bridge", After: null });
    }

    [Fact]
    public async Task A_refused_deletion_keeps_the_links()
    {
        var anna = await CompanyAsync("Anna");
        var deal = await Records.SavedAsync(Values.Deal(("company", anna.Id), ("x_partners", new[] { anna.Id })));

        Assert.Equal(ErrorCodes.InUse, (await Records.RefusedOnceAsync(RecordChange.Delete("company", anna.Id))).Code);

        Assert.Equal(["Anna"], await PartnersAsync(deal));
    }

    [Fact]
    public async Task A_link_is_a_record_that_can_be_written_itself_but_not_twice()
    {
        var (anna, deal) = (await CompanyAsync("Anna"), await Records.SavedAsync(Values.Deal()));
        var link = RecordChange.Create("x_role", Values.Of(("deal", deal.Id), ("company", anna.Id), ("role", "buyer")));
        await Records.SavedAsync(link);

        Assert.Equal(["Anna/buyer"], await PartnersAsync(deal));
        Assert.Contains((await Records.HistoryAsync("deal", deal.Id)).SelectMany(h => h.Changes), c => c is { Field: "x_partners", After: "Anna (Buyer)" });
        var twice = await Records.RefusedOnceAsync(link with { Id = Guid.CreateVersion7() });
        Assert.Equal((ErrorCodes.Unique, "These two records are linked already."), (twice.Code, twice.Message));
    }

    [Fact]
    public async Task Whoever_may_not_write_one_side_may_not_link_it()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_watchers","type":"many_to_many","label":"Watchers","target":"user","link":{"name":"x_watch"}}}]""");
        var deal = await Records.SavedAsync(Values.Deal());
        var change = Values.Update(deal, ("x_watchers", new[] { Engine.Admin.UserId }));

        Assert.Equal(ErrorCodes.Access, (await Records.RefusedOnceAsync(change)).Code);
        Assert.Empty((await engine.With().As(Engine.Admin).SaveAsync(change)).Errors);
    }

    [Fact]
    public async Task Many_who_link_the_same_two_records_from_both_sides_end_with_one_link()
    {
        var (anna, deal) = (await CompanyAsync("Anna"), await Records.SavedAsync(Values.Deal()));

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => Records.SaveAsync(
            i % 2 == 0 ? RecordChange.Update("deal", deal.Id, Values.Of(("x_partners", Add(anna.Id)))) : RecordChange.Update("company", anna.Id, Values.Of(("x_deals", Add(deal.Id))))))));

        Assert.All(results, r => Assert.Empty(r.Errors));
        Assert.Equal(["Anna"], await PartnersAsync(deal));
    }

    [Fact]
    public async Task A_thousand_links_are_written_in_few_statements()
    {
        ImmutableArray<RecordChange> companies = [.. Enumerable.Range(0, 1000).Select(i => Values.Company($"C{i}"))];
        Assert.All(await Records.SaveManyAsync(companies, new SaveOptions()), r => Assert.Empty(r.Errors));

        var deal = await Records.SavedAsync(Values.Deal(("x_partners", companies.Select(c => c.Id).ToImmutableArray())));

        Assert.Equal(1000, await engine.ScalarAsync<long>($"SELECT count(*) FROM records.x_role WHERE deal_id = '{deal.Id}'"));
        Assert.Single(await Records.HistoryAsync("deal", deal.Id), h => h.Changes.Any(c => c.Field == "x_partners"));
        await Records.SavedAsync(RecordChange.Delete("deal", deal.Id));
        Assert.Equal(0, await engine.ScalarAsync<long>($"SELECT count(*) FROM records.x_role WHERE deal_id = '{deal.Id}'"));
    }

    [Fact]
    public async Task Records_are_found_by_what_they_are_linked_with()
    {
        var (anna, bert) = (await CompanyAsync("Anna of Find"), await CompanyAsync("Bert of Find"));
        await Records.SavedAsync(Values.Update(anna, ("x_friends", new[] { bert.Id })));
        var one = await Records.SavedAsync(Values.Deal(("title", "Find one"), ("company", anna.Id), ("x_partners", new object?[] { Entry(anna, ("role", "buyer")), bert.Id })));
        var two = await Records.SavedAsync(Values.Deal(("title", "Find two"), ("company", bert.Id), ("x_partners", new object?[] { Entry(bert, ("role", "buyer")) })));
        var none = await Records.SavedAsync(Values.Deal(("title", "Find none")));

        Assert.Equal([one.Id], await FindAsync(new Filter.Linked("x_partners", Filter.Equal("company.name", "Anna of Find"))));
        Assert.Equal([two.Id], await FindAsync(new Filter.Linked("x_partners", Filter.AllOf(Filter.Equal("company", bert.Id), Filter.Equal("role", "buyer")))));
        Assert.Equal([one.Id, two.Id], await FindAsync(new Filter.Linked("x_partners")));
        Assert.Equal([none.Id], await FindAsync(new Filter.Not(new Filter.Linked("x_partners"))));
        Assert.Equal([one.Id], await FindAsync(new Filter.Linked("company.x_friends", Filter.Equal("other_company.name", "Bert of Find"))));
        Assert.Equal([one.Id], await FindAsync(new Filter.Linked("x_partners", new Filter.Linked("company.x_friends", Filter.Equal("other_company.name", "Bert of Find")))));
        await Assert.ThrowsAsync<QueryException>(() => FindAsync(new Filter.Linked("title")));
        await Assert.ThrowsAsync<QueryException>(() => FindAsync(Filter.Equal("x_partners", null)));
        await Assert.ThrowsAsync<QueryException>(() => Records.AggregateAsync(new AggregateQuery { Entity = "deal", GroupBy = ["x_partners"] }));
        await Assert.ThrowsAsync<QueryException>(() => Records.QueryAsync(new RecordQuery { Entity = "deal", Sort = [new Sort("x_partners")] }));
        Assert.Null((await Records.QueryAsync(new RecordQuery { Entity = "deal", Select = ["x_partners"], Filter = Filter.Equal("id", one.Id) })).Records[0]["x_partners"]);

        async Task<IEnumerable<Guid>> FindAsync(Filter filter) => (await Records.QueryAsync(new RecordQuery
        {
            Entity = "deal",
            Filter = Filter.AllOf(new Filter.Compare("title", FilterOperator.StartsWith, "Find"), filter),
            Sort = [new Sort("created_at")],
        })).Records.Select(r => r.Id);
    }

    private static Dictionary<string, object?> Add(params object?[] entries) => new() { ["add"] = entries };

    private static Dictionary<string, object?> Remove(params object?[] entries) => new() { ["remove"] = entries };

    private static Dictionary<string, object?> Entry(Record record, params (string Name, object? Value)[] values) => Values.Of([("id", record.Id), .. values]);

    private Task<Record> CompanyAsync(string name) => Records.SavedAsync(Values.Company(name));

    private async Task<ImmutableArray<HistoryEntry>> LinkHistoryAsync(string entity, Record deal)
    {
        var links = await Records.QueryAsync(new RecordQuery { Entity = entity, Filter = Filter.Equal("deal", deal.Id) });
        return await Records.HistoryAsync(entity, Assert.Single(links.Records).Id);
    }

    private async Task<IEnumerable<string>> PartnersAsync(Record deal)
    {
        var links = await Records.QueryAsync(new RecordQuery { Entity = "x_role", Select = ["company.name", "role", "share"], Filter = Filter.Equal("deal", deal.Id), Sort = [new Sort("company.name")] });
        return links.Records.Select(r => string.Join('/', new[] { r["company.name"], r["role"], r["share"] is decimal share ? share.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture) : null }.OfType<string>()));
    }
}
