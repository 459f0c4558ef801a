using Crm.Records.Bin;
using Crm.Records.Files;
using Crm.Records.Tests.Access;
using Crm.Sdk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Bin;

public sealed class RecycleBinTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>, IAsyncLifetime
{
    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    private RecycleBin Bin => new(firm.Engine.With());

    public async Task InitializeAsync()
    {
        await firm.ResetAsync();
        if (!firm.Engine.Metadata.Current.TryEntity("x_role", out _))
        {
            await firm.Engine.ChangeAsync(
                """
                [{"change":"add_field","entity":"deal","field":{"name":"x_partners","type":"many_to_many","label":"Partners","target":"company","link":{"name":"x_role","label":"Role","plural":"Roles"},"inverse":{"name":"x_deals","label":"Deals"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_file","type":"file","label":"File"}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_labels","type":"tags","label":"Labels"}},
                 {"change":"add_field","entity":"company","field":{"name":"x_total","type":"roll_up","result":"decimal","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"budget"}}}]
                """);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_record_comes_back_as_it_was_with_its_links_its_number_and_the_roll_ups_of_others()
    {
        var (acme, partner) = (await CompanyAsync("Acme"), await CompanyAsync("Partner"));
        var file = await new FileStore(firm.Engine.Database, new BehaviorSource()).StoreAsync("offer.txt", "text/plain", new byte[] { 1, 2 }, Engine.Admin);
        var deal = await Admin.SavedAsync(Values.Deal(
            ("title", "Comes back"), ("company", acme), ("budget", 100m), ("stage", "offer"), ("tags", "a"), ("x_labels", "hot"), ("due", "2026-12-24"), ("x_file", file), ("x_partners", new object?[] { partner })));
        deal = await Admin.SavedAsync(Values.Update(deal, ("notes", "Second version")));
        deal = (await Admin.FindAsync("deal", deal.Id))!;
        await Admin.SavedAsync(RecordChange.Delete("deal", deal.Id) with { Source = "form" });
        Assert.Equal(0m, (await Admin.FindAsync("company", acme))!["x_total"]);
        Assert.Equal(0, await LinksAsync(deal.Id));

        var row = Assert.Single((await Bin.ListAsync(Engine.Admin, new BinQuery { Entity = "deal", Search = "comes" })).Records);
        Assert.Equal((deal.Id, "deal", "Comes back", "Ada", "form", 0L), (row.Id, row.Entity, row.Title, row.DeletedByName, row.Source, row.Children));
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [deal.Id])).Errors);

        var back = (await Admin.FindAsync("deal", deal.Id))!;
        foreach (var field in firm.Engine.Metadata.Current.Entity("deal").Fields.Where(f => f.Name is not ("version" or "modified_at" or "modified_by")))
        {
            Assert.True(field.Type.AreEqual(deal[field.Name], back[field.Name]), field.Name);
        }

        Assert.Equal(4L, back.Version);
        Assert.Equal(100m, (await Admin.FindAsync("company", acme))!["x_total"]);
        Assert.Equal(1, await LinksAsync(deal.Id));
        Assert.Equal(["restore", "form", "api", "api"], (await Admin.HistoryAsync("deal", deal.Id)).Where(h => !h.Changes.All(c => c.Field == "x_partners")).Select(h => h.Source));
        Assert.Empty((await Bin.ListAsync(Engine.Admin, new BinQuery { Entity = "deal", Search = "comes" })).Records);

