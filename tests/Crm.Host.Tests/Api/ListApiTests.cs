using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Crm.Host.Tests.Api;

/// <summary>Lists through HTTP: conditions, order, pages, lookups, aggregates.</summary>
public sealed class ListApiTests(ListApiTests.Data data) : IClassFixture<ListApiTests.Data>
{
    private readonly ApiCrm crm = data.Crm;

    [Theory]
    [InlineData("title eq 'Deal 07'", "07")]
    [InlineData("title eq 'deal 07'", "")]
    [InlineData("tolower(title) eq 'deal 07'", "07")]
    [InlineData("contains(title,'DEAL 1')", "10 11 12")]
    [InlineData("startswith(title,'Deal 0') and seats gt 7", "08 09")]
    [InlineData("endswith(title,'2') or seats eq 1", "01 02 12")]
    [InlineData("not (seats le 10)", "11 12")]
    [InlineData("seats in (3,5,99)", "03 05")]
    [InlineData("budget ge 1100.00", "11 12")]
    [InlineData("budget eq null", "")]
    [InlineData("urgent", "02 04 06 08 10 12")]
    [InlineData("close_date lt 2026-01-03", "01 02")]
    [InlineData("year(close_date) eq 2026 and close_date gt 2026-01-10", "11 12")]
    [InlineData("stage eq 'won'", "03 06 09 12")]
    [InlineData("stage in ('won','lost') and seats lt 6", "03")]
    [InlineData("tags/any(t: t eq 'hot')", "01 04 07 10")]
    [InlineData("firm/name eq 'Firm B'", "02 04 06 08 10 12")]
    [InlineData("firm/name eq 'Firm B' and startswith(firm/name,'firm') and owner_user/user_name eq 'admin'", "02 04 06 08 10 12")]
    [InlineData("firm_id eq null", "01 03 05 07 09 11")]
    [InlineData("firm eq null and seats lt 4", "01 03")]
    [InlineData("created_at gt now()", "")]
    [InlineData("title eq 'x'' or ''1'' eq ''1'", "")]
    [InlineData("contains(title,'%')", "")]
    public async Task A_filter_finds_the_right_records(string filter, string expected)
    {
        var answer = await crm.GetAsync("odata/v4/x_deals?$select=title&$orderby=title&$filter=" + Uri.EscapeDataString(filter));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(expected, string.Join(' ', answer.Column("title").Select(t => t[5..])));
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length.ToString(CultureInfo.InvariantCulture), (await crm.GetAsync("odata/v4/x_deals/$count?$filter=" + Uri.EscapeDataString(filter))).Text);
    }

    [Theory]
    [InlineData("seats desc", "12 11 10")]
    [InlineData("stage desc,seats", "03 06 09")]
    [InlineData("firm/name,seats desc", "12 10 08")]
    [InlineData("tolower(title) desc", "12 11 10")]
    public async Task An_order_is_kept(string order, string expected)
    {
        var answer = await crm.GetAsync($"odata/v4/x_deals?$top=3&$orderby={Uri.EscapeDataString(order)}");
        Assert.Equal(expected, string.Join(' ', answer.Column("title").Select(t => t[5..])));
        Assert.False(answer.Json.ContainsKey("@odata.nextLink"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("$orderby=seats desc&")]
    [InlineData("$orderby=firm/name,stage desc&")]
    [InlineData("$orderby=urgent&$filter=seats gt 2&$select=title&")]
    [InlineData("$top=11&")]
    [InlineData("$skip=2&$top=9&")]
    public async Task Following_the_next_link_gives_every_record_once(string query)
    {
        var all = (await crm.GetAsync($"odata/v4/x_deals?{query}$count=true")).Value.Select(r => r!["title"]!.ToString()).ToList();
        var walked = new List<string>();
        var next = $"odata/v4/x_deals?{query}";
        while (next is not null)
        {
            var page = await crm.GetAsync(next, ("Prefer", "maxpagesize=4"));
            Assert.True(page.Status == HttpStatusCode.OK, page.Text);
            Assert.InRange(page.Value.Count, 1, 4);
            walked.AddRange(page.Column("title"));
            next = page.Json["@odata.nextLink"]?.ToString();
        }

        Assert.Equal(all, walked);
        Assert.Equal(walked.Count, walked.Distinct().Count());
    }

    [Fact]
    public async Task Only_what_is_selected_comes_back_and_lookups_are_followed()
    {
        var answer = await crm.GetAsync("odata/v4/x_deals?$select=title,budget_currency&$expand=firm($select=name),owner_user($select=name)&$orderby=title&$top=2&$count=true");
        Assert.Equal(12, (int)answer.Json["@odata.count"]!);
        Assert.EndsWith("#x_deals(title,budget_currency,firm(name),owner_user(name))", answer.Json["@odata.context"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("""{"@odata.etag":"W/\u00221\u0022","title":"Deal 01","budget_currency":"USD","firm":null,"owner_user":{"name":"Administrator"}}""", answer.Value[0]!.ToJsonString());
        Assert.Equal("""{"name":"Firm B"}""", answer.Value[1]!["firm"]!.ToJsonString());

        var whole = await crm.GetAsync("odata/v4/x_deals?$expand=firm&$filter=title eq 'Deal 02'");
        var firm = whole.Value[0]!["firm"]!.AsObject();
        Assert.Equal(("Firm B", "EUR"), (firm["name"]!.ToString(), firm["revenue_currency"]!.ToString()));
        Assert.Equal(whole.Value[0]!["firm_id"]!.ToString(), firm["id"]!.ToString());

        var one = await crm.GetAsync($"odata/v4/x_deals({whole.Value[0]!["id"]})?$select=title&$expand=firm($select=name)");
        Assert.Equal("""{"name":"Firm B"}""", one.Json["firm"]!.ToJsonString());
        Assert.False(one.Json.ContainsKey("seats"));
    }

    [Fact]
    public async Task Search_finds_words_and_an_empty_page_is_no_error()
    {
        Assert.Equal(["Deal 11"], (await crm.GetAsync("odata/v4/x_deals?$search=deal%2011")).Column("title"));
        var none = await crm.GetAsync("odata/v4/x_deals?$search=nowhere&$count=true");
        Assert.Equal((0, 0), (none.Value.Count, (int)none.Json["@odata.count"]!));
        var count = await crm.GetAsync("odata/v4/x_deals?$top=0&$count=true");
        Assert.Equal((0, 12, false), (count.Value.Count, (int)count.Json["@odata.count"]!, count.Json.ContainsKey("@odata.nextLink")));
    }

    [Fact]
    public async Task Records_are_grouped_and_aggregated()
    {
        var answer = await crm.GetAsync("odata/v4/x_deals?$apply=groupby((stage),aggregate(budget with sum as total,$count as number,seats with max as most))&$orderby=total desc");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.EndsWith("#x_deals(stage,total,number,most)", answer.Json["@odata.context"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("""[{"stage":"open","total":4806.02,"number":8,"most":11},{"stage":"won","total":3003.76,"number":4,"most":12}]""", answer.Value.ToJsonString());

        answer = await crm.GetAsync("odata/v4/x_deals?$apply=filter(seats gt 6)/groupby((firm/name,budget_currency),aggregate(seats with average as mean,owner with countdistinct as owners))&$orderby=firm/name");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal("Firm B", answer.Value[0]!["firm"]!["name"]!.ToString());
        Assert.Equal((10m, 1), ((decimal)answer.Value[0]!["mean"]!, (int)answer.Value[0]!["owners"]!));
        Assert.Null(answer.Value[1]!["firm"]!["name"]);

        answer = await crm.GetAsync("odata/v4/x_deals?$apply=aggregate(close_date with min as first,$count as number)");
        Assert.Equal("""[{"first":"2026-01-01","number":12}]""", answer.Value.ToJsonString());
    }

    [Theory]
    [InlineData("$apply=groupby((titel))")]
    [InlineData("$apply=aggregate(title with sum as x)")]
    [InlineData("$apply=aggregate(budget with sum as x,seats with sum as x)")]
    [InlineData("$apply=groupby((stage))/filter(stage eq 'won')")]
    [InlineData("$apply=groupby((stage),aggregate($count as n))&$orderby=seats")]
    [InlineData("$apply=groupby((stage),aggregate($count as n))&$filter=seats eq 1")]
    [InlineData("$skiptoken=abc")]
    [InlineData("$orderby=tags")]
    [InlineData("$filter=source gt 'a'")]
    [InlineData("$filter=contains(stage,'o')")]
    [InlineData("$skip=99999999")]
    public async Task A_question_that_cannot_be_answered_is_refused(string query)
    {
        var answer = await crm.GetAsync("odata/v4/x_deals?" + query);
        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.ToString());
        Assert.NotNull(answer.Code);
    }

    [Fact]
    public async Task Every_comparison_of_every_kind_of_field_with_every_kind_of_value_is_answered_or_refused()
    {
        string[] properties =
        [
            "id", "version", "title", "notes", "email", "seats", "weight", "budget", "budget_currency", "urgent", "close_date", "next_call", "source", "tags", "firm", "firm_id", "firm/revenue", "stage",
            "number", "owner", "owner_user/name", "created_at", "is_active",
        ];
        string[] values =
        [
            "null", "''", "'a'", "'%_\\\\'", "'" + new string('x', 3000) + "'", "'\u0000'", "true", "0", "-1", "1.5", "9223372036854775807", "9223372036854775808", "79228162514264337593543950335", "1e300", "NaN", "INF",
            "0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00", "01890a5d-ac96-774b-bcce-b302099a8057", "now()",
        ];
        string[] shapes = ["{0} eq {1}", "{0} ne {1}", "{0} gt {1}", "{0} in ({1},{1})", "contains({0},{1})", "endswith(tolower({0}),{1})", "{0}/any(x: x eq {1})", "year({0}) eq {1}", "date({0}) le {1}"];
        foreach (var shape in shapes)
        {
            foreach (var property in properties)
            {
                // Many in one request would hide each other's refusals; batches keep the number of requests small.
                var requests = values.Select((value, i) => new { id = i.ToString(CultureInfo.InvariantCulture), method = "GET", url = "x_deals?$top=1&$filter=" + Uri.EscapeDataString(string.Format(CultureInfo.InvariantCulture, shape, property, value)) });
                var answer = await crm.SendAsync("POST", "odata/v4/$batch", JsonSerializer.Serialize(new { requests }), ("Prefer", "continue-on-error"));
                var bad = answer.Json["responses"]!.AsArray().Where(r => (int)r!["status"]! is not (200 or 400)).ToList();
                Assert.True(bad.Count == 0, $"{shape} {property} {values[int.Parse(bad.FirstOrDefault()?["id"]?.ToString() ?? "0", CultureInfo.InvariantCulture)]}: {bad.FirstOrDefault()}");
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("$metadata")]
    [InlineData("$metadata?$format=json")]
    public async Task The_model_is_published(string path)
    {
        var answer = await crm.GetAsync("odata/v4/" + path);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains("x_deals", answer.Text, StringComparison.Ordinal);
        Assert.Contains("users", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_of_version_4_0_is_answered_in_4_0()
    {
        Assert.Equal("4.0", (await crm.GetAsync("odata/v4/x_deals?$top=1", ("OData-MaxVersion", "4.0"))).Headers["OData-Version"]);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.GetAsync("odata/v4/x_deals?$top=1", ("OData-Version", "3.0"))).Status);
        Assert.Equal(HttpStatusCode.NotAcceptable, (await crm.GetAsync("odata/v4/x_deals?$format=atom")).Status);
    }

    [Fact]
    public async Task The_OpenAPI_document_knows_entities_made_a_moment_ago_and_the_page_to_try_it_is_there()
    {
        var answer = await crm.GetAsync("openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var paths = answer.Json["paths"]!.AsObject();
        Assert.Contains("/odata/v4/x_deals({id})", paths.Select(p => p.Key));
        Assert.Contains("/api/metadata/plan", paths.Select(p => p.Key));
        var read = await Microsoft.OpenApi.OpenApiDocument.LoadAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(answer.Text)), "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Contains("swagger-ui", (await crm.GetAsync("api/index.html")).Text, StringComparison.Ordinal);
    }

    /// <summary>Twelve deals that differ in what the tests ask for.</summary>
    public sealed class Data : IAsyncLifetime
    {
        public ApiCrm Crm { get; } = new();

        public async Task InitializeAsync()
        {
            await Crm.InitializeAsync();
            var firm = await Crm.CreateAsync("x_firms", """{"name":"Firm B","revenue":5}""");
            for (var i = 1; i <= 12; i++)
            {
                await Crm.CreateAsync("x_deals", JsonSerializer.Serialize(new
                {
                    title = string.Create(CultureInfo.InvariantCulture, $"Deal {i:00}"),
                    seats = i,
                    budget = 100.125m * i,
                    urgent = i % 2 == 0,
                    close_date = new DateOnly(2026, 1, i),
                    tags = i % 3 == 1 ? new[] { "hot" } : [],
                    firm_id = i % 2 == 0 ? firm["id"]!.ToString() : null,
                    stage = i % 3 == 0 ? "won" : "open",
                }));
            }
        }

        public Task DisposeAsync() => Crm.DisposeAsync();
    }
}
