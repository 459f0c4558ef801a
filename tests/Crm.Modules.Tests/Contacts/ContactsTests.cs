using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Modules.Tests.Contacts;

public sealed class ContactsTests(CrmFixture fixture) : IClassFixture<CrmFixture>
{
    [Fact]
    public async Task CON_02_A_person_needs_first_and_last_name_and_a_company_its_name()
    {
        var person = await fixture.Records.SaveAsync(RecordChange.Create("contact", new Dictionary<string, object?> { ["email"] = "ada@example.org" }));
        var company = await fixture.Records.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["city"] = "Leipzig" }));

        Assert.Equal(["first_name", "last_name"], person.Errors.Where(e => e.Code == ErrorCodes.Required).Select(e => e.Field).Order(StringComparer.Ordinal));
        Assert.Equal(["name"], company.Errors.Where(e => e.Code == ErrorCodes.Required).Select(e => e.Field));
    }

    [Theory]
    [InlineData("company", "name")]
    [InlineData("contact", "last_name")]
    public async Task CON_04_A_company_and_a_person_have_several_phones_addresses_and_links(string entity, string name)
    {
        var saved = await fixture.CreateAsync(
            entity, (name, "Reach"), (entity == "contact" ? "first_name" : "description", "Rita"), ("phone", "+49 30 901820"), ("other_phones", "+49 171 1234567; +49 30 901821"),
            ("other_emails", "rita@example.org"), ("links", new[] { new Dictionary<string, object?> { ["kind"] = "linkedin", ["value"] = "linkedin.com/in/rita" } }));

        Assert.Equal("+49 171 1234567 (Mobile), +49 30 901821 (Mobile)", Fields.Phones.Format(fixture.Crm.Metadata.Current.Entity(entity).Field("other_phones"), saved["other_phones"], System.Globalization.CultureInfo.InvariantCulture));
        foreach (var search in new[] { "0049 171 1234567", "RITA@example.org" })
        {
            Assert.Equal(saved.Id, Assert.Single((await fixture.Records.QueryAsync(new RecordQuery { Entity = entity, Search = search })).Records).Id);
        }
    }

    [Fact]
    public async Task CON_22_A_company_has_a_relationship_type_and_an_owner_from_the_start()
    {
        var company = await fixture.CreateAsync("company", ("name", "Nordlicht GmbH"));

        Assert.Equal("client", company["relationship_type"]);
        Assert.Equal(fixture.Crm.Admin.UserId, company["owner"]);
        var refused = await fixture.Records.SaveAsync(RecordChange.Update("company", company.Id, new Dictionary<string, object?> { ["relationship_type"] = null }));
        Assert.Equal(ErrorCodes.Required, Assert.Single(refused.Errors).Code);
    }

    [Fact]
    public async Task PLT_21_My_customers_and_my_prospects_are_views_of_whoever_looks()
    {
        var ann = await fixture.CreateAsync("user", ("name", "Ann"), ("user_name", "ann.views"));
        await fixture.CreateAsync("company", ("name", "Ann’s customer"), ("owner", ann.Id));
        await fixture.CreateAsync("company", ("name", "Ann’s prospect"), ("owner", ann.Id), ("relationship_type", "prospect"));
        await fixture.CreateAsync("contact", ("first_name", "Ann’s"), ("last_name", "contact"), ("owner", ann.Id));
        var records = fixture.Crm.Services.GetRequiredService<IRecords>().As(new Actor(ann.Id, "Ann", IsAdministrator: true));

        async Task<IEnumerable<object?>> Shows(string entity, string view, string field) =>
            (await records.QueryAsync(new RecordQuery { Entity = entity, Filter = fixture.Crm.Metadata.Current.Entity(entity).Views.Single(v => v.Name == view).Filter, Sort = [new Sort(field)] })).Records.Select(r => r[field]);
        Assert.Equal(["Ann’s customer"], await Shows("company", "my_customers", "name"));
        Assert.Equal(["Ann’s prospect"], await Shows("company", "my_prospects", "name"));
        Assert.Equal(["Ann’s customer", "Ann’s prospect"], await Shows("company", "mine", "name"));
        Assert.Equal(["contact"], await Shows("contact", "mine", "last_name"));
        Assert.Empty(await Shows("opportunity", "my_open", "title"));
    }

    [Fact]
    public async Task A_company_may_belong_to_another_one()
    {
        var parent = await fixture.CreateAsync("company", ("name", "Holding"));
        var child = await fixture.CreateAsync("company", ("name", "Subsidiary"), ("parent", parent.Id));

        Assert.Equal(parent.Id, child["parent"]);
        var deletion = await fixture.Records.SaveAsync(RecordChange.Delete("company", parent.Id));
        Assert.Equal(ErrorCodes.InUse, Assert.Single(deletion.Errors).Code);
    }

    [Fact]
    public void PLT_05_PLT_08_Companies_and_contacts_are_reached_from_sales_and_marketing()
    {
        var metadata = fixture.Crm.Metadata.Current;

        Assert.Equal(["sales", "marketing"], metadata.Entity("company").Placements.Select(p => p.Area));
        Assert.Equal(["sales", "marketing"], metadata.Entity("contact").Placements.Select(p => p.Area));
        Assert.Contains(metadata.Areas, a => a is { Name: "sales", Label: "Sales" });
        Assert.Contains(metadata.Areas, a => a is { Name: "marketing", Label: "Marketing" });
    }

    [Theory]
    [InlineData("company")]
    [InlineData("contact")]
    [InlineData("product")]
    [InlineData("opportunity")]
    public async Task PLT_14_Every_view_of_an_entity_can_be_read(string entity)
    {
        var definition = fixture.Crm.Metadata.Current.Entity(entity);

        Assert.Contains(definition.Views, v => v.Label.StartsWith("Inactive", StringComparison.Ordinal));
        foreach (var view in definition.Views)
        {
            await fixture.Records.QueryAsync(new RecordQuery { Entity = entity, Select = view.Columns, Filter = view.Filter, Sort = view.Sort });
        }
    }
}
