using System.Net;
using System.Text.Json.Nodes;
using Npgsql;

namespace Crm.Host.Tests.Api;

/// <summary>Records with what belongs to them: $expand of collections, and the addresses of the collections themselves.</summary>
public sealed class ExpandApiTests(ExpandApiTests.Crm crm) : IClassFixture<ExpandApiTests.Crm>
{
    [Fact]
    public async Task Records_come_with_those_that_point_to_them_each_collection_filtered_and_sorted_for_itself()
    {
        var page = await GetAsync("x_firms?$filter=name ne 'Busy'&$select=name&$orderby=name&$expand=x_deals($select=title;$filter=seats gt 1 and title ne 'it''s; (odd)';$orderby=seats desc;$count=true)");
        Assert.Equal(["Alpha: Five, Four, Three, Two", "Beta: Six", "Gamma: "], page["value"]!.AsArray().Select(f => $"{f!["name"]}: {Titles(f["x_deals"]!)}"));
        Assert.Equal(["4", "1", "0"], page["value"]!.AsArray().Select(f => f!["x_deals@odata.count"]!.ToString()));
        Assert.Equal(["@odata.etag", "title"], page["value"]![0]!["x_deals"]![0]!.AsObject().Select(p => p.Key));
        Assert.EndsWith("$metadata#x_firms(name,x_deals(title))", page["@odata.context"]!.ToString(), StringComparison.Ordinal);

        var one = await GetAsync($"x_firms({crm.Alpha})?$expand=x_deals");
        Assert.Equal("One, Two, Three, Four, Five", Titles(one["x_deals"]!));
        Assert.Equal(one["x_deals"]![4]!["@odata.etag"]!.ToString(), $"W/\"{one["x_deals"]![4]!["version"]}\"");
        // By everything, lookups and links are meant; what else points here is asked for by name.
        Assert.False((await GetAsync($"x_firms({crm.Alpha})?$expand=*")).ContainsKey("x_deals"));
        Assert.True((await GetAsync($"x_firms({crm.Alpha})?$expand=*,x_deals")).ContainsKey("x_deals"));
    }

    [Fact]
    public async Task What_does_not_fit_into_an_answer_is_read_page_by_page()
    {
        var firm = await GetAsync($"x_firms({crm.Alpha})?$expand=x_deals($select=title;$filter=title ne 'it''s; (odd)' and seats gt 1;$orderby=seats;$top=3;$expand=firm($select=name))");
        Assert.Equal("Two, Three, Four", Titles(firm["x_deals"]!));
        Assert.False(firm.ContainsKey("x_deals@odata.nextLink"));

        // A thousand of one record are in an answer; there are more of this one.
        var busy = await GetAsync($"x_firms({crm.Busy})?$expand=x_deals($select=title;$filter=seats eq 7 and urgent eq true;$orderby=title desc;$top=1003;$expand=firm($select=name);$count=true)");
        Assert.Equal(1000, busy["x_deals"]!.AsArray().Count);
        Assert.Equal(1005, (int)busy["x_deals@odata.count"]!);
        var next = new Uri(busy["x_deals@odata.nextLink"]!.ToString());
        Assert.Equal($"/odata/v4/x_firms({crm.Busy})/x_deals", next.AbsolutePath);
        var rest = (await crm.Api.GetAsync(next.PathAndQuery.TrimStart('/'))).Json;
        Assert.Equal("0007, 0006, 0005", Titles(rest["value"]!));
        Assert.All(rest["value"]!.AsArray(), d => Assert.Equal("Busy", d!["firm"]!["name"]!.ToString()));
        Assert.False(rest.ContainsKey("@odata.nextLink"));
    }

    [Fact]
    public async Task Expansions_lie_inside_each_other()
    {
        var deal = await GetAsync($"x_deals?$filter=title eq 'Two'&$select=title&$expand=firm($select=name;$expand=owner_user($select=name),x_deals($select=title;$filter=seats lt 3;$expand=partners($select=name),firm($select=name)))");
        var firm = deal["value"]![0]!["firm"]!;
        Assert.Equal(("Alpha", "One, Two"), (firm["name"]!.ToString(), Titles(firm["x_deals"]!)));
        Assert.NotNull(firm["owner_user"]!["name"]);
        Assert.Equal("Alpha", firm["x_deals"]![0]!["firm"]!["name"]!.ToString());
        Assert.Equal("Beta, Gamma", string.Join(", ", firm["x_deals"]![0]!["partners"]!.AsArray().Select(p => p!["name"]!.ToString()).Order(StringComparer.Ordinal)));
        Assert.Empty(firm["x_deals"]![1]!["partners"]!.AsArray());

        // A record that leads nowhere has nothing inside.
        var alone = await GetAsync("x_deals?$filter=title eq 'Alone'&$expand=firm($expand=x_deals)");
        Assert.Null(alone["value"]![0]!["firm"]);
        // What belongs to linked records.
        var one = await GetAsync($"x_deals?$filter=title eq 'One'&$expand=partners($orderby=name desc;$select=name;$expand=x_deals($select=title))");
        Assert.Equal(["Gamma: ", "Beta: Six"], one["value"]![0]!["partners"]!.AsArray().Select(p => $"{p!["name"]}: {Titles(p["x_deals"]!)}"));
    }

