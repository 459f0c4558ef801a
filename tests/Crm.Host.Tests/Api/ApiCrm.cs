using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Api;

/// <summary>A CRM with two entities of its own, made through the API, and a client signed in as the administrator.</summary>
public sealed class ApiCrm : IAsyncLifetime
{
    private const string Shape = """
        {"changes":[
          {"change":"create_entity","name":"x_firm","label":"Firm","plural":"Firms","set":"x_firms","fields":[
            {"name":"name","type":"text","label":"Name","required":true,"unique":true},
            {"name":"revenue","type":"money","label":"Revenue"}]},
          {"change":"create_entity","name":"x_deal","label":"Deal","plural":"Deals","set":"x_deals","search":["title"],"fields":[
            {"name":"title","type":"text","label":"Title","required":true,"max_length":80},
            {"name":"code","type":"text","label":"Code","unique":true},
            {"name":"notes","type":"long_text","label":"Notes"},
            {"name":"email","type":"email","label":"E-mail"},
            {"name":"seats","type":"integer","label":"Seats","minimum":1,"maximum":1000},
            {"name":"weight","type":"decimal","label":"Weight","scale":4},
            {"name":"budget","type":"money","label":"Budget","currency":"USD"},
            {"name":"urgent","type":"yes_no","label":"Urgent"},
            {"name":"close_date","type":"date","label":"Close date"},
            {"name":"next_call","type":"date_time","label":"Next call"},
            {"name":"source","type":"choice","label":"Source","choices":[{"name":"web","label":"Web"},{"name":"fair","label":"Trade fair"}]},
            {"name":"tags","type":"multi_choice","label":"Tags","choices":["hot","cold"]},
            {"name":"firm","type":"lookup","label":"Firm","target":"x_firm"},
            {"name":"stage","type":"stage","label":"Stage","stages":[{"name":"open"},{"name":"won","kind":"won"},{"name":"lost","kind":"lost"}],
             "moves":[{"from":"open","to":"won"},{"from":"open","to":"lost"}]},
            {"name":"number","type":"auto_number","label":"Number","prefix":"D","width":5}]}]}
        """;

    private TestCrm? crm;
    private HttpClient? admin;

    /// <summary>How the CRM differs from one started by hand.</summary>
    public TestCrmOptions Options { get; init; } = new();

    public TestCrm Crm => crm ?? throw new InvalidOperationException("Not started.");

    public HttpClient Admin => admin ?? throw new InvalidOperationException("Not started.");

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync(Options);
        admin = await crm.AdminClientAsync();
        await ApplyAsync(Shape);
    }

    public async Task DisposeAsync() => await Crm.DisposeAsync();

    /// <summary>Plans and applies changes of metadata.</summary>
    public async Task ApplyAsync(string changes)
    {
        var plan = await SendAsync("POST", "api/metadata/plan", changes);
        Assert.True(plan.Status == HttpStatusCode.OK, plan.Text);
        var applied = await SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{plan.Json["id"]}}"}""");
        Assert.True(applied.Status == HttpStatusCode.OK, applied.Text);
    }

    /// <summary>Creates a record and gives back what the API answered.</summary>
    public async Task<JsonObject> CreateAsync(string set, string json)
    {
        var answer = await SendAsync("POST", "odata/v4/" + set, json);
        Assert.True(answer.Status == HttpStatusCode.Created, answer.Text);
        return answer.Json;
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync("GET", path, null, headers);

    public async Task<Answer> SendAsync(string method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (json is not null)
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await Admin.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase));
    }
}

/// <summary>What the API answered.</summary>
public sealed record Answer(HttpStatusCode Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonObject Json => JsonNode.Parse(Text)?.AsObject() ?? throw new JsonException("No object: " + Text);

    public JsonArray Value => Json["value"]!.AsArray();

    public string? Code => Json["error"]?["code"]?.GetValue<string>();

    public string? Target => Json["error"]?["target"]?.GetValue<string>();

    public IEnumerable<string> Column(string name) => Value.Select(row => row![name]?.ToString() ?? "null");

    public override string ToString() => $"{(int)Status} {Text}";
}
