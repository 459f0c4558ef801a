using Crm.Sdk;

namespace Crm.Modules.Contacts.Companies;

internal static class CompanyEntity
{
    public static void Define(IEntityBuilder entity) => entity
        .Label("Company", "Companies")
        .Visibility(Visibility.Private)
        .Icon("apartment")
        .Title("name")
        .Search("name", "email", "city", "website", "phone", "other_emails", "other_phones")
        .Field("name", Fields.Text, f => f.Label("Company name").Required())
        .Field("relationship_type", Fields.Choice, f => f
            .Required()
            .Default("client")
            .Choice("client", "Client", "#1a7f5a")
            .Choice("supplier", "Supplier", "#2f6fde")
            .Choice("partner", "Partner", "#7a4fd0")
            .Choice("competitor", "Competitor", "#b4392f")
            .Choice("prospect", "Prospect", "#b7791f")
            .Choice("other", "Other"))
        .Field("industry", Fields.Choice, f => f
            .Choice("technology", "Technology")
            .Choice("medical", "Medical")
            .Choice("retail", "Retail")
            .Choice("software", "Software")
            .Choice("entertainment", "Entertainment")
            .Choice("finance", "Finance")
            .Choice("marketing", "Marketing")
            .Choice("services", "Services")
            .Choice("telecommunications", "Telecommunications")
            .Choice("employment", "Employment")
            .Choice("other", "Other"))
        .Field("website", Fields.Url)
        .Field("email", Fields.Email, f => f.Label("E-mail"))
        .Field("phone", Fields.Phone)
        .Field("other_emails", Fields.Emails, f => f.Label("Other e-mails"))
        .Field("other_phones", Fields.Phones)
        .Field("links", Fields.Urls, f => f.Label("Social networks"))
        .Field("street", Fields.Text)
        .Field("city", Fields.Text)
        .Field("postal_code", Fields.Text, f => f.MaxLength(20))
        .Field("country", Fields.Text)
        .Field("employees", Fields.Integer, f => f.Range(0, null))
        .Field("annual_revenue", Fields.Money)
        .Field("founded_year", Fields.Integer, f => f.Label("Founded in").Range(1000, 2999))
        .Field("parent", Fields.Lookup("company"), f => f.Label("Parent company"))
        .Field("description", Fields.LongText)
        .View(new ViewDefinition(
            "active",
            "Active Companies",
            ["name", "relationship_type", "industry", "city", "country", "phone", "owner"],
            Filter.Equal("is_active", true),
            [new Sort("name")]))
        .View(new ViewDefinition(
            "clients",
            "Clients",
            ["name", "industry", "country", "employees", "annual_revenue", "owner"],
            Filter.AllOf(Filter.Equal("is_active", true), Filter.Equal("relationship_type", "client")),
            [new Sort("name")]))
        .View(new ViewDefinition(
            "mine",
            "My Companies",
            ["name", "relationship_type", "industry", "city", "country", "phone"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.Mine("owner")),
            [new Sort("name")]))
        .View(new ViewDefinition(
            "my_customers",
            "My Customers",
            ["name", "industry", "country", "employees", "annual_revenue"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.Mine("owner"), Filter.Equal("relationship_type", "client")),
            [new Sort("name")]))
        .View(new ViewDefinition(
            "my_prospects",
            "My Prospects",
            ["name", "industry", "city", "country", "phone", "created_at"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.Mine("owner"), Filter.Equal("relationship_type", "prospect")),
            [new Sort("name")]))
        .View(new ViewDefinition(
            "subsidiaries",
            "Subsidiaries",
            ["name", "parent", "industry", "country", "employees"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.Compare("parent", FilterOperator.NotEqual, null)),
            [new Sort("name")]))
        .FormSection("Company", "name", "relationship_type", "industry", "parent", "owner")
        .FormSection("Reach", "website", "email", "phone", "other_emails", "other_phones", "links")
        .FormSection("Address", "street", "postal_code", "city", "country")
        .FormSection("Facts", "employees", "annual_revenue", "founded_year")
        .FormSection("Notes", "description")
        .In("sales", "customers", 10)
        .In("marketing", "customers", 10);
}