    [Fact]
    public async Task Linked_records_are_filtered_sorted_and_counted_too()
    {
        var deal = (await GetAsync("x_deals?$filter=title eq 'One'&$expand=partners($filter=startswith(name,'G');$count=true)"))["value"]![0]!;
        Assert.Equal("Gamma", Assert.Single(deal["partners"]!.AsArray())!["name"]!.ToString());
        Assert.Equal(1, (int)deal["partners@odata.count"]!);
        Assert.NotNull(deal["partners"]![0]!["@crm.link"]!["id"]);
        var first = (await GetAsync("x_deals?$filter=title eq 'One'&$expand=partners($orderby=name;$top=1)"))["value"]![0]!;
        Assert.Equal("Beta", Assert.Single(first["partners"]!.AsArray())!["name"]!.ToString());

        var linked = await GetAsync($"x_deals({deal["id"]})/partners?$filter=name ne 'Other'&$orderby=name desc&$top=1&$count=true&$select=name");
        Assert.Equal(("Gamma", 2), (linked["value"]![0]!["name"]!.ToString(), (int)linked["@odata.count"]!));
        var page = await crm.Api.GetAsync($"odata/v4/x_deals({deal["id"]})/partners?$orderby=name&$select=name", ("Prefer", "maxpagesize=1"));
        var rest = (await crm.Api.GetAsync(new Uri(page.Json["@odata.nextLink"]!.ToString()).PathAndQuery.TrimStart('/'))).Json;
        Assert.Equal(("Beta", "Gamma"), (page.Value[0]!["name"]!.ToString(), Assert.Single(rest["value"]!.AsArray())!["name"]!.ToString()));
    }

