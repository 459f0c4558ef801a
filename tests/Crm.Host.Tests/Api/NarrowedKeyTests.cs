using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Crm.Host.Security;
using Crm.Host.Tests.Import;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Api;

/// <summary>
/// Key × door. Each key narrows an administrator and a user with all rights alike: to reading some fields of deals, to reading and changing them, to making and reading firms. What a key does not
/// include is as if it did not exist.
/// </summary>
public sealed class NarrowedKeyTests(NarrowedKeyTests.Crm crm) : IClassFixture<NarrowedKeyTests.Crm>
{
    public enum Owner
    {
        Administrator, User,
    }

    private const string Reader = "reader";
    private const string Writer = "writer";
    private const string Maker = "maker";

    private static readonly string[] Keys = [Reader, Writer, Maker];

    /// <summary>What each key gets at each door: of a reader of deals, of a writer, of a maker of firms.</summary>
    private static readonly (string Door, HttpStatusCode Reader, HttpStatusCode Writer, HttpStatusCode Maker)[] Reading =
    [
        ("odata/v4/x_deals", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals({deal})", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals/$count", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$filter=title eq 'Deal'&$orderby=title&$count=true", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$search=deal", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$select=seats", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$filter=seats gt 1", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$orderby=seats", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals/$count?$filter=seats gt 1", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$apply=aggregate(seats with max as x)", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$apply=groupby((seats))", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$filter=created_at gt 2020-01-01T00:00:00Z", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$expand=firm", HttpStatusCode.BadRequest, HttpStatusCode.BadRequest, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$filter=firm/name eq 'Acme'", HttpStatusCode.BadRequest, HttpStatusCode.BadRequest, HttpStatusCode.NotFound),
        ("odata/v4/x_deals?$expand=owner_user", HttpStatusCode.BadRequest, HttpStatusCode.BadRequest, HttpStatusCode.NotFound),
        ("odata/v4/x_firms", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.OK),
        ("odata/v4/x_firms({firm})", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.OK),
        ("odata/v4/x_firms?$filter=x_deals/any()", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.BadRequest),
        ("odata/v4/x_firms?$expand=x_deals", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.BadRequest),
        ("odata/v4/x_firms({firm})/x_deals", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound),
        ("odata/v4/x_deals({deal})/firm", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound),
        ("odata/v4/users", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound),
        ("odata/v4/notes", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound),
        ("api/records/x_deal/{deal}/history", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("api/records/x_firm/{firm}/history", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.OK),
        ("api/export/x_deal?format=csv", HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("api/export/x_deal?format=csv&$select=seats", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("api/records/x_deal/{deal}/sharing", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/metadata", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/metadata/entities/x_deal", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/views?entity=x_deal", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/exports", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/bin", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/duplicates/x_deal", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/modules", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/webhooks", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/auth/keys", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("elsa/api/workflow-definitions", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("e/x_deal", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("keys", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("api/nowhere", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
    ];

    /// <summary>As above, for what changes something.</summary>
    private static readonly (string Method, string Door, string Body, HttpStatusCode Reader, HttpStatusCode Writer, HttpStatusCode Maker)[] Changing =
    [
        ("PATCH", "odata/v4/x_deals({deal})", """{"title":"Deal"}""", HttpStatusCode.Forbidden, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("PATCH", "odata/v4/x_deals({deal})", """{"seats":5}""", HttpStatusCode.Forbidden, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("PATCH", "odata/v4/x_deals({deal})", """{"code":"C"}""", HttpStatusCode.Forbidden, HttpStatusCode.BadRequest, HttpStatusCode.NotFound),
        ("POST", "odata/v4/x_deals", """{"title":"New"}""", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.NotFound),
        ("DELETE", "odata/v4/x_deals({deal})", "", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.NotFound),
        ("POST", "odata/v4/x_firms", """{"name":"{new}"}""", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.Created),
        ("PATCH", "odata/v4/x_firms({firm})", """{"name":"Other"}""", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.Forbidden),
        ("POST", "odata/v4/users", """{"name":"Eve"}""", HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound),
        ("POST", "api/bulk", """{"entity":"x_deal","action":"delete","records":{"all":true}}""", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.NotFound),
        ("POST", "api/bulk/preview", """{"entity":"x_deal","action":"update","records":{"filter":"seats gt 1"},"set":{"title":"x"}}""", HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.NotFound),
        ("PUT", "api/records/x_deal/{deal}/sharing", """{"shares":[]}""", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("POST", "api/metadata/plan", """{"changes":[]}""", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("POST", "api/merge", "{}", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("POST", "api/bin/restore", "{}", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("POST", "api/webhooks", "{}", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("POST", "api/views", "{}", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
        ("POST", "api/auth/keys", """{"name":"More"}""", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
    ];

    public static TheoryData<Owner, string, string, string, string, HttpStatusCode> Doors()
    {
        var data = new TheoryData<Owner, string, string, string, string, HttpStatusCode>();
        foreach (var owner in Enum.GetValues<Owner>())
        {
            foreach (var (method, door, body, reader, writer, maker) in Reading.Select(r => ("GET", r.Door, "", r.Reader, r.Writer, r.Maker)).Concat(Changing))
            {
                data.Add(owner, Reader, method, door, body, reader);
                data.Add(owner, Writer, method, door, body, writer);
                data.Add(owner, Maker, method, door, body, maker);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_key_opens_what_it_was_made_for(Owner owner, string key, string method, string door, string body, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), door.Replace("{deal}", crm.Deal, StringComparison.Ordinal).Replace("{firm}", crm.Firm, StringComparison.Ordinal));
        request.Content = body.Length == 0 ? null : new StringContent(body.Replace("{new}", Guid.CreateVersion7().ToString(), StringComparison.Ordinal), System.Text.Encoding.UTF8, "application/json");
        using var answer = await crm.Client(owner, key).SendAsync(request);
        Assert.True(status == answer.StatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    [Theory]
    [InlineData(Owner.Administrator)]
    [InlineData(Owner.User)]
    public async Task What_a_key_does_not_include_is_absent_from_every_answer(Owner owner)
    {
        foreach (var path in new[] { $"odata/v4/x_deals({crm.Deal})", "odata/v4/x_deals", "odata/v4/$metadata", "odata/v4/$metadata?$format=json", "odata/v4", "odata/v4/x_deals?$search=deal", $"api/records/x_deal/{crm.Deal}/history", "api/export/x_deal?format=csv&keys=true", "api/search?q=deal" })
        {
            var text = await crm.Client(owner, Reader).GetStringAsync(new Uri(path, UriKind.Relative));
            Assert.Contains("deal", text, StringComparison.OrdinalIgnoreCase);
            foreach (var forbidden in new[] { "seats", "revenue", "x_firm", "Acme", "created_at", "budget" })
            {
                Assert.DoesNotContain(forbidden, text, StringComparison.OrdinalIgnoreCase);
            }
        }

        Assert.Empty((await crm.Client(owner, Reader).GetFromJsonAsync<JsonObject>("api/search?q=acme"))!["value"]!.AsArray());
        var document = await crm.Client(owner, Reader).GetStringAsync(new Uri("openapi/v1.json", UriKind.Relative));
        Assert.DoesNotContain("x_firm", document, StringComparison.Ordinal);
        Assert.DoesNotContain("seats", document, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Owner.Administrator)]
    [InlineData(Owner.User)]
    public async Task Why_names_the_key(Owner owner)
    {
        var why = await WhyAsync(crm.Client(owner, Reader), $"entity=x_deal&id={crm.Deal}&operation=write");
        Assert.False(why["allowed"]!.GetValue<bool>());
        Assert.Contains("“reader”", why["rule"]!.ToString(), StringComparison.Ordinal);
        Assert.True((await WhyAsync(crm.Client(owner, Reader), $"entity=x_deal&id={crm.Deal}"))["allowed"]!.GetValue<bool>());
        var (user, id) = crm.Made[(owner, Reader)];
        foreach (var question in new[] { "entity=x_firm", $"entity=x_firm&id={crm.Firm}", "entity=x_deal&field=seats", "entity=x_deal&operation=import", "entity=x_deal&operation=share" })
        {
            var verdict = await WhyAsync(crm.Api.Admin, $"{question}&user={user}&key={id}");
            Assert.False(verdict["allowed"]!.GetValue<bool>());
            Assert.Contains("“reader”", verdict["rule"]!.ToString(), StringComparison.Ordinal);
            Assert.True((await WhyAsync(crm.Api.Admin, $"{question}&user={user}"))["allowed"]!.GetValue<bool>() || question.EndsWith("share", StringComparison.Ordinal));
        }

        using var refused = await crm.Client(owner, Reader).PatchAsJsonAsync($"odata/v4/x_deals({crm.Deal})", new { title = "Mine" });
        Assert.Contains("“reader”", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var another = await crm.Client(owner, Reader).GetAsync(new Uri($"api/access/why?entity=x_deal&key={crm.Made[(owner, Writer)].Id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, another.StatusCode);
    }

    [Theory]
    [InlineData(Owner.Administrator)]
    [InlineData(Owner.User)]
    public async Task Jobs_are_done_with_what_the_key_may_and_are_shown_to_it_alone(Owner owner)
    {
        var maker = new ImportClient(crm.Api.Crm, crm.Client(owner, Maker));
        var name = $"Made by {owner}";
        var job = await maker.ImportAsync("x_firm", $"name\n{name}\n");
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        var id = job.GetProperty("id").GetGuid();
        Assert.Single(await maker.RecordsAsync("x_firms", $"$filter=name eq '{name}'"));
        // The job was not told more than its key may.
        var again = await maker.ImportAsync("x_firm", "name,revenue\nAcme,77 EUR\n", ("mode", "upsert"), ("match", "name"));
        Assert.Contains("“maker”", (await maker.GetAsync($"api/jobs/{again.GetProperty("id").GetGuid()}/verdicts")).ToString(), StringComparison.Ordinal);
        Assert.Equal("5", (await crm.Api.GetAsync($"odata/v4/x_firms({crm.Firm})")).Json["revenue"]!.ToString());
        using var refused = await maker.SendAsync("x_deal", "title\nNew\n"u8.ToArray());
        Assert.NotEqual(HttpStatusCode.Accepted, refused.StatusCode);

        using var changed = await crm.Client(owner, Writer).PostAsJsonAsync("api/bulk", new { entity = "x_deal", action = "update", records = new { ids = new[] { crm.Bulk } }, set = new { title = name } });
        Assert.Equal(HttpStatusCode.Accepted, changed.StatusCode);
        var bulk = (await changed.Content.ReadFromJsonAsync<JsonObject>())!["id"]!.ToString();
        Assert.Equal("succeeded", (await new ImportClient(crm.Api.Crm, crm.Client(owner, Writer)).FinishedAsync(Guid.Parse(bulk))).GetProperty("state").GetString());
        Assert.Equal(name, (await crm.Api.GetAsync($"odata/v4/x_deals({crm.Bulk})")).Json["title"]!.ToString());

        Assert.DoesNotContain(id.ToString(), await crm.Client(owner, Writer).GetStringAsync(new Uri("api/jobs?kind=import", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains(id.ToString(), await crm.Client(owner, Maker).GetStringAsync(new Uri("api/jobs?kind=import", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains(id.ToString(), await crm.Api.Admin.GetStringAsync(new Uri("api/jobs?kind=import", UriKind.Relative)), StringComparison.Ordinal);
        foreach (var door in new[] { $"api/jobs/{id}", $"api/jobs/{id}/verdicts" })
        {
            using var seen = await crm.Client(owner, Writer).GetAsync(new Uri(door, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, seen.StatusCode);
        }

        foreach (var door in new[] { $"api/jobs/{id}/undo", $"api/jobs/{id}/cancel" })
        {
            using var touched = await crm.Client(owner, Writer).PostAsync(new Uri(door, UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.NotFound, touched.StatusCode);
        }
    }

    [Fact]
    public async Task A_key_has_no_more_than_its_user_and_loses_with_them_at_once()
    {
        var key = await crm.KeyAsync(crm.Kim, """{"name":"wide","entities":{"x_deal":{"operations":["read","create","write","delete"]},"x_hidden":{"operations":["read"]},"user":{"operations":["read","write"]}}}""");
        using var client = crm.Api.Crm.Client(key);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, HttpMethod.Patch, $"odata/v4/users({crm.KimId})", """{"is_administrator":true}"""));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Get, "odata/v4/x_hiddens"));
        await crm.Api.ApplyAsync("""{"changes":[{"change":"set_grant","entity":"x_hidden","grant":{"name":"everyone","read":"none"}}]}""");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Get, "odata/v4/x_hiddens"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Get, "odata/v4/x_deals"));
    }

    [Fact]
    public async Task A_key_follows_entities_and_fields_that_get_another_name()
    {
        await crm.Api.ApplyAsync("""{"changes":[{"change":"create_entity","name":"x_before","label":"Before","plural":"Befores","set":"x_befores","fields":[{"name":"one","type":"text","label":"One"},{"name":"two","type":"text","label":"Two"},{"name":"three","type":"text","label":"Three"}]}]}""");
        using var client = crm.Api.Crm.Client(await crm.KeyAsync(crm.Api.Admin, """{"name":"follows","entities":{"x_before":{"operations":["read"],"fields":["one"]}}}"""));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Get, "odata/v4/x_befores"));
        await crm.Api.ApplyAsync("""{"changes":[{"change":"rename_entity","entity":"x_before","to":"x_after"},{"change":"rename_field","entity":"x_after","field":"one","to":"first"}]}""");
        var set = "odata/v4/" + crm.Api.Crm.Metadata.Current.Entity("x_after").SetName;
        await Security.Eventually.AsyncEqual(HttpStatusCode.OK, () => StatusAsync(client, HttpMethod.Get, set + "?$select=first"));
        // Whoever takes the name of before is not meant.
        await crm.Api.ApplyAsync("""{"changes":[{"change":"rename_field","entity":"x_after","field":"two","to":"one"}]}""");
        foreach (var (field, status) in new[] { ("first", HttpStatusCode.OK), ("one", HttpStatusCode.BadRequest), ("three", HttpStatusCode.BadRequest) })
        {
            Assert.Equal(status, await StatusAsync(client, HttpMethod.Get, $"{set}?$select={field}"));
        }

        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Get, "odata/v4/x_deals"));
    }

    [Theory]
    [InlineData("""{"name":"x","entities":{}}""", HttpStatusCode.UnprocessableEntity, "entities")]
    [InlineData("""{"name":"x","entities":{"x_nonsense":{"operations":["read"]}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_nonsense")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":["write"]}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":[]}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":["read"],"fields":["nonsense"]}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":["read"],"fields":[]}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":["read","share"]}}}""", HttpStatusCode.BadRequest, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":null}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":null}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{}}}""", HttpStatusCode.BadRequest, null)]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":[null]}}}""", HttpStatusCode.BadRequest, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":{"x_deal":{"operations":["read"],"fields":[null]}}}""", HttpStatusCode.UnprocessableEntity, "entities.x_deal")]
    [InlineData("""{"name":"x","entities":["x_deal"]}""", HttpStatusCode.BadRequest, null)]
    public async Task A_list_that_says_nothing_or_nonsense_makes_no_key(string body, HttpStatusCode status, string? target)
    {
        var answer = await crm.Api.SendAsync("POST", "api/auth/keys", body);
        Assert.Equal((status, target ?? answer.Target), (answer.Status, answer.Target));
        Assert.DoesNotContain("\"name\":\"x\"", (await crm.Api.GetAsync("api/auth/keys")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_is_as_narrow_as_the_key_it_comes_with()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "odata/v4/$batch")
        {
            Headers = { { "Prefer", "odata.continue-on-error" } },
            Content = JsonContent.Create(new
            {
                requests = new[]
                {
                    new { id = "1", method = "GET", url = "x_deals?$select=title" },
                    new { id = "2", method = "GET", url = "x_deals?$select=seats" },
                    new { id = "3", method = "GET", url = "x_firms" },
                    new { id = "4", method = "DELETE", url = $"x_deals({crm.Deal})" },
                },
            }),
        };
        using var answer = await crm.Client(Owner.Administrator, Reader).SendAsync(request);
        var statuses = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["responses"]!.AsArray().Select(r => r!["status"]!.GetValue<int>());
        Assert.Equal([200, 400, 404, 403], statuses);
    }

    [Fact]
    public async Task The_list_of_keys_says_what_each_may_do()
    {
        var key = (await crm.Api.GetAsync("api/auth/keys")).Value.Single(k => k!["name"]!.ToString() == Reader)!;
        Assert.Equal("""{"x_deal":{"operations":["read"],"fields":["title"]}}""", key["entities"]!.ToJsonString());
        Assert.False((await crm.Client(Owner.Administrator, Reader).GetFromJsonAsync<JsonObject>("api/auth/me"))!["is_administrator"]!.GetValue<bool>());
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<JsonObject> WhyAsync(HttpClient client, string question) => (await client.GetFromJsonAsync<JsonObject>("api/access/why?" + question))!;

    public sealed class Crm : IAsyncLifetime
    {
        private const string Password = "copper violin lighthouse";

        private static readonly Dictionary<string, string> Scopes = new(StringComparer.Ordinal)
        {
            [Reader] = """{"x_deal":{"operations":["read"],"fields":["title"]}}""",
            [Writer] = """{"x_deal":{"operations":["read","write"],"fields":["title","seats","created_at"]}}""",
            [Maker] = """{"x_firm":{"operations":["read","create"]}}""",
        };

        private readonly Dictionary<(Owner, string), HttpClient> clients = [];

        public ApiCrm Api { get; } = new();

        public HttpClient Kim { get; private set; } = null!;

        public Guid KimId { get; private set; }

        public string Firm { get; private set; } = "";

        public string Deal { get; private set; } = "";

        public string Bulk { get; private set; } = "";

        /// <summary>The keys, with their users.</summary>
        public IDictionary<(Owner Owner, string Key), (Guid User, Guid Id)> Made { get; } = new Dictionary<(Owner, string), (Guid, Guid)>();

        public HttpClient Client(Owner owner, string key) => clients[(owner, key)];

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""{"changes":[{"change":"create_entity","name":"x_hidden","label":"Hidden","plural":"Hiddens","set":"x_hiddens","fields":[{"name":"name","type":"text","label":"Name"}]},{"change":"change_entity","entity":"x_firm","search":["name"]}]}""");
            Firm = (await Api.CreateAsync("x_firms", """{"name":"Acme","revenue":5}"""))["id"]!.ToString();
            Deal = (await Api.CreateAsync("x_deals", $$"""{"title":"Deal","seats":5,"firm_id":"{{Firm}}"}"""))["id"]!.ToString();
            Bulk = (await Api.CreateAsync("x_deals", """{"title":"Bulk","seats":6}"""))["id"]!.ToString();
            KimId = Guid.Parse((await Api.CreateAsync("users", """{"name":"Kim","user_name":"kim","can_sign_in":true}"""))["id"]!.ToString());
            await Api.Crm.Services.GetRequiredService<Passwords>().SetAsync(KimId, Password, CancellationToken.None);
            Kim = Api.Crm.Client(await Api.Crm.TokenAsync("kim", Password));
            foreach (var (owner, client, user) in new[] { (Owner.Administrator, Api.Admin, Api.Crm.Admin.UserId), (Owner.User, Kim, KimId) })
            {
                foreach (var key in Keys)
                {
                    var (id, secret) = await MakeAsync(client, $$"""{"name":"{{key}}","entities":{{Scopes[key]}}}""");
                    Made[(owner, key)] = (user, id);
                    clients[(owner, key)] = Api.Crm.Client(secret);
                }
            }
        }

        public Task DisposeAsync() => Api.DisposeAsync();

        public async Task<string> KeyAsync(HttpClient client, string body) => (await MakeAsync(client, body)).Secret;

        private static async Task<(Guid Id, string Secret)> MakeAsync(HttpClient client, string body)
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri("api/auth/keys", UriKind.Relative), content);
            Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
            var key = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
            return (Guid.Parse(key["id"]!.ToString()), key["key"]!.ToString());
        }
    }
}