        // Once restored it can be deleted again, and a link somebody took away before stays away.
        await Admin.SavedAsync(Values.Update(back, ("x_partners", null)));
        await Admin.SavedAsync(RecordChange.Delete("deal", deal.Id));
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [deal.Id])).Errors);
        Assert.Equal(0, await LinksAsync(deal.Id));
    }

    [Fact]
    public async Task A_record_comes_back_with_the_children_that_were_deleted_before_it()
    {
        var acme = await CompanyAsync("Parent");
        var below = await CompanyAsync("Below", ("parent", acme));
        var deals = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            deals.Add((await Admin.SavedAsync(Values.Deal(("company", i < 2 ? acme : below), ("budget", 10m)))).Id);
        }

        foreach (var deal in deals)
        {
            await Admin.SavedAsync(RecordChange.Delete("deal", deal));
        }

        await Admin.SavedAsync(RecordChange.Delete("company", below));
        await Admin.SavedAsync(RecordChange.Delete("company", acme));
        Assert.Equal(3L, Assert.Single((await Bin.ListAsync(Engine.Admin, new BinQuery { Entity = "company", Search = "Parent" })).Records).Children);

        // A child alone has nothing to point to, and its field says so.
        Assert.Equal("company", Assert.Single(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [deals[0]])).Errors).Field);
        var verdicts = await Bin.RestoreAsync(Engine.Admin, [acme], withChildren: true);
        Assert.All(verdicts, v => Assert.Empty(v.Errors));
        Assert.Equal([acme, below, .. deals], verdicts.Select(v => v.Id).OrderBy(id => id == acme ? 0 : id == below ? 1 : 2).ThenBy(id => deals.IndexOf(id)));
        Assert.Equal(20m, (await Admin.FindAsync("company", acme))!["x_total"]);
    }

    [Fact]
    public async Task A_value_somebody_else_has_by_now_keeps_a_record_in_the_bin_and_the_field_is_named()
    {
        var first = await CompanyAsync("First", ("code", "SAME"));
        await Admin.SavedAsync(RecordChange.Delete("company", first));
        var second = await CompanyAsync("Second", ("code", "SAME"));
        var other = await CompanyAsync("Other");
        await Admin.SavedAsync(RecordChange.Delete("company", other));

        var verdicts = (await Bin.RestoreAsync(Engine.Admin, [first, other])).ToDictionary(v => v.Id, v => v.Errors);
        Assert.Equal(("code", ErrorCodes.Unique), (Assert.Single(verdicts[first]).Field, verdicts[first][0].Code));
        Assert.Empty(verdicts[other]);
        await Admin.SavedAsync(RecordChange.Delete("company", second));
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [first])).Errors);
        Assert.Equal(ErrorCodes.NotFound, Assert.Single(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [first])).Errors).Code);
    }

    [Theory]
    [InlineData("""{"name":"everyone","read":"own"}""", false)]
    [InlineData("""{"name":"everyone","read":"none"}""", false)]
    [InlineData("""{"name":"everyone","delete":"own"}""", false)]
    [InlineData("""{"name":"everyone","create":"none"}""", false)]
    [InlineData("""{"name":"everyone","read":"all","delete":"all"}""", true)]
    public async Task Only_who_may_read_delete_and_create_sees_a_deleted_record(string grant, bool sees)
    {
        await firm.GrantAsync("company", grant);
        var company = await CompanyAsync("Seen by few");
        await Admin.SavedAsync(RecordChange.Delete("company", company));
        Assert.Equal(sees, (await Bin.ListAsync(Engine.User, new BinQuery { Search = "seen by few" })).Records.Any(r => r.Id == company));
        var verdict = Assert.Single(await Bin.RestoreAsync(Engine.User, [company]));
        Assert.Equal((sees, sees ? "company" : null), (verdict.Errors.IsEmpty, verdict.Entity));
        Assert.Equal(0, await Bin.PurgeAsync(Engine.User, [company]));
    }

    [Fact]
    public async Task A_restricted_record_stays_hidden_in_the_bin_and_fields_that_may_not_be_read_come_back_too()
    {
        var company = await CompanyAsync("Kept apart", ("country", "DE"));
        await new RecordSharing(firm.Engine.With()).SaveAsync(Engine.Admin, "company", company, new Sharing(true, []));
        await Admin.SavedAsync(RecordChange.Delete("company", company));
        Assert.DoesNotContain((await Bin.ListAsync(Engine.User, new BinQuery { Entity = "company" })).Records, r => r.Id == company);
        Assert.Null(Assert.Single(await Bin.RestoreAsync(Engine.User, [company])).Entity);
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [company])).Errors);
        Assert.Null(await firm.Bob.FindAsync("company", company));

        var open = await CompanyAsync("Nobody knows where", ("country", "DE"));
        await Admin.SavedAsync(RecordChange.Delete("company", open));
        await firm.GrantAsync("company", """{"name":"everyone","fields":[{"name":"country","access":"none"},{"name":"name","access":"none"}]}""");
        Assert.Equal("", (await Bin.ListAsync(Engine.User, new BinQuery { Entity = "company" })).Records.Single(r => r.Id == open).Title);
        Assert.Empty((await Bin.ListAsync(Engine.User, new BinQuery { Entity = "company", Search = "Nobody knows" })).Records);
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.User, [open])).Errors);
        Assert.Equal("DE", (await Admin.FindAsync("company", open))!["country"]);
    }

    [Fact]
    public async Task What_is_deleted_for_good_leaves_no_values_and_what_is_old_goes_by_itself()
    {
        var files = new FileStore(firm.Engine.Database, new BehaviorSource());
        var (own, shared) = (await files.StoreAsync("own.txt", null, new byte[] { 1 }, Engine.Admin), await files.StoreAsync("shared.txt", null, new byte[] { 2 }, Engine.Admin));
        var first = await Admin.SavedAsync(Values.Deal(("title", "For good"), ("notes", "Secret"), ("x_file", own)));
        var second = await Admin.SavedAsync(Values.Deal(("title", "For good too"), ("x_file", shared)));
        await Admin.SavedAsync(Values.Deal(("title", "Stays"), ("x_file", shared)));
        foreach (var deal in new[] { first, second })
        {
            await Admin.SavedAsync(RecordChange.Delete("deal", deal.Id));
        }

        Assert.Equal(1, await Bin.PurgeAsync(Engine.Admin, [first.Id]));
        Assert.Null(await files.ReadAsync(own.Id));
        Assert.Equal([ChangeKind.Delete, ChangeKind.Create], (await Admin.HistoryAsync("deal", first.Id)).Select(h => h.Kind));
        Assert.All(await Admin.HistoryAsync("deal", first.Id), h => Assert.Empty(h.Changes));
        Assert.Equal(ErrorCodes.NotFound, Assert.Single(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [first.Id])).Errors).Code);

        var end = new BinEnd(firm.Engine.With(), NullLogger<BinEnd>.Instance);
        await firm.Engine.ExecuteAsync($"UPDATE crm.bin SET deleted_at = now() - interval '10 days' WHERE id = '{second.Id}'");
        foreach (var (days, purged) in new[] { (0, 0), (11, 0), (9, 1) })
        {
            await Bin.SetKeepDaysAsync(days);
            Assert.Equal((days, purged), (await Bin.KeepDaysAsync(), await end.PurgeDueAsync()));
        }

        await Bin.SetKeepDaysAsync(90);
        Assert.NotNull(await files.ReadAsync(shared.Id));
    }

    [Fact]
    public async Task The_bin_is_read_page_by_page()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await CompanyAsync($"Paged {i}"));
            await Admin.SavedAsync(RecordChange.Delete("company", ids[i]));
        }

        var (found, after) = (new List<Guid>(), (string?)null);
        do
        {
            var page = await Bin.ListAsync(Engine.Admin, new BinQuery { Search = "PAGED", Top = 2, After = after });
            found.AddRange(page.Records.Select(r => r.Id));
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(Enumerable.Reverse(ids), found);
        await Assert.ThrowsAsync<QueryException>(() => Bin.ListAsync(Engine.Admin, new BinQuery { After = "nowhere" }));
    }

    private async Task<Guid> CompanyAsync(string name, params (string Name, object? Value)[] values) => (await Admin.SavedAsync(Values.Company(name, values))).Id;

    private Task<int> LinksAsync(Guid deal) => firm.Engine.ScalarAsync<int>($"SELECT count(*)::int FROM records.x_role WHERE deal_id = '{deal}'");
}
