using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Crm.Host.Pages;
using Crm.Host.Security;
using Crm.Host.Tests.Import;
using Crm.Host.Tests.Live;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Api;

/// <summary>What a user without a right gets at each door of the API; what they may be refused is tested in the engine, by table.</summary>
public sealed class AccessApiTests(AccessApiTests.Crm crm) : IClassFixture<AccessApiTests.Crm>
{
    [Theory]
    [InlineData("odata/v4/x_deals?$select=seats", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$filter=seats gt 1", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$orderby=seats", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$apply=aggregate(seats with max as x)", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$apply=groupby((seats))", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_firms?$expand=nothing", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$expand=firm($select=revenue)", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_firms?$expand=x_deals($select=seats)", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_firms?$expand=x_deals($filter=seats gt 1)", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_firms?$expand=x_deals($orderby=seats)", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$expand=firm($expand=x_deals($filter=seats gt 1))", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_deals?$expand=x_secrets", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/users?$expand=x_secrets_by_owner", HttpStatusCode.BadRequest)]
    [InlineData("odata/v4/x_secrets", HttpStatusCode.NotFound)]
    [InlineData("odata/v4/x_secrets/$count", HttpStatusCode.NotFound)]
    public async Task What_may_not_be_seen_is_refused_like_what_does_not_exist(string path, HttpStatusCode status)
    {
        using var answer = await crm.Kim.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(status, answer.StatusCode);
        var made = path.Replace("seats", "nonsense", StringComparison.Ordinal).Replace("revenue", "nonsense", StringComparison.Ordinal).Replace("x_secrets", "x_nonsense", StringComparison.Ordinal);
        using var unknown = await crm.Kim.GetAsync(new Uri(made, UriKind.Relative));
        Assert.Equal(await CodeAsync(unknown), await CodeAsync(answer));
    }

