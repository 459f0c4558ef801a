using System.Globalization;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Finding;
using Crm.Sdk.Web.Forms;
using static Crm.Host.Tests.Pages.Definitions;

namespace Crm.Host.Tests.Lists;

public sealed class FindDraftTests
{
    private static readonly FieldDefinition Stage = Field("stage", Fields.Stage) with
    {
        Stages = new StagesDefinition([new StageDefinition("offer", "Offer", StageKind.Open, 50), new StageDefinition("order", "Order", StageKind.Won, 100)], []),
    };

    private static readonly EntityDefinition User = Entity("user", Field("name", Fields.Text));

    private static readonly EntityDefinition Company = Entity(
        "company", Field("name", Fields.Text), Field("country", Fields.Text), Field("address", Fields.Address), Field("places", Fields.Addresses), Field("active", Fields.YesNo), Field("owner", Fields.Owner, "user"));

    private static readonly EntityDefinition Deal = Entity(
        "deal", Field("name", Fields.Text), Stage, Field("budget", Fields.Money), Field("due", Fields.Date), Field("met_at", Fields.DateTime), Field("company", Fields.LookupType, "company"),
        Field("secret", Fields.Text) with { IsHidden = true }, Field("kind", Fields.Choice) with { Choices = [new ChoiceDefinition("new", "New")] }) with
    {
        PluralLabel = "Deals",
    };

    private static readonly MetadataSnapshot Metadata = Snapshot(User, Company, Deal);

    private static readonly DisplayContext Display = new() { Culture = CultureInfo.GetCultureInfo("en-GB") };

    public static TheoryData<Filter, string> Filters => new()
    {
        { new Filter.Compare("name", FilterOperator.Contains, "acme"), "name contains “acme”" },
        { new Filter.Not(new Filter.Compare("company.country", FilterOperator.Contains, "DE")), "company › country does not contain “DE”" },
        { new Filter.Compare("budget", FilterOperator.GreaterOrEqual, 1500L), "budget is at least 1,500" },
        { new Filter.Compare("due", FilterOperator.Less, "2026-03-05"), "due is before 05/03/2026" },
        { new Filter.Compare("company", FilterOperator.Equal, null), "company is empty" },
        { new Filter.Compare("company", FilterOperator.Equal, "01990000-0000-7000-8000-000000000001"), "company is 01990000-0000-7000-8000-000000000001" },
        { new Filter.In("stage", ["offer", "order"]), "stage is any of Offer, Order" },
        { new Filter.Not(new Filter.In("kind", ["new"])), "kind is none of New" },
        { new Filter.During("due", Period.LastDays, 30), "due is in the last 30 days" },
        { new Filter.During("met_at", Period.ThisMonth), "met_at is this month" },
        { new Filter.Mine("company.owner"), "company › owner is me" },
        { new Filter.Compare("company.places", FilterOperator.Contains, "Ulm"), "company › places contains “Ulm”" },
        {
            new Filter.Linked("company.places", Filter.AllOf(new Filter.In("kind", ["invoice"]), new Filter.Compare("city", FilterOperator.StartsWith, "Ul"))),
            "has company › places where Kind is any of Invoice and City begins with “Ul”"
        },
        { new Filter.Not(new Filter.Linked("company.places", new Filter.Compare("country", FilterOperator.Contains, "DE"))), "has no company › places where Country contains “DE”" },
        {
            Filter.AllOf(new Filter.Compare("name", FilterOperator.StartsWith, "a"), Filter.AnyOf(new Filter.Mine("company.owner"), new Filter.Compare("due", FilterOperator.NotEqual, null))),
            "name begins with “a” and (company › owner is me or due is not empty)"
        },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public void PLT_15_A_filter_is_read_into_lines_and_written_as_it_was(Filter filter, string words)
    {
        var draft = new FindDraft(Metadata, Deal, filter, new FieldText(Display, TimeProvider.System));
        Assert.DoesNotContain(draft.Root.Items, i => i is FindKept);
        Assert.Equal(filter, draft.ToFilter(out var problem));
        Assert.Null(problem);
        Assert.Equal(filter, FilterJson.Parse(FilterJson.ToText(filter)));
        Assert.Equal(words, new FilterWords(Metadata, Display).Of(Deal, filter));
    }

    [Fact]
    public void PLT_15_Companies_are_found_by_their_deals_and_by_parts_of_an_address()
    {
        var filter = Filter.AllOf(
            new Filter.Related("deal", "company", Filter.AllOf(new Filter.In("stage", ["order"]), new Filter.During("due", Period.ThisYear))),
            new Filter.Not(new Filter.Related("deal", "company")),
            new Filter.Compare("active", FilterOperator.Equal, true),
            new Filter.Compare("address_country", FilterOperator.Contains, "China"));
        Assert.Equal(filter, new FindDraft(Metadata, Company, filter, new FieldText(Display, TimeProvider.System)).ToFilter(out _));
        Assert.Equal(
            "has Deals where stage is any of Order and due is this year and has no Deals and active is Yes and address · Country contains “China”",
            new FilterWords(Metadata, Display).Of(Company, filter));
        Assert.Contains(FindSubject.Of(Metadata, Company), s => s is { Path: "address_country", Group: "address" });
        Assert.DoesNotContain(FindSubject.Of(Metadata, Deal), s => s.Path.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void What_lines_cannot_say_or_is_gone_stays_until_it_is_removed()
    {
        var filter = Filter.AllOf(new Filter.Compare("gone", FilterOperator.Equal, "x"), new Filter.Not(Filter.Equal("name", "b")), new Filter.Compare("name", FilterOperator.Contains, "c"));
        var draft = new FindDraft(Metadata, Deal, filter, new FieldText(Display, TimeProvider.System));
        Assert.Equal(2, draft.Root.Items.OfType<FindKept>().Count());
        Assert.Equal(filter, draft.ToFilter(out _));
        Assert.Equal("“gone” (gone) is x and not name is b and name contains “c”", new FilterWords(Metadata, Display).Of(Deal, filter));
        draft.Root.Items.RemoveAt(0);
        draft.Root.Items.RemoveAt(0);
        Assert.Equal(new Filter.Compare("name", FilterOperator.Contains, "c"), draft.ToFilter(out _));
    }

    [Fact]
    public void A_condition_without_its_value_is_no_filter_and_an_empty_line_asks_nothing()
    {
        var draft = new FindDraft(Metadata, Deal, null, new FieldText(Display, TimeProvider.System));
        var line = Assert.IsType<FindCondition>(Assert.Single(draft.Root.Items));
        Assert.Null(draft.ToFilter(out var problem));
        Assert.Null(problem);
        draft.Choose(line, "budget");
        Assert.Null(draft.ToFilter(out problem));
        Assert.Contains("budget", problem, StringComparison.Ordinal);
        draft.Form.Type(draft.Value(line)!, FieldParts.Of("1,250.50"));
        Assert.Equal(Filter.Equal("budget", 1250.50m), draft.ToFilter(out problem));
        draft.Form.Type(draft.Value(line)!, FieldParts.Of("much"));
        Assert.Null(draft.ToFilter(out problem));
        Assert.NotNull(problem);
        draft.Use(line, FindOperator.Empty);
        Assert.Equal(Filter.Equal("budget", null), draft.ToFilter(out problem));
        Assert.Null(problem);
    }
}
