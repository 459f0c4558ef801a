using System.Text.Json;
using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Lists that users saved: whose they are, and what becomes of them when definitions change.</summary>
public sealed class SavedViewTests : NodeTests
{
    private static readonly Actor Bob = new(Guid.CreateVersion7(), "Bob", IsAdministrator: false);

    private static readonly Actor Eve = new(Guid.CreateVersion7(), "Eve", IsAdministrator: false);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape())).Errors);
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape())).Errors);
        Assert.Empty((await node.ChangeAsync(
            """
            [{"change":"add_field","entity":"company","field":{"name":"x_area","type":"text"}},
             {"change":"create_entity","name":"x_visit","fields":[{"name":"title","type":"text"},{"name":"about","type":"lookup","target":"company"}]}]
            """)).Errors);
    }

    [Fact]
    public async Task PLT_17_A_view_is_seen_and_changed_by_its_owner_and_a_shared_one_by_everybody_and_administrators()
    {
        var own = View(Bob, "Mine", Filter.AllOf(new Filter.Mine("owner"), new Filter.During("created_at", Period.LastDays, 7)));
        var shared = View(Node.Admin, "Retail", Filter.Equal("sector", "retail")) with { IsShared = true };
        Assert.Empty(await node.Views.SaveAsync(own, Bob));
        Assert.Empty(await node.Views.SaveAsync(shared, Node.Admin));
        Assert.Empty(await node.Views.SaveAsync(View(Eve, "Mine"), Eve));

        var seen = await node.Views.ListAsync("company", Bob);
        Assert.Equal(["Retail", "Mine"], seen.Views.Select(v => v.Name));
        Assert.Equal(own.Filter, seen.Views[1].Filter);
        Assert.Equal(own.Columns.AsEnumerable(), seen.Views[1].Columns);
        Assert.Equal(own.Sort.AsEnumerable(), seen.Views[1].Sort);
        Assert.Null(seen.Default);
        Assert.Null(await node.Views.FindAsync(own.Id, Eve));
        Assert.Equal(own.Filter, (await node.Views.FindAsync(own.Id, Bob))?.Filter);

        Assert.Equal(ErrorCodes.Access, Assert.Single(await node.Views.SaveAsync(own with { Owner = Eve.UserId, Name = "Stolen" }, Eve)).Code);
        Assert.Equal(ErrorCodes.Access, Assert.Single(await node.Views.SaveAsync(shared with { IsShared = false, Owner = Bob.UserId }, Bob)).Code);
        Assert.Equal(ErrorCodes.Access, Assert.Single(await node.Views.SaveAsync(own with { IsShared = true }, Bob)).Code);
        Assert.False(await node.Views.DeleteAsync(own.Id, Eve));
        Assert.False(await node.Views.DeleteAsync(shared.Id, Bob));
        Assert.Equal(ErrorCodes.Unique, Assert.Single(await node.Views.SaveAsync(View(Bob, "mine"), Bob)).Code);

        Assert.Empty(await node.Views.SaveAsync(own with { Name = "Newest", Filter = null }, Bob));
        await node.Views.SetDefaultAsync("company", own.Definition.Name, Bob);
        seen = await node.Views.ListAsync("company", Bob);
        Assert.Equal("Newest", seen.Views.Single(v => v.Definition.Name == seen.Default).Name);
        Assert.Null((await node.Views.ListAsync("company", Eve)).Default);
        await node.Views.SetDefaultAsync("company", null, Bob);
        Assert.True(await node.Views.DeleteAsync(own.Id, Bob));
        Assert.True(await node.Views.DeleteAsync(shared.Id, Node.Admin));
        Assert.Empty((await node.Views.ListAsync("company", Bob)).Views);
    }

    [Fact]
    public async Task What_makes_no_view_is_refused_with_every_reason()
    {
        async Task Refuses(SavedView view, params string[] codes) => Assert.Equal(codes.Order(), (await node.Views.SaveAsync(view, Bob)).Select(p => p.Code).Order());
        await Refuses(View(Bob, "x") with { Entity = "nothing" }, ErrorCodes.UnknownEntity);
        await Refuses(View(Bob, "x") with { Columns = [] }, ErrorCodes.Required);
        await Refuses(View(Bob, "x", Filter.Equal("nothing", 1)) with { Columns = ["name", "gone"], Sort = [new Sort("gone")] }, ErrorCodes.UnknownField, ErrorCodes.UnknownField, ErrorCodes.UnknownField);
        await Refuses(View(Bob, "x", new Filter.Mine("name")), PlanCodes.Layout);
        await Refuses(View(Bob, "x", new Filter.During("name", Period.Today)), PlanCodes.Layout);
        await Refuses(View(Bob, "x", new Filter.Related("opportunity", "title")), ErrorCodes.UnknownField);
        Assert.Contains(ErrorCodes.Length, (await node.Views.SaveAsync(View(Bob, new string('x', 101)), Bob)).Select(p => p.Code));
    }

    [Fact]
    public async Task Plans_name_shared_views_that_use_a_field_and_only_count_personal_ones()
    {
        var filter = new Filter.Related("x_visit", "about", Filter.Equal("about.x_area", "north"));
        Assert.Empty(await node.Views.SaveAsync(View(Node.Admin, "North", filter) with { IsShared = true }, Node.Admin));
        Assert.Empty(await node.Views.SaveAsync(View(Bob, "Bob’s secret") with { Columns = ["name", "x_area"] }, Bob));
        Assert.Empty(await node.Views.SaveAsync(View(Eve, "Eve’s secret") with { Sort = [new Sort("x_area")] }, Eve));
        Assert.Empty(await node.Views.SaveAsync(View(Eve, "Other"), Eve));
        Assert.Empty(await node.Views.SaveAsync(View(Eve, "Deals") with { Entity = "opportunity", Columns = ["title", "company.x_area"], Sort = [] }, Eve));

        foreach (var change in new[] { "hide_field\",\"entity\":\"company\",\"field\":\"x_area", "rename_field\",\"entity\":\"company\",\"field\":\"x_area\",\"to\":\"x_region" })
        {
            var plan = await node.Editor.PlanAsync(Samples.Read($$"""[{"change":"{{change}}"}]"""), Node.Admin);
            var uses = plan.Uses.Where(u => u.Kind == "saved_view").Select(u => u.Text).ToList();
            Assert.Equal(["Saved view “North” of Companies", "Personal views of Companies: 2", "Personal views of Opportunities: 1"], uses);
            Assert.DoesNotContain(plan.Uses, u => u.ToString().Contains("secret", StringComparison.Ordinal));
        }

        var entity = await node.Editor.PlanAsync(Samples.Read("""[{"change":"hide_entity","entity":"x_visit"}]"""), Node.Admin);
        Assert.Contains(entity.Uses, u => u is { Kind: "saved_view", Of: "x_visit" });
    }

    [Fact]
    public async Task Saved_views_mean_a_renamed_field_and_name_one_that_is_hidden()
    {
        var filter = Filter.AllOf(new Filter.Not(Filter.Equal("x_area", "north")), new Filter.Related("x_visit", "about", Filter.AnyOf(Filter.Equal("about.x_area", "south"), new Filter.During("about.created_at", Period.Today))));
        var view = View(Bob, "Areas", filter) with { Columns = ["name", "x_area", "parent.x_area"], Sort = [new Sort("x_area", Descending: true)] };
        Assert.Empty(await node.Views.SaveAsync(view, Bob));

        Assert.Empty((await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_area","to":"x_region"},{"change":"rename_field","entity":"x_visit","field":"about","to":"company"}]""")).Errors);
        var renamed = Assert.Single((await node.Views.ListAsync("company", Bob)).Views);
        Assert.Equal(["name", "x_region", "parent.x_region"], renamed.Columns.AsEnumerable());
        Assert.Equal([new Sort("x_region", Descending: true)], renamed.Sort.AsEnumerable());
        Assert.Equal(
            Filter.AllOf(new Filter.Not(Filter.Equal("x_region", "north")), new Filter.Related("x_visit", "company", Filter.AnyOf(Filter.Equal("company.x_region", "south"), new Filter.During("company.created_at", Period.Today)))),
            renamed.Filter);
        Assert.Empty(SavedViews.Holes(node.Store.Current, node.Store.Current.Entity("company"), renamed.Definition));

        Assert.Empty((await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_region"}]""")).Errors);
        var holes = SavedViews.Holes(node.Store.Current, node.Store.Current.Entity("company"), renamed.Definition);
        Assert.Equal(["company.x_region", "parent.x_region", "x_region"], holes.Select(h => h.Path).Order(StringComparer.Ordinal));
        Assert.All(holes, h => Assert.Equal("company", h.Entity));
    }

    [Fact]
    public async Task Columns_are_chosen_by_each_user_for_a_view_and_follow_a_new_name()
    {
        var company = node.Store.Current.Entity("company");
        var shown = company.Views[0];
        Assert.Empty(await node.Views.SetColumnsAsync(company, shown with { Columns = ["x_area", "name", "parent.x_area"] }, Bob));
        Assert.Empty((await node.Views.ListAsync("company", Eve)).Columns);
        Assert.Equal(["x_area", "name", "parent.x_area"], (await node.Views.ListAsync("company", Bob)).Columns[shown.Name].AsEnumerable());
        Assert.Equal(ErrorCodes.UnknownField, Assert.Single(await node.Views.SetColumnsAsync(company, shown with { Columns = ["gone"] }, Bob)).Code);

        Assert.Empty((await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_area","to":"x_region"}]""")).Errors);
        Assert.Equal(["x_region", "name", "parent.x_region"], (await node.Views.ListAsync("company", Bob)).Columns[shown.Name].AsEnumerable());
        Assert.Empty(await node.Views.SetColumnsAsync(company, shown with { Columns = [] }, Bob));
        Assert.Empty((await node.Views.ListAsync("company", Bob)).Columns);
    }

    [Fact]
    public async Task Views_of_an_entity_go_with_it()
    {
        Assert.Empty(await node.Views.SetColumnsAsync(node.Store.Current.Entity("x_visit"), node.Store.Current.Entity("x_visit").Views[0] with { Columns = ["title"] }, Bob));
        Assert.Empty(await node.Views.SaveAsync(View(Bob, "Visits") with { Entity = "x_visit", Columns = ["title"], Sort = [] }, Bob));
        await node.Views.SetDefaultAsync("x_visit", "all", Bob);
        Assert.Empty((await node.ChangeAsync("""[{"change":"hide_entity","entity":"x_visit"},{"change":"purge_entity","entity":"x_visit"}]""", "x_visit")).Errors);
        var left = await node.Views.ListAsync("x_visit", Bob);
        Assert.Empty(left.Views);
        Assert.Null(left.Default);
        Assert.Empty(left.Columns);
    }

    [Fact]
    public void A_view_is_read_as_it_is_written_and_what_is_not_said_stays()
    {
        var view = View(Bob, "Mine", new Filter.Mine("owner"));
        using var written = JsonDocument.Parse(SavedViewJson.Write(view).ToJsonString());
        var (read, errors) = SavedViewJson.Read(written.RootElement, View(Bob, "Kept") with { Columns = ["website"] }, isNew: false);
        Assert.Empty(errors);
        Assert.Equal(("Kept", view.Filter), (read.Name, read.Filter));
        Assert.Equal(view.Columns.AsEnumerable(), read.Columns);

        using var cleared = JsonDocument.Parse("""{"filter":null,"sort":[]}""");
        (read, errors) = SavedViewJson.Read(cleared.RootElement, view, isNew: false);
        Assert.Empty(errors);
        Assert.Null(read.Filter);
        Assert.Empty(read.Sort);
        using var wrong = JsonDocument.Parse("""{"name":5,"shared":"yes","select":"name","filter":{"path":1},"more":1}""");
        Assert.Equal(5, SavedViewJson.Read(wrong.RootElement, view, isNew: true).Errors.DistinctBy(e => e.Target).Count(e => e.Target != "entity"));
    }

    private static SavedView View(Actor owner, string name, Filter? filter = null) =>
        new(Guid.CreateVersion7(), "company", name, IsShared: false, owner.UserId, ["name", "sector"], filter, [new Sort("name"), new Sort("created_at", Descending: true)]);
}
