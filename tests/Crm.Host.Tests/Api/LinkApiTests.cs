using System.Net;
using System.Text.Json.Nodes;

namespace Crm.Host.Tests.Api;

/// <summary>Many-to-many fields from outside: written with the record or one by one, read with $expand, asked with any and all.</summary>
public sealed class LinkApiTests(LinkApiTests.Crm crm) : IClassFixture<LinkApiTests.Crm>
{
    [Fact]
    public async Task Links_are_written_with_the_record_and_read_with_expand()
    {
        var (anna, bert) = (await FirmAsync("Anna"), await FirmAsync("Bert"));
        var deal = await crm.Api.CreateAsync("x_deals", $$"""{"title":"Bridge","partners":["{{anna}}",{"id":"{{bert}}","role":"Buyer","share":12.5}]}""");
        Assert.False(deal.ContainsKey("partners"));

        var read = (await crm.Api.GetAsync($"odata/v4/x_deals({deal["id"]})?$expand=partners($select=name)")).Json;
        Assert.Equal(["Anna||", "Bert|buyer|12.5"], Partners(read));
        var list = (await crm.Api.GetAsync($"odata/v4/x_deals?$filter=id eq {deal["id"]}&$select=title&$expand=partners,firm($select=name)")).Json["value"]![0]!;
        Assert.Equal(["Anna||", "Bert|buyer|12.5"], Partners(list));
        Assert.Equal(anna, list["partners"]![0]!["id"]!.GetValue<string>());
        var other = (await crm.Api.GetAsync($"odata/v4/x_firms({bert})?$expand=x_deals($select=title)")).Json;
        Assert.Equal("Bridge", Assert.Single(other["x_deals"]!.AsArray())!["title"]!.GetValue<string>());
        Assert.Equal(deal["version"]!.GetValue<int>(), read["version"]!.GetValue<int>());

        var patched = await crm.Api.SendAsync("PATCH", $"odata/v4/x_deals({deal["id"]})", $$"""{"partners":{"remove":["{{anna}}"],"add":[{"id":"{{bert}}","share":50}] } }""", ("If-Match", "W/\"1\""));
        Assert.True(patched.Status == HttpStatusCode.OK, patched.Text);
        Assert.Equal(["Bert|buyer|50"], await PartnersAsync(deal));
        var history = (await crm.Api.GetAsync($"api/records/x_deal/{deal["id"]}/history")).Text;
        Assert.Contains("Bert (Buyer, 50", history, StringComparison.Ordinal);

        var wrong = await crm.Api.SendAsync("PATCH", $"odata/v4/x_deals({deal["id"]})", $$"""{"partners":["{{Guid.CreateVersion7()}}"]}""");
        Assert.Equal(((HttpStatusCode)422, "partners"), (wrong.Status, wrong.Json["error"]!["target"]!.GetValue<string>()));
        Assert.Equal(["Bert|buyer|50"], await PartnersAsync(deal));
    }

    [Fact]
    public async Task Single_links_are_added_and_removed_as_references()
    {
        var (anna, bert) = (await FirmAsync("Anna"), await FirmAsync("Bert"));
        var deal = await crm.Api.CreateAsync("x_deals", $$"""{"title":"References","partners@odata.bind":["x_firms({{bert}})"]}""");
        var url = $"odata/v4/x_deals({deal["id"]})/partners/$ref";

        for (var twice = 0; twice < 2; twice++)
        {
            Assert.Equal(HttpStatusCode.NoContent, (await crm.Api.SendAsync("POST", url, $$"""{"@odata.id":"x_firms({{anna}})"}""")).Status);
        }

        Assert.Equal(["Anna||", "Bert||"], await PartnersAsync(deal));
        Assert.Equal(HttpStatusCode.NoContent, (await crm.Api.SendAsync("DELETE", $"odata/v4/x_deals/{deal["id"]}/partners/$ref?$id=x_firms({bert})")).Status);
        Assert.Equal(["Anna||"], await PartnersAsync(deal));
        Assert.Equal(HttpStatusCode.NoContent, (await crm.Api.SendAsync("DELETE", $"{url}?$id=x_firms({bert})")).Status);

        Assert.Equal(HttpStatusCode.NotFound, (await crm.Api.SendAsync("POST", $"odata/v4/x_deals({deal["id"]})/firm/$ref", "{}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.SendAsync("POST", url, """{"@odata.id":"x_deals(1)"}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.SendAsync("DELETE", url)).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await crm.Api.SendAsync("PUT", url, "{}")).Status);
        Assert.Equal((HttpStatusCode)422, (await crm.Api.SendAsync("POST", url, $$"""{"@odata.id":"x_firms({{Guid.CreateVersion7()}})"}""")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.Api.SendAsync("POST", $"odata/v4/x_deals({Guid.CreateVersion7()})/partners/$ref", $$"""{"@odata.id":"x_firms({{anna}})"}""")).Status);
    }

