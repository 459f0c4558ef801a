using Crm.Sdk;

namespace Crm.Modules.Contacts.People;

internal static class ContactEntity
{
    public static void Define(IEntityBuilder entity) => entity
        .Label("Contact", "Contacts")
        .Visibility(Visibility.Private)
        .Icon("person")
        .Title("first_name", "last_name")
        .Search("first_name", "last_name", "email", "phone", "mobile", "other_emails", "other_phones")
        .Field("salutation", Fields.Choice, f => f
            .Choice("ms", "Ms")
            .Choice("mr", "Mr")
            .Choice("mx", "Mx")
            .Choice("dr", "Dr")
            .Choice("prof", "Prof"))
        .Field("first_name", Fields.Text, f => f.Required().MaxLength(100))
        .Field("last_name", Fields.Text, f => f.Required().MaxLength(100))
        .Field("company", Fields.Lookup("company"))
        .Field("job_title", Fields.Text)
        .Field("email", Fields.Email, f => f.Label("E-mail"))
        .Field("phone", Fields.Phone)
        .Field("mobile", Fields.Phone)
        .Field("other_emails", Fields.Emails, f => f.Label("Other e-mails"))
        .Field("other_phones", Fields.Phones)
        .Field("links", Fields.Urls, f => f.Label("Web and social networks"))
        .Field("important", Fields.YesNo, f => f.Default(false).Help("Marks people who must not be kept waiting."))
        .Field("description", Fields.LongText)
        .View(new ViewDefinition(
            "active",
            "Active Contacts",
            ["first_name", "last_name", "company", "job_title", "email", "phone", "owner"],
            Filter.Equal("is_active", true),
            [new Sort("last_name"), new Sort("first_name")]))
        .View(new ViewDefinition(
            "mine",
            "My Contacts",
            ["first_name", "last_name", "company", "job_title", "email", "phone"],
            Filter.AllOf(Filter.Equal("is_active", true), new Filter.Mine("owner")),
            [new Sort("last_name"), new Sort("first_name")]))
        .View(new ViewDefinition(
            "important",
            "Important Contacts",
            ["first_name", "last_name", "company", "email", "mobile", "owner"],
            Filter.AllOf(Filter.Equal("is_active", true), Filter.Equal("important", true)),
            [new Sort("last_name"), new Sort("first_name")]))
        .FormSection("Person", "salutation", "first_name", "last_name", "company", "job_title", "important", "owner")
        .FormSection("Reach", "email", "phone", "mobile", "other_emails", "other_phones", "links")
        .FormSection("Notes", "description")
        .In("sales", "customers", 20)
        .In("marketing", "customers", 20);
}
