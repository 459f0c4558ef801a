using System.Net;
using Crm.Host.Tests.Import;
using Crm.Host.Tests.Security;

namespace Crm.Host.Tests.Api;

/// <summary>Phone numbers, addresses and names are found over the API however they are written.</summary>
public sealed class MatchKeyApiTests(MatchKeyApiTests.Crm crm) : IClassFixture<MatchKeyApiTests.Crm>
{
    [Theory]
    [InlineData("phone eq '0171 1234567'", "Acme GmbH")]
    [InlineData("phone in ('+491711234567','110')", "Acme GmbH")]
    [InlineData("phone ne '0171 1234567'", "Other Ltd")]
    [InlineData("crm.matches(phone,'00491711234567')", "Acme GmbH")]
    [InlineData("email eq 'ANNA@acme.com'", "Acme GmbH")]
    [InlineData("crm.matches(email,'@acme.com')", "Acme GmbH")]
    [InlineData("crm.matches(web,'acme.com')", "Acme GmbH")]
    [InlineData("crm.matches(name,'ACME, Inc.') and phone ne null", "Acme GmbH")]
    [InlineData("not crm.matches(name,'acme')", "Other Ltd")]
    [InlineData("crm.matches(name,'acme') eq false", "Other Ltd")]
    public async Task Filters_compare_what_is_meant(string filter, string names)
    {
        var answer = await crm.Api.GetAsync("odata/v4/x_lines?$orderby=name&$filter=" + Uri.EscapeDataString(filter));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(names, string.Join(',', answer.Column("name")));
    }

    [Theory]
    [InlineData("crm.matches(seats,'1')")]
    [InlineData("crm.matches(note,'acme')")]
    [InlineData("crm.matches(name)")]
    [InlineData("crm.matches(name,phone)")]
    [InlineData("crm.matches('acme','acme')")]
    [InlineData("matches(name,'acme')")]
    public async Task What_cannot_be_matched_is_refused(string filter) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.GetAsync("odata/v4/x_lines?$filter=" + Uri.EscapeDataString(filter))).Status);

    [Fact]
    public async Task A_unique_address_is_refused_in_another_notation()
    {
        var answer = await crm.Api.SendAsync("POST", "odata/v4/x_lines", """{"name":"Again","email":"anna@ACME.com"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Equal("email", answer.Json["error"]!["details"]![0]!["target"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_import_finds_the_record_of_a_row_by_its_phone_number()
    {
        await crm.Api.CreateAsync("x_calls", """{"name":"Found","phone":"+49 30 901820"}""");
        var import = new ImportClient(crm.Api.Crm, crm.Api.Admin);
        var job = await import.ImportAsync("x_call", "name,phone\nChanged,030 / 90 18 20\nNew,030 / 90 18 21\n", ("mode", "upsert"), ("match", "phone"));
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal(["Changed", "New"], (await crm.Api.GetAsync("odata/v4/x_calls?$orderby=name")).Column("name"));
        Assert.Equal(["030 / 90 18 20", "030 / 90 18 21"], (await crm.Api.GetAsync("odata/v4/x_calls?$orderby=name")).Column("phone"));
    }

    [Fact]
    public async Task Fields_without_a_country_have_that_of_the_installation_at_every_door()
    {
        await crm.Api.CreateAsync("x_guests", """{"name":"Before","phone":"0176 1234567","phones":[{"kind":"work","value":"089 901820"}]}""");
        await crm.Api.ApplyAsync("""{"changes":[{"change":"change_settings","phone_country":"DE"}]}""");
        // Records that are there follow while everybody works.
        foreach (var filter in new[] { "phone eq '+49 176 1234567'", "phones/any(p: p/value eq '+49 89 901820')" })
        {
            await Eventually.AsyncEqual("Before", async () => string.Join(',', (await crm.Api.GetAsync("odata/v4/x_guests?$filter=" + Uri.EscapeDataString(filter))).Column("name")));
        }

        // A unique field, the search, duplicates and an import.
        var again = await crm.Api.SendAsync("POST", "odata/v4/x_guests", """{"name":"Again","phone":"+49 (0)176 1234567"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, again.Status);
        Assert.Contains("Before", (await crm.Api.GetAsync("api/search?q=" + Uri.EscapeDataString("+49 176 1234567"))).Text, StringComparison.Ordinal);
        var like = await crm.Api.SendAsync("POST", "odata/v4/x_guests", """{"name":"Like","phones":[{"kind":"home","value":"+49 89 901820"}]}""");
        Assert.Equal((HttpStatusCode.Conflict, "possible_duplicate"), (like.Status, like.Json["error"]!["code"]!.GetValue<string>()));
        var job = await new ImportClient(crm.Api.Crm, crm.Api.Admin).ImportAsync("x_guest", "name,phone\nAfter,+49 176 1234567\n", ("mode", "upsert"), ("match", "phone"));
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal(["After"], (await crm.Api.GetAsync("odata/v4/x_guests")).Column("name"));
        Assert.Equal("DE", (await crm.Api.GetAsync("api/metadata")).Json["settings"]!["phone_country"]!.GetValue<string>());
    }

    public sealed class Crm : IAsyncLifetime
    {
        public ApiCrm Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[{"change":"create_entity","name":"x_line","label":"Line","set":"x_lines","fields":[
                    {"name":"name","type":"text","label":"Name","required":true},{"name":"phone","type":"phone","country":"DE"},{"name":"email","type":"email","unique":true},
                    {"name":"web","type":"url"},{"name":"note","type":"text"},{"name":"seats","type":"integer"}]},
                 {"change":"create_entity","name":"x_call","label":"Call","set":"x_calls","fields":[{"name":"name","type":"text","label":"Name"},{"name":"phone","type":"phone","country":"DE"}]},
                 {"change":"create_entity","name":"x_guest","label":"Guest","set":"x_guests","search":["name","phone"],"fields":[
                    {"name":"name","type":"text","label":"Name"},{"name":"phone","type":"phone","unique":true},{"name":"phones","type":"phones","label":"Phones"}]},
                 {"change":"set_rule","entity":"x_guest","rule":{"name":"same","kind":"duplicate","fields":["phones"]}}]}
                """);
            await Api.CreateAsync("x_lines", """{"name":"Acme GmbH","phone":"+49 (0)171 / 123 45 67","email":"Anna@Acme.com","web":"www.acme.com/about"}""");
            await Api.CreateAsync("x_lines", """{"name":"Other Ltd"}""");
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