    [Theory]
    [InlineData("partners/any(p: p/name eq 'Zoe')", "Ask one")]
    [InlineData("partners/any(p: p/name eq 'Yan' and contains(p/name, 'a'))", "Ask one, Ask two")]
    [InlineData("partners/any()", "Ask one, Ask two")]
    [InlineData("not partners/any()", "Ask none")]
    [InlineData("partners/all(p: p/name eq 'Yan')", "Ask none, Ask two")]
    [InlineData("partners/any(p: p/x_deals/any(d: d/title eq 'Ask two'))", "Ask one, Ask two")]
    public async Task Records_are_found_by_the_records_they_are_linked_with(string filter, string expected)
    {
        await crm.AskAsync();

        var found = (await crm.Api.GetAsync($"odata/v4/x_deals?$filter=startswith(title,'Ask') and {Uri.EscapeDataString(filter)}&$orderby=title")).Json["value"]!.AsArray();

        Assert.Equal(expected, string.Join(", ", found.Select(d => d!["title"]!.GetValue<string>())));
    }

    [Theory]
    [InlineData("odata/v4/x_deals?$filter=partners eq null")]
    [InlineData("odata/v4/x_deals?$orderby=partners")]
    [InlineData("odata/v4/x_deals?$filter=partners/any(p: title eq 'x')")]
    [InlineData("odata/v4/x_deals?$expand=partners($filter=partners eq null)")]
    [InlineData("odata/v4/x_deals?$apply=groupby((partners))")]
    public async Task What_links_cannot_answer_is_a_bad_request(string url) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.GetAsync(url)).Status);

    [Fact]
    public async Task A_page_of_records_and_their_links_is_read_with_two_questions()
    {
        var firms = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            firms.Add(await FirmAsync($"Many {i}"));
        }

        for (var i = 0; i < 20; i++)
        {
            await crm.Api.CreateAsync("x_deals", $$"""{"title":"Page {{i}}","partners":[{{string.Join(',', firms.Select(f => $"\"{f}\""))}}]}""");
        }

        var page = (await crm.Api.GetAsync("odata/v4/x_deals?$filter=startswith(title,'Page')&$expand=partners($select=name)&$top=20")).Json["value"]!.AsArray();
        Assert.All(page, deal => Assert.Equal(5, deal!["partners"]!.AsArray().Count));
        var csdl = (await crm.Api.GetAsync("odata/v4/$metadata")).Text;
        Assert.Contains("""<NavigationProperty Name="partners" Type="Collection(crm.x_firm)" />""", csdl, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Partners(JsonNode deal) =>
        deal["partners"]!.AsArray().Select(p => $"{p!["name"]}|{p["@crm.link"]!["role"]}|{p["@crm.link"]!["share"]}").Order(StringComparer.Ordinal);

    private async Task<IEnumerable<string>> PartnersAsync(JsonNode deal) => Partners((await crm.Api.GetAsync($"odata/v4/x_deals({deal["id"]})?$expand=partners")).Json);

    private Task<string> FirmAsync(string name) => crm.FirmAsync(name);

    public sealed class Crm : IAsyncLifetime
    {
        private Task? asked;

        public ApiCrm Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[{"change":"change_field","entity":"x_firm","field":{"name":"name","unique":false}},
                 {"change":"add_field","entity":"x_deal","field":{"name":"partners","label":"Partners","type":"many_to_many","target":"x_firm",
                  "link":{"name":"x_role","label":"Role","plural":"Roles","fields":[{"name":"role","type":"choice","choices":[{"name":"buyer","label":"Buyer"}]},{"name":"share","type":"decimal"}]}}}]}
                """);
        }

        public Task DisposeAsync() => Api.DisposeAsync();

        public async Task<string> FirmAsync(string name) => (await Api.CreateAsync("x_firms", $$"""{"name":"{{name}}"}"""))["id"]!.GetValue<string>();

        /// <summary>Three deals to be asked for, made once.</summary>
        public Task AskAsync() => asked ??= MakeAsync();

        private async Task MakeAsync()
        {
            var (zoe, yan) = (await FirmAsync("Zoe"), await FirmAsync("Yan"));
            await Api.CreateAsync("x_deals", $$"""{"title":"Ask one","partners":["{{zoe}}","{{yan}}"]}""");
            await Api.CreateAsync("x_deals", $$"""{"title":"Ask two","partners":["{{yan}}"]}""");
            await Api.CreateAsync("x_deals", """{"title":"Ask none"}""");
        }
    }
}
