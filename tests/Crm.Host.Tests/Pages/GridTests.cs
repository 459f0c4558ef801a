using Crm.Sdk;
using Crm.Sdk.Web;
using static Crm.Host.Tests.Pages.Definitions;

namespace Crm.Host.Tests.Pages;

public sealed class GridTests
{
    private static readonly FieldDefinition Name = Field("name", Fields.Text);
    private static readonly EntityDefinition Company = Entity("company", Name, Field("country", Fields.Text), Field("parent", Fields.LookupType, "company"));
    private static readonly EntityDefinition User = Entity("user", Name);
    private static readonly EntityDefinition Deal = Entity("deal", Name, Field("company", Fields.LookupType, "company"), Field("budget", Fields.Money), Field("owner", Fields.Owner), Field("secret", Fields.Text) with { IsHidden = true });
    private static readonly EntityDefinition Team = Entity("team", Name, Field("lead", Fields.User));
    private static readonly MetadataSnapshot Metadata = Snapshot(Company, User, Team, Deal);

    [Fact]
    public void A_lookup_is_shown_by_the_name_of_what_it_points_to_and_sorted_by_it()
    {
        var column = Assert.Single(GridColumn.Of(Metadata, Deal, ["company"]));
        Assert.Equal(["company", "company.name"], column.Selected);
        Assert.Equal("company.name", column.SortPath);
        Assert.Equal("company", column.ReferenceEntity);
        Assert.Equal(column with { Path = "company" }, Assert.Single(GridColumn.Of(Metadata, Deal, ["company.name"])) with { Path = "company", TitlePaths = column.TitlePaths });
    }

    [Fact]
    public void PLT_37_An_owner_is_shown_by_the_name_of_the_user_or_the_team()
    {
        var column = Assert.Single(GridColumn.Of(Metadata, Deal, ["owner"]));
        Assert.Equal(["owner", "owner_user.name", "owner_team.name"], column.Selected);
        Assert.Equal("user", column.ReferenceEntity);
        Assert.Equal(("Ada", "user"), (column.TitleOf(Owned("owner_user.name", "Ada")), column.EntityOf(Owned("owner_user.name", "Ada"))));
        Assert.Equal(("West", "team"), (column.TitleOf(Owned("owner_team.name", "West")), column.EntityOf(Owned("owner_team.name", "West"))));
        Assert.Equal(column.Selected, Assert.Single(GridColumn.Of(Metadata, Deal, ["owner.name"])).Selected);
        // What is asked of the team is asked of the team.
        Assert.Equal(["owner_team.name"], Assert.Single(GridColumn.Of(Metadata, Deal, ["owner_team.name"])).Selected);
        Assert.Equal(["owner_team.lead", "owner_team.lead_user.name"], Assert.Single(GridColumn.Of(Metadata, Deal, ["owner_team.lead"])).Selected);

        static Sdk.Record Owned(string path, string name) => new("deal", Guid.CreateVersion7(), 1, new Dictionary<string, object?> { [path] = name });
    }

    [Fact]
    public void A_path_through_lookups_says_through_which()
    {
        var column = Assert.Single(GridColumn.Of(Metadata, Deal, ["company.country"]));
        Assert.Equal("company · country", column.Label);
        Assert.Null(column.ReferencePath);
    }

    [Fact]
    public void Paths_that_lead_nowhere_and_hidden_fields_are_left_out() =>
        Assert.Equal(["name"], GridColumn.Of(Metadata, Deal, ["gone", "secret", "name", "company.gone", "name.country"]).Select(c => c.Path));

    [Fact]
    public void The_record_is_opened_by_its_name_wherever_that_stands()
    {
        Assert.Equal([false, true], GridColumn.Of(Metadata, Deal, ["budget", "name"]).Select(c => c.OpensRecord));
        Assert.Equal([true, false], GridColumn.Of(Metadata, Deal, ["budget", "owner"]).Select(c => c.OpensRecord));
        Assert.Equal(["name"], GridColumn.Of(Metadata, Deal, []).Select(c => c.Path));
    }

    [Fact]
    public void A_state_survives_the_way_through_the_address()
    {
        var state = new GridState { View = "won", Search = "a & b", Sort = [new Sort("name"), new Sort("budget", Descending: true)], Page = 3, PageSize = 100 };
        var written = state.Write();
        Assert.Equal(state, GridState.Read((string?)written["view"], (string?)written["search"], (string?)written["sort"], 3, 100));
        Assert.All(new GridState().Write().Values, Assert.Null);
    }

    [Theory]
    [InlineData(null, -5, 7)]
    [InlineData(",,-,", 0, 100000)]
    public void An_address_that_makes_no_sense_gives_the_usual_list(string? sort, int page, int size) =>
        Assert.Equal(new GridState(), GridState.Read("", null, sort, page, size));

    [Fact]
    public void PLT_24_Pressing_headings_builds_an_order_of_several_columns()
    {
        var one = new GridState().SortedBy("city", [new Sort("name")], further: false);
        Assert.Equal([new Sort("city")], one.Sort.AsEnumerable());
        var two = one.SortedBy("name", one.Sort, further: true);
        Assert.Equal([new Sort("city"), new Sort("name")], two.Sort.AsEnumerable());
        var turned = two.SortedBy("city", two.Sort, further: true);
        Assert.Equal([new Sort("city", Descending: true), new Sort("name")], turned.Sort.AsEnumerable());
        Assert.Equal([new Sort("name")], turned.SortedBy("city", turned.Sort, further: true).Sort.AsEnumerable());
    }
}