    [Fact]
    public async Task What_belongs_to_a_record_has_an_address()
    {
        var deals = await GetAsync($"x_firms({crm.Alpha})/x_deals?$filter=seats gt 2&$orderby=seats desc&$select=title&$count=true&$top=2");
        Assert.Equal(("Five, Four", 3), (Titles(deals["value"]!), (int)deals["@odata.count"]!));
        Assert.Equal("One, Two, Three, Four, Five", Titles((await GetAsync($"x_firms/{crm.Alpha}/x_deals"))["value"]!));
        var deal = (await GetAsync("x_deals?$filter=title eq 'Two'"))["value"]![0]!["id"];
        Assert.Equal("Alpha", (await GetAsync($"x_deals({deal})/firm?$select=name"))["name"]!.ToString());
        var alone = (await GetAsync("x_deals?$filter=title eq 'Alone'"))["value"]![0]!["id"];
        Assert.Equal(HttpStatusCode.NoContent, (await crm.Api.GetAsync($"odata/v4/x_deals({alone})/firm")).Status);
        foreach (var path in new[] { $"x_firms({Guid.CreateVersion7()})/x_deals", $"x_firms({crm.Alpha})/x_nonsense", $"x_firms({crm.Alpha})/name", $"x_firms({crm.Alpha})/x_deals/more" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await crm.Api.GetAsync("odata/v4/" + path)).Status);
        }

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await crm.Api.SendAsync("POST", $"odata/v4/x_firms({crm.Alpha})/x_deals", "{}")).Status);
    }

    [Fact]
    public async Task Notes_of_a_record_are_those_about_records_of_its_entity()
    {
        await crm.Api.CreateAsync("notes", $$"""{"about":{"entity":"x_firm","id":"{{crm.Alpha}}"},"text":"About Alpha"}""");
        var firms = await GetAsync("x_firms?$orderby=name&$top=2&$expand=notes_by_about($select=text)");
        Assert.Equal([1, 0], firms["value"]!.AsArray().Select(f => f!["notes_by_about"]!.AsArray().Count));
        Assert.Contains("About Alpha", firms["value"]![0]!["notes_by_about"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
        Assert.Single((await GetAsync($"x_firms({crm.Alpha})/notes_by_about"))["value"]!.AsArray());
    }

    [Theory]
    [InlineData("x_firms?$expand=x_deals($search=one)")]
    [InlineData("x_firms?$expand=x_deals($levels=2)")]
    [InlineData("x_firms?$expand=x_deals/$ref")]
    [InlineData("x_firms?$expand=x_deals/$count")]
    [InlineData("x_firms?$expand=x_deals($filter=nonsense eq 1)")]
    [InlineData("x_firms?$expand=x_deals($filter=firm/x_deals/any(d: d/seats gt 1))")]
    [InlineData("x_firms?$expand=x_deals($orderby=length(title))")]
    [InlineData("x_firms?$expand=x_deals($skip=1000001)")]
    [InlineData("x_firms?$expand=x_deals($top=many)")]
    [InlineData("x_firms?$expand=x_deals($expand=firm($expand=x_deals($expand=firm)))")]
    [InlineData("x_deals?$expand=firm($filter=name eq 'Alpha')")]
    [InlineData("x_deals?$expand=firm($top=1)")]
    [InlineData("x_deals?$expand=partners($search=alpha)")]
    public async Task What_an_expansion_does_not_offer_is_refused(string path)
    {
        var refused = await crm.Api.GetAsync("odata/v4/" + path);
        Assert.True(refused.Status == HttpStatusCode.BadRequest, refused.Text);
    }

    [Fact]
    public async Task Each_of_a_thousand_records_comes_with_what_belongs_to_it()
    {
        var page = await GetAsync("x_deals?$filter=seats eq 7&$top=1000&$select=title&$expand=firm($select=name;$expand=x_deals($select=title;$top=2)),partners,notes_by_about");
        Assert.Equal(1000, page["value"]!.AsArray().Count);
        Assert.All(page["value"]!.AsArray(), d => Assert.Equal((2, 0, 0), (d!["firm"]!["x_deals"]!.AsArray().Count, d["partners"]!.AsArray().Count, d["notes_by_about"]!.AsArray().Count)));
    }

    private static string Titles(JsonNode deals) => string.Join(", ", deals.AsArray().Select(d => d!["title"]!.ToString()));

    private async Task<JsonObject> GetAsync(string path)
    {
        var answer = await crm.Api.GetAsync("odata/v4/" + path);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    public sealed class Crm : IAsyncLifetime
    {
        public ApiCrm Api { get; } = new();

        public string Alpha { get; private set; } = "";

        public string Busy { get; private set; } = "";

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"partners","label":"Partners","type":"many_to_many","target":"x_firm",
                  "inverse":{"name":"partner_in","label":"Partner in"},"link":{"name":"x_role","label":"Role","plural":"Roles"}}}]}
                """);
            Alpha = await FirmAsync("Alpha");
            var (beta, gamma) = (await FirmAsync("Beta"), await FirmAsync("Gamma"));
            var titles = new[] { "One", "Two", "Three", "Four", "Five" };
            for (var i = 0; i < titles.Length; i++)
            {
                var partners = i == 0 ? $",\"partners\":[\"{beta}\",\"{gamma}\"]" : "";
                await Api.CreateAsync("x_deals", $$"""{"title":"{{titles[i]}}","seats":{{i + 1}},"firm_id":"{{Alpha}}"{{partners}}}""");
            }

            await Api.CreateAsync("x_deals", $$"""{"title":"Six","seats":6,"firm_id":"{{beta}}"}""");
            await Api.CreateAsync("x_deals", """{"title":"Alone"}""");
            Busy = await FirmAsync("Busy");
            await using var connection = new NpgsqlConnection(Api.Crm.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand("INSERT INTO records.x_deal (id, created_at, modified_at, title, seats, urgent, firm_id) SELECT gen_random_uuid(), now(), now(), lpad((n + 2)::text, 4, '0'), 7, true, $1 FROM generate_series(1, 1005) AS n", connection);
            command.Parameters.Add(new() { Value = Guid.Parse(Busy) });
            await command.ExecuteNonQueryAsync();
        }

        public Task DisposeAsync() => Api.DisposeAsync();

        private async Task<string> FirmAsync(string name) => (await Api.CreateAsync("x_firms", $$"""{"name":"{{name}}"}"""))["id"]!.GetValue<string>();
    }
}