    [Fact]
    public async Task A_forbidden_field_is_absent_from_every_answer()
    {
        foreach (var path in new[] { $"odata/v4/x_deals({crm.Deal})", "odata/v4/x_deals", "odata/v4/$metadata", "odata/v4/x_deals?$search=deal", $"api/records/x_deal/{crm.Deal}/history", "openapi/v1.json" })
        {
            var text = await crm.Kim.GetStringAsync(new Uri(path, UriKind.Relative));
            Assert.DoesNotContain("seats", text, StringComparison.Ordinal);
            Assert.DoesNotContain("x_secret", text, StringComparison.Ordinal);
            Assert.Contains("seats", await crm.Api.Admin.GetStringAsync(new Uri(path, UriKind.Relative)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_record_out_of_reach_is_not_found_and_one_that_is_only_read_says_why()
    {
        using var hidden = await crm.Kim.GetAsync(new Uri($"odata/v4/x_firms({crm.Firm})", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);
        using var change = await crm.Kim.PatchAsJsonAsync($"odata/v4/x_deals({crm.Deal})", new { title = "Mine" });
        Assert.Equal(HttpStatusCode.Forbidden, change.StatusCode);
        Assert.Contains("Everyone", await change.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var bulk = await crm.Kim.PostAsJsonAsync("api/bulk", new { entity = "x_deal", action = "delete", records = new { all = true } });
        Assert.Equal(HttpStatusCode.Forbidden, bulk.StatusCode);
        var deal = await crm.Kim.GetFromJsonAsync<JsonObject>($"odata/v4/x_deals({crm.Deal})?$expand=firm");
        Assert.Null(deal!["firm"]);
    }

    [Fact]
    public async Task Who_looked_at_a_record_is_told_to_those_who_may_share_it()
    {
        await crm.Api.ApplyAsync("""{"changes":[{"change":"change_entity","entity":"x_deal","view_log":true}]}""");
        await crm.Kim.GetStringAsync(new Uri($"odata/v4/x_deals({crm.Deal})", UriKind.Relative));
        await crm.Kim.GetStringAsync(new Uri($"odata/v4/x_deals({crm.Deal})?$select=title", UriKind.Relative));
        var views = new Uri($"api/records/x_deal/{crm.Deal}/views", UriKind.Relative);
        var told = await crm.Api.Admin.GetFromJsonAsync<JsonObject>(views);
        // Two when the hour ends in between.
        Assert.Equal(2, told!["value"]!.AsArray().Where(v => (string)v!["user_name"]! == "Kim").Sum(v => (int)v!["times"]!));
        using var refused = await crm.Kim.GetAsync(views);
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        await crm.Api.ApplyAsync("""{"changes":[{"change":"change_entity","entity":"x_deal","view_log":null}]}""");
    }

    [Fact]
    public async Task Records_out_of_reach_are_in_no_collection_and_no_count_of_one()
    {
        foreach (var path in new[] { $"odata/v4/x_firms({crm.Firm})/x_deals", $"odata/v4/x_firms({crm.Firm})/owner_user", $"odata/v4/x_deals({crm.Deal})/x_secrets" })
        {
            using var missing = await crm.Kim.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        }

        using var lookup = await crm.Kim.GetAsync(new Uri($"odata/v4/x_deals({crm.Deal})/firm", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, lookup.StatusCode);
        // A hierarchy of firms, of which the one below is shared and the one above is not.
        var below = (await crm.Api.CreateAsync("x_firms", $$"""{"name":"Below","above_id":"{{crm.Firm}}"}"""))["id"]!.ToString();
        var seen = (await crm.Api.CreateAsync("x_firms", $$"""{"name":"Seen","above_id":"{{below}}"}"""))["id"]!.ToString();
        var unseen = (await crm.Api.CreateAsync("x_firms", $$"""{"name":"Unseen","above_id":"{{below}}"}"""))["id"]!.ToString();
        foreach (var firm in new[] { below, seen })
        {
            using var shared = await crm.Api.Admin.PutAsJsonAsync($"api/records/x_firm/{firm}/sharing", new { shares = new[] { new { with = crm.KimId.ToString(), level = "read" } } });
            Assert.Equal(HttpStatusCode.OK, shared.StatusCode);
        }

        var read = await crm.Kim.GetFromJsonAsync<JsonObject>($"odata/v4/x_firms({below})?$expand=above,x_firms($count=true;$expand=above($expand=x_firms($count=true)))");
        Assert.Null(read!["above"]);
        Assert.Equal((seen, 1), (Assert.Single(read["x_firms"]!.AsArray())!["id"]!.ToString(), (int)read["x_firms@odata.count"]!));
        Assert.Equal(1, (int)read["x_firms"]![0]!["above"]!["x_firms@odata.count"]!);
        Assert.DoesNotContain(unseen, read.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("revenue", read.ToJsonString(), StringComparison.Ordinal);
        var all = await crm.Api.Admin.GetFromJsonAsync<JsonObject>($"odata/v4/x_firms({below})?$expand=x_firms($count=true)");
        Assert.Equal(2, (int)all!["x_firms@odata.count"]!);
        Assert.Contains("revenue", all.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_gives_nobody_more_than_each_of_its_requests()
    {
        using var batch = JsonContent.Create(JsonNode.Parse($$"""
            {"requests":[
              {"id":"1","method":"GET","url":"x_secrets"},
              {"id":"2","method":"GET","url":"x_deals?$filter=seats gt 1"},
              {"id":"3","method":"GET","url":"x_firms({{crm.Firm}})"},
              {"id":"4","atomicityGroup":"a","method":"PATCH","url":"x_deals({{crm.Deal}})","body":{"title":"Mine"} },
              {"id":"5","atomicityGroup":"b","method":"PATCH","url":"x_firms({{crm.Firm}})","body":{"name":"Mine"} },
              {"id":"6","atomicityGroup":"c","method":"POST","url":"x_secrets","body":{"name":"Mine"} },
              {"id":"7","method":"GET","url":"x_deals({{crm.Deal}})"} ]}
            """));
        using var request = new HttpRequestMessage(HttpMethod.Post, "odata/v4/$batch") { Content = batch };
        request.Headers.Add("Prefer", "continue-on-error");
        using var answer = await crm.Kim.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal([404, 400, 404, 403, 404, 404, 200], JsonNode.Parse(text)!["responses"]!.AsArray().Select(a => (int)a!["status"]!));
        Assert.DoesNotContain("revenue", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"seats\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_is_shared_and_the_reason_is_told()
    {
        var path = $"api/records/x_firm/{crm.Firm}/sharing";
        using var denied = await crm.Kim.PutAsJsonAsync(path, new { shares = Array.Empty<object>() });
        Assert.Equal(HttpStatusCode.NotFound, denied.StatusCode);
        using var shared = await crm.Api.Admin.PutAsJsonAsync(path, new { shares = new[] { new { with = crm.KimId.ToString(), level = "read" } } });
        Assert.Equal(HttpStatusCode.OK, shared.StatusCode);
        using var seen = await crm.Kim.GetAsync(new Uri($"odata/v4/x_firms({crm.Firm})", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, seen.StatusCode);
        // CON-11: whoever sees the record reads in its history who shared it with whom.
        foreach (var client in new[] { crm.Api.Admin, crm.Kim })
        {
            var entry = (await client.GetFromJsonAsync<JsonObject>($"api/records/x_firm/{crm.Firm}/history"))!["value"]![0]!;
            Assert.Equal(("share", crm.Api.Crm.Admin.Name), ((string)entry["kind"]!, (string)entry["user_name"]!));
            Assert.Equal($$"""[{"with":"{{crm.KimId}}","kind":"user","name":"Kim","before":null,"after":"read"}]""", entry["shares"]!.ToJsonString());
        }

        await using (var page = await RenderedPage.OpenAsync<RecordPageHistory>(crm.Api.Crm, new Actor(crm.KimId, "Kim", IsAdministrator: false), async services => new Dictionary<string, object?>
        {
            ["Entity"] = crm.Api.Crm.Metadata.Current.Entity("x_firm"),
            ["Record"] = await services.GetRequiredService<IRecordService>().FindAsync("x_firm", Guid.Parse(crm.Firm)),
            ["Titles"] = new RecordTitles(),
        }))
        {
            var said = await page.ShowsAsync("changed who sees this Firm");
            Assert.Contains("<dt>Kim</dt>", said, StringComparison.Ordinal);
            Assert.Contains("<ins>may read</ins>", said, StringComparison.Ordinal);
        }

        var why = await crm.Api.Admin.GetFromJsonAsync<JsonObject>($"api/access/why?entity=x_firm&id={crm.Firm}&user={crm.KimId}&operation=write");
        Assert.False(why!["allowed"]!.GetValue<bool>());
        Assert.Contains("shared with Kim", why["facts"]!.ToJsonString(), StringComparison.Ordinal);
        using var others = await crm.Kim.GetAsync(new Uri($"api/access/why?entity=x_deal&user={crm.Api.Crm.Admin.UserId}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, others.StatusCode);
        using var unshared = await crm.Api.Admin.PutAsJsonAsync(path, new { shares = Array.Empty<object>() });
        using var gone = await crm.Kim.GetAsync(new Uri($"odata/v4/x_firms({crm.Firm})", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        using var wrong = await crm.Api.Admin.PutAsJsonAsync(path, new { shares = new[] { new { with = "nobody", level = "read" } } });
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task The_search_over_everything_finds_what_its_user_may_read_only()
    {
        await crm.Api.CreateAsync("x_secrets", """{"name":"Acme in secret"}""");
        var deal = await crm.Api.CreateAsync("x_deals", """{"title":"Ácme twice"}""");
        Assert.Equal(["x_firm", "x_deal", "x_secret"], await FoundAsync(crm.Api.Admin, "acme"));
        Assert.Equal(["x_deal"], await FoundAsync(crm.Kim, "acme"));
        Assert.Contains("x_secret", await FoundAsync(crm.Api.Admin, "Acmee"));
        Assert.Equal(["x_deal"], await FoundAsync(crm.Kim, "Acmee"));
        Assert.Empty(await FoundAsync(crm.Kim, "a"));
        Assert.Empty(await FoundAsync(crm.Kim, "100% \\ _ ' \ud800"));
        var found = await crm.Kim.GetFromJsonAsync<JsonObject>("api/search?q=acme%20TWICE&top=1");
        Assert.Equal(deal["id"]!.ToString(), found!["value"]![0]!["records"]![0]!["id"]!.ToString());
        Assert.Equal("exact", found["value"]![0]!["records"]![0]!["fit"]!.ToString());
        using var wrong = await crm.Kim.GetAsync(new Uri("api/search?q=acme&top=51", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using var empty = await crm.Kim.GetAsync(new Uri("api/search", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);

        static async Task<string[]> FoundAsync(HttpClient client, string text) =>
            [.. (await client.GetFromJsonAsync<JsonObject>("api/search?q=" + Uri.EscapeDataString(text)))!["value"]!.AsArray().Select(g => g!["entity"]!.ToString())];
    }

    [Fact]
    public async Task A_dry_run_takes_a_record_out_of_reach_for_one_that_is_not_there()
    {
        var import = new ImportClient(crm.Api.Crm, crm.Kim);
        const string Mapping = """{"fields":{"title":{"column":"title"},"firm":{"column":"firm"}}}""";
        var job = await import.ImportAsync("x_deal", "title,firm\nOne,Acme\nTwo,Nonsense\n", ("mapping", Mapping), ("dry_run", "true"));
        var rows = (await import.GetAsync($"api/jobs/{job.GetProperty("id").GetGuid()}/verdicts")).GetProperty("value").EnumerateArray().Select(r => r.GetRawText()).ToList();
        Assert.Equal(2, rows.Count);
        Assert.All(rows, r => Assert.Contains("\"unknown\"", r, StringComparison.Ordinal));
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<JsonObject>())!["error"]!["code"]!.GetValue<string>();

    public sealed class Crm : IAsyncLifetime
    {
        private const string Password = "copper violin lighthouse";

        public ApiCrm Api { get; } = new();

        public HttpClient Kim { get; private set; } = null!;

        public Guid KimId { get; private set; }

        public string Firm { get; private set; } = "";

        public string Deal { get; private set; } = "";

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[
                  {"change":"create_entity","name":"x_secret","label":"Secret","plural":"Secrets","set":"x_secrets","fields":[{"name":"name","type":"text","label":"Name"}]},
                  {"change":"add_field","entity":"x_firm","field":{"name":"above","type":"lookup","label":"Above","target":"x_firm"}},
                  {"change":"set_grant","entity":"x_secret","grant":{"name":"everyone","read":"none"}},
                  {"change":"change_entity","entity":"x_firm","visibility":"private","search":["name"]},
                  {"change":"set_grant","entity":"x_firm","grant":{"name":"everyone","fields":[{"name":"revenue","access":"none"}]}},
                  {"change":"set_grant","entity":"x_deal","grant":{"name":"everyone","read":"all","write":"own","delete":"none","fields":[{"name":"seats","access":"none"}]}}]}
                """);
            var firm = await Api.CreateAsync("x_firms", """{"name":"Acme"}""");
            Firm = firm["id"]!.ToString();
            Deal = (await Api.CreateAsync("x_deals", $$"""{"title":"Deal","seats":5,"firm_id":"{{Firm}}"}"""))["id"]!.ToString();
            KimId = Guid.Parse((await Api.CreateAsync("users", """{"name":"Kim","user_name":"kim","can_sign_in":true}"""))["id"]!.ToString());
            await Api.Crm.Services.GetRequiredService<Passwords>().SetAsync(KimId, Password, CancellationToken.None);
            Kim = Api.Crm.Client(await Api.Crm.TokenAsync("kim", Password));
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
