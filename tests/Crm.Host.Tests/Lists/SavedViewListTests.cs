using Crm.Host.Tests.Pages;
using Crm.Sdk;
using Crm.Sdk.Web;

namespace Crm.Host.Tests.Lists;

/// <summary>What a list shows of a view that was saved, and of one of the entity.</summary>
public sealed class SavedViewListTests
{
    private static readonly Filter Small = new Filter.Compare("size", FilterOperator.Less, 10L);
    private static readonly Filter Named = new Filter.Compare("name", FilterOperator.Contains, "a");

    private static readonly EntityDefinition Deal = Definitions.Entity("deal", Definitions.Field("name", Fields.Text), Definitions.Field("size", Fields.Integer)) with
    {
        Views = [new ViewDefinition("small", "Small", ["name"], Small, [new Sort("name")])],
    };

    private static readonly GridLoader Loader = new(null!, Definitions.Snapshot(Deal), Deal)
    {
        Saved = [new ViewDefinition("mine", "Mine", ["name", "gone"], Named, [new Sort("gone"), new Sort("size")])],
    };

    [Fact]
    public void What_is_found_stands_beside_the_filter_of_a_view_of_the_entity()
    {
        var state = Loader.WithFind(new GridState { View = "small" }, Named);
        Assert.Equal(Named, Loader.Find(state));
        Assert.Equal(Filter.AllOf(Small, Named), Loader.Query(state, null).Filter);
        Assert.Equal(Filter.AllOf(Small, Named), Loader.Shown(state).Filter);
        Assert.Null(Loader.Find(Loader.WithFind(state, null)));
    }

    [Fact]
    public void PLT_17_The_filter_of_a_saved_view_is_the_users_to_change()
    {
        var state = new GridState { View = "mine" };
        Assert.Equal(Named, Loader.Find(state));
        Assert.Equal(Small, Loader.Query(Loader.WithFind(state, Small), null).Filter);
        var cleared = Loader.WithFind(state, null);
        Assert.Null(Loader.Find(cleared));
        Assert.Null(Loader.Query(cleared, null).Filter);
        Assert.Equal(state, Loader.WithFind(cleared, Named));
    }

    [Fact]
    public void A_saved_view_is_shown_without_what_is_gone()
    {
        var state = new GridState { View = "mine" };
        Assert.Equal(["name"], Loader.Columns(Loader.View(state)).Select(c => c.Path));
        Assert.Equal([new Sort("size")], Loader.Order(state).AsEnumerable());
    }
}
