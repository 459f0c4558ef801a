using Crm.Sdk;

namespace Crm.Modules.Sales.Opportunities;

internal static class OpportunityEntity
{
    public const string Stage = "stage";
    public const string Probability = "probability";
    public const string CloseDate = "close_date";

    public static void Define(IEntityBuilder entity) => entity
        .Label("Opportunity", "Opportunities")
        .Icon("monetization_on")
        .Title("title")
        .Search("title", "source_reference")
        .Field("title", Fields.Text, f => f.Required())
        .Field("company", Fields.Lookup("company"))
        .Field("contact", Fields.Lookup("contact"))
        .Field("product", Fields.Lookup("product"))
        .Field("budget", Fields.Money, f => f.Label("Budget"))
        // The outcomes are those of the shipped process (SAL-11).
        .Stages(Stage, s => s
            .Stage("prospect", "Prospect", 10)
            .Stage("offer", "Offer", 50)
            .Won("order", "Order")
            .Lost("lost", "Lost"))
        .Field(Probability, Fields.Percent, f => f.Scale(0).Range(0, 100).Help("Set by the stage; may be corrected while the deal is open."))
        .Field("engage_date", Fields.Date, f => f.Label("Engaged on"))
        .Field("expected_close", Fields.Date, f => f.Label("Expected close"))
        .Field(CloseDate, Fields.Date, f => f.Label("Closed on").Help("Set when the deal is won or lost."))
        .Field("source_reference", Fields.Text, f => f.Label("Reference").Unique().MaxLength(64).Help("The deal's number in the system it came from."))
        .Field("description", Fields.LongText)
        .View(new ViewDefinition(
            "open",
            "Open Opportunities",
            ["title", "company", "product", Stage, "budget", "expected_close", "owner"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.In(Stage, ["prospect", "offer"])),
            [new Sort("expected_close"), new Sort("title")]))
        .View(new ViewDefinition(
            "my_open",
            "My Open Opportunities",
            ["title", "company", "product", Stage, "budget", "expected_close"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.In(Stage, ["prospect", "offer"]), new Filter.Mine("owner")),
            [new Sort("expected_close"), new Sort("title")]))
        .View(new ViewDefinition(
            "closing",
            "Closing This Month",
            ["title", "company", Stage, "budget", "expected_close", "owner"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.In(Stage, ["prospect", "offer"]), new Filter.During("expected_close", Period.ThisMonth)),
            [new Sort("expected_close"), new Sort("title")]))
        .View(new ViewDefinition(
            "won",
            "Won Opportunities",
            ["title", "company", "product", "budget", CloseDate, "owner"],
            Filter.AllOf(Filter.Equal("is_active", true), Filter.Equal(Stage, "order")),
            [new Sort(CloseDate, Descending: true)]))
        .View(new ViewDefinition(
            "lost",
            "Lost Opportunities",
            ["title", "company", "product", "budget", CloseDate, "owner"],
            Filter.AllOf(Filter.Equal("is_active", true), Filter.Equal(Stage, "lost")),
            [new Sort(CloseDate, Descending: true)]))
        .View(new ViewDefinition(
            "active",
            "Active Opportunities",
            ["title", "company", "product", Stage, "budget", "engage_date", CloseDate, "owner"],
            Filter.Equal("is_active", true),
            [new Sort("created_at", Descending: true)]))
        .FormSection("Opportunity", "title", "company", "contact", "product", "owner")
        .FormSection("Value", "budget", Stage, Probability)
        .FormSection("Dates", "engage_date", "expected_close", CloseDate)
        .FormSection("Notes", "description", "source_reference")
        .In("sales", "customers", 30);
}
