using Crm.Sdk;
using Crm.Sdk.Web;
using static Crm.Host.Tests.Pages.Definitions;

namespace Crm.Host.Tests.Lists;

public sealed class GridEntitiesTests
{
    private static readonly EntityDefinition User = Entity("user", Field("name", Fields.Text));
    private static readonly EntityDefinition Company = Entity("company", Field("name", Fields.Text), Field("owner", Fields.Owner, "user"));
    private static readonly EntityDefinition Contact = Entity("contact", Field("name", Fields.Text));
    private static readonly EntityDefinition Seat = Entity("seat", Field("deal", Fields.LookupType, "deal"), Field("contact", Fields.LookupType, "contact"), Field("by", Fields.LookupType, "company"));

    private static readonly EntityDefinition Deal = Entity(
        "deal", Field("name", Fields.Text), Field("company", Fields.LookupType, "company"), Field("people", Fields.ManyToMany, "contact") with { Link = new LinkView("seat", "deal", "contact") });

    private static readonly MetadataSnapshot Metadata = Snapshot(User, Company, Contact, Seat, Deal);

    public static TheoryData<Filter?, string> Filters => new()
    {
        { null, "" },
        { new Filter.Compare("name", FilterOperator.Equal, "a"), "" },
        { new Filter.Compare("gone.name", FilterOperator.Equal, "a"), "" },
        { new Filter.Compare("company.name", FilterOperator.Equal, "a"), "company" },
        { new Filter.In("company", []), "company" },
        { new Filter.During("company.created_at", Period.Today), "" },
        { new Filter.Mine("company.owner"), "company user" },
        { new Filter.Not(new Filter.In("company.name", ["a"])), "company" },
        { Filter.AnyOf(new Filter.Mine("gone"), new Filter.Linked("people")), "contact seat" },
        { Filter.AllOf(new Filter.Linked("people", new Filter.Compare("by.name", FilterOperator.Equal, "a")), new Filter.Mine("gone")), "company contact seat" },
        { new Filter.Related("seat", "deal", new Filter.Compare("contact.name", FilterOperator.Equal, "a")), "contact seat" },
        { new Filter.Related("gone", "deal"), "" },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_list_is_told_of_the_records_its_filter_looks_at(Filter? filter, string others) =>
        Assert.Equal(["deal", .. others.Split(' ', StringSplitOptions.RemoveEmptyEntries)], GridEntities.Of(Metadata, Deal, [], filter).OrderBy(name => name != "deal").ThenBy(name => name, StringComparer.Ordinal));

    [Fact]
    public void A_list_is_told_of_the_records_its_columns_look_at() =>
        Assert.Equal(["company", "contact", "deal", "seat", "user"], GridEntities.Of(Metadata, Deal, ["name", "company.owner", "people", "gone.name"], null).Order(StringComparer.Ordinal));
}
