using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Import;

namespace Crm.Host.Tests.Fuzz;

/// <summary>What attackers try, in the place of every name and every value: a name is refused by naming it, a value is a value.</summary>
public sealed class InjectionTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private static readonly string[] Payloads =
    [
        "'; DROP TABLE x_deal; --", "\" OR 1=1 --", "x\") UNION SELECT secret FROM crm.credential --", "title; SELECT pg_sleep(30)", "(SELECT 1)", "${7*7}{{7*7}}", "../../../../etc/passwd", "..\\..\\web.config",
        "<script>alert(1)</script>", "a\0b", "x\r\nSet-Cookie: a=b", "%s%n", "𝕏'‮", "|| (select version())", "crm.credential", "pg_catalog.pg_class",
    ];

    // ID stands for a record; {0} for the payload, encoded.
    public static TheoryData<string> Addresses { get; } =
    [
        "odata/v4/{0}", "odata/v4/{0}/$count", "odata/v4/x_deals({0})", "odata/v4/x_deals('{0}')", "odata/v4/x_deals/{0}", "odata/v4/x_deals(ID)/{0}/$ref", "odata/v4/x_deals?{0}=1", "odata/v4/x_deals?$select={0}", "odata/v4/x_deals?$orderby={0}",
        "odata/v4/x_deals?$orderby=title {0}", "odata/v4/x_deals?$orderby=firm/{0}", "odata/v4/x_deals?$expand={0}", "odata/v4/x_deals?$expand=firm($select={0})", "odata/v4/x_firms?$expand=x_deals({0})", "odata/v4/x_firms?$expand=x_deals($filter=title eq {0})", "odata/v4/x_firms?$expand=x_deals($orderby={0})", "odata/v4/x_deals?$filter={0} eq 1", "odata/v4/x_deals?$filter=title eq {0}",
        "odata/v4/x_deals?$filter={0}(title)", "odata/v4/x_deals?$filter=tags/any({0}: 1 eq 2)", "odata/v4/x_deals?$filter=seats eq '{0}'", "odata/v4/x_deals?$filter=crm.mine({0})", "odata/v4/x_deals?$filter=crm.during(close_date,'{0}')",
        "odata/v4/x_deals?$apply=groupby(({0}))", "odata/v4/x_deals?$apply=aggregate({0} with sum as x)", "odata/v4/x_deals?$apply=aggregate(seats with {0} as x)", "odata/v4/x_deals?$apply=aggregate(seats with sum as {0})",
        "odata/v4/x_deals?$skiptoken={0}", "odata/v4/x_deals?$top={0}", "odata/v4/x_deals?$skip={0}", "odata/v4/x_deals?$count={0}", "odata/v4/x_deals?$format={0}",
        "api/metadata/entities/{0}", "api/metadata/entities/x_deal/uses?field={0}", "api/metadata/entities/{0}/origins", "api/records/{0}/ID/history", "api/records/x_deal/{0}/history", "api/records/x_deal/ID/files/{0}", "api/records/{0}/ID/sharing",
        "api/export/{0}", "api/export/x_deal?view={0}", "api/export/x_deal?$select={0}", "api/export/x_deal?$orderby={0}", "api/export/x_deal?$filter={0}", "api/export/x_deal?ids={0}", "api/export/x_deal?separator={0}", "api/export/x_deal?culture={0}",
        "api/export/x_deal?zone={0}", "api/export/x_deal?format={0}", "api/export/x_deal?find={0}", "api/duplicates/{0}", "api/views?entity={0}", "api/access/why?entity={0}&id=ID&operation=read", "api/access/why?entity=x_deal&id=ID&operation={0}",
        "api/access/why?entity=x_deal&id=ID&operation=read&field={0}", "api/jobs/{0}", "api/jobs/{0}/verdicts", "api/bin?entity={0}", "api/webhooks/{0}/deliveries", "elsa/api/workflow-definitions/by-definition-id/{0}", "api/m/{0}",
    ];

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task A_name_in_an_address_that_is_none_is_refused(string address)
    {
        var (deal, state, before) = await BeforeAsync();
        // A NUL in a path is refused by the web server, before anything of ours.
        foreach (var payload in Payloads.Where(p => !p.Contains('\0', StringComparison.Ordinal) || address.IndexOf("{0}", StringComparison.Ordinal) > address.IndexOf('?', StringComparison.Ordinal) && address.Contains('?', StringComparison.Ordinal)))
        {
            var path = address.Replace("{0}", Uri.EscapeDataString(payload), StringComparison.Ordinal).Replace("ID", deal, StringComparison.Ordinal);
            Refused(await crm.GetAsync(path), path, 400, 404, 406);
        }

        Assert.Equal(before, await state.ReadAsync());
    }

    // {0} stands for the payload as the inside of a JSON text.
    public static TheoryData<string, string> Bodies { get; } = new()
    {
        { "POST odata/v4/x_deals", """{"title":"a","{0}":1}""" },
        { "POST odata/v4/x_deals", """{"title":"a","source":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","stage":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","tags":["{0}"]}""" },
        { "POST odata/v4/x_deals", """{"title":"a","seats":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","budget":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","budget":1,"budget_currency":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","close_date":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","next_call":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","email":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","firm_id":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","firm@odata.bind":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","{0}@odata.bind":"x_firms(ID)"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","@odata.type":"{0}"}""" },
        { "POST odata/v4/x_deals", """{"title":"a","id":"{0}"}""" },
        { "POST odata/v4/notes", """{"text":"a","about":{"entity":"{0}","id":"ID"}}""" },
        { "POST odata/v4/notes", """{"text":"a","about":"{0}:ID"}""" },
        { "POST odata/v4/notes", """{"text":"a","about_entity":"{0}","about_id":"ID"}""" },
        { "POST api/bulk/preview", """{"entity":"{0}","records":{"all":true},"set":{"title":"a"}}""" },
        { "POST api/bulk/preview", """{"entity":"x_deal","records":{"all":true},"set":{"{0}":"a"}}""" },
        { "POST api/bulk/preview", """{"entity":"x_deal","records":{"all":true},"add":{"{0}":["a"]}}""" },
        { "POST api/bulk/preview", """{"entity":"x_deal","records":{"filter":"{0}"},"set":{"title":"a"}}""" },
        { "POST api/bulk/preview", """{"entity":"x_deal","records":{"ids":["{0}"]},"set":{"title":"a"}}""" },
        { "POST api/bulk/preview", """{"entity":"x_deal","action":"{0}","records":{"all":true}}""" },
        { "POST api/views", """{"entity":"{0}","name":"v"}""" },
        { "POST api/views", """{"entity":"x_deal","name":"v","select":["{0}"]}""" },
        { "POST api/views", """{"entity":"x_deal","name":"v","sort":["{0}"]}""" },
        { "POST api/views", """{"entity":"x_deal","name":"v","filter":{"path":"{0}","operator":"equal","value":1}}""" },
        { "POST api/views", """{"entity":"x_deal","name":"v","filter":{"path":"title","operator":"{0}","value":1}}""" },
        { "POST api/views", """{"entity":"x_deal","name":"v","filter":{"path":"next_call","during":"{0}"}}""" },
        { "POST api/views", """{"entity":"x_deal","name":"v","filter":{"related":"{0}","by":"firm"}}""" },
        { "PUT api/views/default", """{"entity":"x_deal","view":"{0}"}""" },
        { "POST api/merge", """{"entity":"{0}","survivor":"ID","others":["01890a5d-ac96-774b-bcce-b302099a8057"]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"{0}","type":"text","label":"A"}}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"x_a","type":"{0}","label":"A"}}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"x_a","type":"lookup","label":"A","target":"{0}"}}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"x_a","type":"formula","label":"A","result":"decimal","formula":"{0}"}}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"add_field","entity":"{0}","field":{"name":"x_a","type":"text","label":"A"}}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"create_entity","name":"x_a","label":"A","plural":"As","set":"{0}","fields":[{"name":"name","type":"text","label":"N"}]}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"rename_field","entity":"x_deal","field":"title","to":"{0}"}]}""" },
        { "POST api/metadata/plan", """{"changes":[{"change":"set_rule","entity":"x_deal","rule":{"name":"r","kind":"required","condition":"{0}","fields":["notes"]}}]}""" },
        { "POST api/webhooks", """{"name":"w","url":"{0}","entities":["x_deal"],"events":["created"]}""" },
        { "POST api/webhooks", """{"name":"w","url":"https://hooks.example/","entities":["{0}"],"events":["created"]}""" },
        { "PUT api/records/x_deal/ID/sharing", """{"restricted":false,"shares":[{"with":"{0}","level":"read"}]}""" },
        { "PUT api/records/x_deal/ID/sharing", """{"restricted":false,"shares":[{"with":"everyone","level":"{0}"}]}""" },
        { "POST elsa/api/workflow-definitions", """{"model":"{0}","publish":false}""" },
        { "POST elsa/api/workflow-definitions", """{"model":{"{0}":1,"{0}":2},"publish":false}""" },
        { "POST elsa/api/workflow-definitions", """{"model":{"name":"a","root":{"type":"{0}","id":"r"}},"publish":true}""" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_name_or_a_value_in_a_body_that_is_none_is_refused(string request, string body)
    {
        var (deal, state, before) = await BeforeAsync();
        var parts = request.Replace("ID", deal, StringComparison.Ordinal).Split(' ');
        foreach (var payload in Payloads)
        {
            var json = body.Replace("ID", deal, StringComparison.Ordinal).Replace("{0}", JsonEncodedText.Encode(payload).ToString(), StringComparison.Ordinal);
            var answer = await crm.SendAsync(parts[0], parts[1], json);
            Refused(answer, $"{request} {json}", 400, 404, 422);
            Assert.True(parts[1] is "api/metadata/plan" or "elsa/api/workflow-definitions" || answer.Target is not null || answer.Text.Contains(JsonEncodedText.Encode(payload, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(), StringComparison.Ordinal), $"{json}: {answer}");
        }

        Assert.Equal(before, await state.ReadAsync());
    }

    [Fact]
    public async Task Headers_of_a_file_its_name_and_what_an_import_is_told_are_no_way_in()
    {
        var (_, state, before) = await BeforeAsync();
        foreach (var payload in Payloads.Where(p => !p.Contains('\0', StringComparison.Ordinal)))
        {
            var quoted = $"\"{payload.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            await ImportRefusedAsync($"{quoted}\nA\n");
            await ImportRefusedAsync("name\nA\n", ("match", payload), ("mode", "upsert"));
            await ImportRefusedAsync("name\nA\n", ("mapping", """{"fields":{"name":{"column":"{0}"}}}""".Replace("{0}", JsonEncodedText.Encode(payload).ToString(), StringComparison.Ordinal)));
            await ImportRefusedAsync("name\nA\n", ("mapping", """{"fields":{"{0}":{"column":"name"}}}""".Replace("{0}", JsonEncodedText.Encode(payload).ToString(), StringComparison.Ordinal)));
            await ImportRefusedAsync("name\nA\n", ("encoding", payload));
            await ImportRefusedAsync("name\nA\n", ("delimiter", payload));
        }

        Assert.Equal(before, await state.ReadAsync());
    }

    [Fact]
    public async Task A_value_is_a_value_whatever_it_looks_like()
    {
        foreach (var payload in Payloads.Where(p => !p.Contains('\0', StringComparison.Ordinal)))
        {
            var value = payload.Replace("\r\n", " ", StringComparison.Ordinal);
            var made = await crm.CreateAsync("x_deals", JsonSerializer.Serialize(new { title = value, notes = payload }));
            Assert.Equal(value, made["title"]!.ToString());
            Assert.Equal(payload.ReplaceLineEndings("\n"), made["notes"]!.ToString().ReplaceLineEndings("\n"));
            var filter = Uri.EscapeDataString($"title eq '{value.Replace("'", "''", StringComparison.Ordinal)}' and contains(title,'{value.Replace("'", "''", StringComparison.Ordinal)[..4]}')");
            Assert.Equal([made["id"]!.ToString()], (await crm.GetAsync($"odata/v4/x_deals?$filter={filter}")).Column("id"));
            var words = Uri.EscapeDataString(value.Replace("OR", "or", StringComparison.Ordinal));
            Assert.Equal(200, (int)(await crm.GetAsync($"odata/v4/x_deals?$search={words}")).Status);
            Assert.Equal(200, (int)(await crm.GetAsync($"api/search?q={Uri.EscapeDataString(value)}")).Status);
            Assert.Equal(404, (int)(await crm.GetAsync("odata/v4/x_nothing", ("Prefer", value.Replace("𝕏'‮", "x", StringComparison.Ordinal)), ("Accept", "text/" + value.Replace("𝕏'‮", "x", StringComparison.Ordinal)))).Status);
        }
    }

    [Theory]
    [InlineData("If-Match")]
    [InlineData("CRM-Duplicates")]
    [InlineData("OData-Version")]
    [InlineData("OData-MaxVersion")]
    public async Task A_header_that_makes_no_sense_is_refused(string header)
    {
        var (deal, state, before) = await BeforeAsync();
        foreach (var payload in Payloads.Where(p => p.All(c => c is >= ' ' and <= '~')))
        {
            Refused(header == "If-Match" ? await crm.SendAsync("DELETE", $"odata/v4/x_deals({deal})", null, (header, payload)) : await crm.SendAsync("POST", "odata/v4/x_deals", """{"title":"a"}""", (header, payload)), header, 400, 412);
        }

        Assert.Equal(before, await state.ReadAsync());
    }

    private static void Refused(Answer answer, string what, params int[] statuses)
    {
        Assert.True(statuses.Contains((int)answer.Status), $"{what}: {answer}");
        Assert.True(answer.Code is { Length: > 0 } && answer.Json["error"]!["message"]!.ToString().Length > 0, $"{what}: {answer}");
    }

    private async Task<(string Deal, DatabaseState State, string Before)> BeforeAsync()
    {
        var deal = (await crm.CreateAsync("x_deals", """{"title":"A deal"}"""))["id"]!.ToString();
        var state = new DatabaseState(crm.Crm.ConnectionString);
        return (deal, state, await state.ReadAsync());
    }

    private async Task ImportRefusedAsync(string file, params (string Name, string Value)[] options)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in options)
        {
            form.Add(new StringContent(value), name);
        }

        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(file));
        content.Headers.ContentDisposition = new ContentDispositionHeaderValue("form-data") { Name = "file", FileNameStar = "../../x'; DROP TABLE x_firm; --.csv" };
        form.Add(content);
        using var answer = await crm.Admin.PostAsync(new Uri("api/import/x_firm", UriKind.Relative), form);
        var error = (await ImportClient.BodyAsync(answer)).GetProperty("error");
        Assert.True((int)answer.StatusCode == 400, $"{file} {string.Join(';', options)}: {error}");
        Assert.NotEqual("", error.GetProperty("message").GetString());
    }
}
