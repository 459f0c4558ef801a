using System.Collections.Frozen;
using Crm.Host.Pages;
using Crm.Host.Pages.Shell;
using Crm.Sdk;

namespace Crm.Host.Tests.Pages;

public sealed class NavigationModelTests
{
    [Fact]
    public void PLT_05_PLT_08_Areas_hold_their_sections_and_an_entity_may_be_in_several()
    {
        var model = NavigationModel.Of(Snapshot(Entity("company", new Placement("sales", "customers"), new Placement("marketing", "people"))), []);
        Assert.Equal(["sales", "marketing"], model.Areas.Select(a => a.Name));
        Assert.All(model.Areas, a => Assert.Equal("/e/company", a.Href));
    }

    [Fact]
    public void Pages_of_modules_stand_between_entities_by_their_order()
    {
        var model = NavigationModel.Of(
            Snapshot(Entity("company", new Placement("sales", "customers", 10)), Entity("contact", new Placement("sales", "customers", 30))),
            [new NavigationPage("Board", "view_kanban", "/m/sales/board", new Placement("sales", "customers", 20))]);
        Assert.Equal(["/e/company", "/m/sales/board", "/e/contact"], model.Areas[0].Sections[0].Items.Select(i => i.Href));
    }

    [Fact]
    public void An_entity_nobody_placed_is_reached_from_every_area()
    {
        var model = NavigationModel.Of(Snapshot(Entity("company", new Placement("sales", "customers"), new Placement("marketing", "people")), Entity("x_venue")), []);
        Assert.All(model.Areas, a => Assert.Contains(a.Sections[^1].Items, i => i.Href == "/e/x_venue"));
    }

    [Fact]
    public void Without_any_area_there_is_one_with_everything()
    {
        var model = NavigationModel.Of(Snapshot(Entity("x_venue"), Entity("x_lost", new Placement("no_such_area", "none"))), []);
        Assert.Equal(["/e/x_lost", "/e/x_venue"], Assert.Single(model.Areas).Sections.SelectMany(s => s.Items).Select(i => i.Href));
    }

    [Fact]
    public void Hidden_entities_and_empty_areas_are_not_shown() =>
        Assert.Empty(NavigationModel.Of(Snapshot(Entity("company", new Placement("sales", "customers")) with { IsHidden = true }), []).Areas);

    [Fact]
    public void A_page_in_several_areas_leaves_the_current_one_alone()
    {
        var model = NavigationModel.Of(Snapshot(Entity("company", new Placement("sales", "customers"), new Placement("marketing", "people")), Entity("deal", new Placement("sales", "customers"))), []);
        Assert.Equal("marketing", model.AreaOf("/e/company", "marketing")?.Name);
        Assert.Equal("marketing", model.AreaOf("/admin/designer", "marketing")?.Name);
        Assert.Equal("sales", model.AreaOf("/e/deal/new", "marketing")?.Name);
        Assert.Equal("sales", model.AreaOf("/", null)?.Name);
    }

    [Fact]
    public void The_start_page_shows_everything_once()
    {
        var model = NavigationModel.Of(Snapshot(Entity("company", new Placement("sales", "customers"), new Placement("marketing", "people"))), []);
        Assert.Equal(["/e/company"], HomeFigures.Groups(model).SelectMany(g => g.Items).Select(i => i.Href));
    }

    private static EntityDefinition Entity(string name, params Placement[] placements) =>
        new() { Name = name, Origin = Origins.Custom, Label = name, PluralLabel = name, SetName = name + "s", Placements = [.. placements] };

    private static MetadataSnapshot Snapshot(params EntityDefinition[] entities) => new(
        1,
        entities.ToFrozenDictionary(e => e.Name),
        [
            new AreaDefinition("sales", "Sales", 10, null, [new SectionDefinition("customers", "Customers", 10)], "sales"),
            new AreaDefinition("marketing", "Marketing", 20, null, [new SectionDefinition("people", "People", 10)], "marketing"),
        ]);
}
