using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Import;

namespace Crm.Host.Tests.Api;

/// <summary>CON-04 over the API: several phone numbers, e-mail and web addresses of a record, each with its kind.</summary>
public sealed class SeveralValuesApiTests(SeveralValuesApiTests.Crm crm) : IClassFixture<SeveralValuesApiTests.Crm>
{
    private const string Anna = """
        {"name":"Anna","phones":[{"kind":"work","value":"+49 30 901820"},{"kind":"mobile","value":"0171 1234567"}],"emails":[{"kind":"work","value":"Anna@Acme.com"}],
         "links":[{"kind":"linkedin","value":"linkedin.com/in/anna"}]}
        """;

    [Fact]
    public async Task CON_04_Several_values_are_written_read_back_and_changed()
    {
        var created = await crm.Api.CreateAsync("x_people", Anna);
        Assert.Equal("""[{"kind":"work","value":"+49 30 901820"},{"kind":"mobile","value":"0171 1234567"}]""", Plain(created["phones"]));
        var same = await crm.Api.SendAsync("PATCH", $"odata/v4/x_people({created["id"]})", created.ToJsonString(), ("Prefer", "return=representation"));
        Assert.Equal(1, same.Json["version"]!.GetValue<int>());

        var one = await crm.Api.SendAsync("PATCH", $"odata/v4/x_people({created["id"]})", """{"phones":{"mobile":"0171 7654321"}}""", ("Prefer", "return=representation"));
        Assert.Equal("""[{"kind":"work","value":"+49 30 901820"},{"kind":"mobile","value":"0171 7654321"}]""", Plain(one.Json["phones"]));
        var none = await crm.Api.SendAsync("PATCH", $"odata/v4/x_people({created["id"]})", """{"phones":[]}""", ("Prefer", "return=representation"));
        Assert.Equal("[]", Plain(none.Json["phones"]));

        var history = await crm.Api.GetAsync($"api/records/x_person/{created["id"]}/history");
        Assert.True(history.Status == HttpStatusCode.OK, history.Text);
        Assert.Equal("0171 7654321", history.Value[0]!["changes"]![0]!["before"]![1]!["value"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("phones/any(p: p/value eq '0049 171 5555555')", "Cleo")]
    [InlineData("phones/any(p: p/value eq '030 555555' or p/value eq '0171 5555555')", "Cleo")]
    [InlineData("phones/any(p: p/value eq 'nonsense')", "")]
    [InlineData("emails/any(e: e/value eq 'CLEO@beta.example')", "Cleo")]
    [InlineData("emails/any(e: e/value eq 'beta.example')", "Cleo")]
    [InlineData("links/any(l: l/value eq 'www.beta.example')", "Cleo")]
    [InlineData("not phones/any(p: p/value eq '0171 5555555') and name eq 'Dora'", "Dora")]
    [InlineData("phones/any() and name ne 'Anna'", "Cleo")]
    public async Task Any_of_the_values_is_found_in_any_notation(string filter, string names)
    {
        var answer = await crm.Api.GetAsync("odata/v4/x_people?$filter=" + Uri.EscapeDataString(filter));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(names, string.Join(',', answer.Column("name")));
    }

    [Theory]
    [InlineData("""{"name":"X","phones":[{"kind":"work","value":"030 1"},{"kind":"work","value":"no number"}]}""", "phones[1].value")]
    [InlineData("""{"name":"X","phones":[{"kind":"sea","value":"030 901820"}]}""", "phones[0].kind")]
    [InlineData("""{"name":"X","emails":{"sea":"a@b.de"}}""", "emails[0].kind")]
    [InlineData("""{"name":"X","phones":true}""", "phones[0]")]
    public async Task What_is_wrong_is_named_with_field_and_row(string body, string target)
    {
        var answer = await crm.Api.SendAsync("POST", "odata/v4/x_people", body);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Equal(target, answer.Json["error"]!["details"]![0]!["target"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("$filter=phones eq 'x'")]
    [InlineData("$filter=phones/any(p: p/kind eq 'work')")]
    [InlineData("$filter=phones/any(p: contains(p/value,'030'))")]
    [InlineData("$orderby=phones")]
    public async Task What_cannot_be_asked_is_refused(string query) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.GetAsync("odata/v4/x_people?" + query)).Status);

    [Fact]
    public async Task CON_04_Columns_of_a_file_go_to_kinds_and_leave_the_others()
    {
        await crm.Api.CreateAsync("x_guests", """{"name":"Eva","phones":[{"kind":"home","value":"030 111111"},{"kind":"work","value":"030 222222"}]}""");
        var import = new ImportClient(crm.Api.Crm, crm.Api.Admin);
        var job = await import.ImportAsync("x_guest", "Name,Mobile,Work phone,E-mail\nEva,0171 1111111,030 333333,eva@acme.com\nFin,0171 2222222,,\n", ("mode", "upsert"), ("match", "name"));
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        var guests = (await crm.Api.GetAsync("odata/v4/x_guests?$orderby=name")).Value;
        Assert.Equal("""[{"kind":"home","value":"030 111111"},{"kind":"work","value":"030 333333"},{"kind":"mobile","value":"0171 1111111"}]""", Plain(guests[0]!["phones"]));
        Assert.Equal("""[{"kind":"work","value":"eva@acme.com"}]""", Plain(guests[0]!["emails"]));
        Assert.Equal("""[{"kind":"mobile","value":"0171 2222222"}]""", Plain(guests[1]!["phones"]));
    }

    [Fact]
    public async Task The_metadata_document_says_what_several_values_are()
    {
        var document = (await crm.Api.GetAsync("odata/v4/$metadata")).Text;
        Assert.Contains("""<Property Name="phones" Type="Collection(crm.kind_value)" Nullable="false" />""", document, StringComparison.Ordinal);
        var openApi = JsonNode.Parse((await crm.Api.GetAsync("openapi/v1.json")).Text)!;
        Assert.Contains("linkedin", openApi.ToJsonString(), StringComparison.Ordinal);
    }

    private static string Plain(JsonNode? node) => node!.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public sealed class Crm : IAsyncLifetime
    {
        private const string Fields = """
            {"name":"name","type":"text","required":true},{"name":"phones","type":"phones","label":"Phones","country":"DE"},{"name":"emails","type":"emails","label":"E-mails"},{"name":"links","type":"urls","label":"Web"}
            """;

        public ApiCrm Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync($$"""
                {"changes":[{"change":"create_entity","name":"x_person","label":"Person","set":"x_people","fields":[{{Fields}}]},
                            {"change":"create_entity","name":"x_guest","label":"Guest","set":"x_guests","fields":[{{Fields}}]}]}
                """);
            await Api.CreateAsync("x_people", """
                {"name":"Cleo","phones":[{"kind":"home","value":"030 7777777"},{"kind":"mobile","value":"0171 5555555"}],"emails":["cleo@Beta.example"],"links":["https://beta.example/team"]}
                """);
            await Api.CreateAsync("x_people", """{"name":"Dora"}""");
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
