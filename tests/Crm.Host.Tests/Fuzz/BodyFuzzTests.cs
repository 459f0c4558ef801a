using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;

namespace Crm.Host.Tests.Fuzz;

/// <summary>Bodies nobody thought of, at every door that takes JSON: taken or refused with a reason, and what is refused has written nothing.</summary>
public sealed class BodyFuzzTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private const string Deal = """
        {"title":"A","code":"c","notes":"n","email":"a@b.example","seats":3,"weight":1.5,"budget":5,"budget_currency":"USD","urgent":true,"close_date":"2026-11-21","next_call":"2026-11-21T09:30:00Z","source":"web",
         "tags":["hot"],"firm_id":null,"stage":"open","owner":null,"is_active":true}
        """;

    private static readonly string[] Splinters = ["\"", "{", "}", "[", "]", ":", ",", "\\", "\\u", "\\ud800", "\\u0000", "\0", "\t", "null", "1e999", "-", "//", "\ufeff", "\u2028", "'", "é"];

    private static readonly (string Method, string Path, string Body)[] Doors =
    [
        ("POST", "odata/v4/x_deals", Deal),
        ("PATCH", "odata/v4/x_deals(DEAL)", Deal),
        ("POST", "odata/v4/contacts", """{"first_name":"A","last_name":"B","phones":[{"kind":"work","value":"+49 30 901820"}],"emails":["a@b.example"],"company@odata.bind":"companies(01890a5d-ac96-774b-bcce-b302099a8057)"}"""),
        ("POST", "odata/v4/companies", """{"name":"A","addresses":[{"kind":"invoice","street":"Weg 1","city":"Ulm","country":"DE"}],"annual_revenue":5}"""),
        ("POST", "odata/v4/notes", """{"about":"x_deal:DEAL","text":"A"}"""),
        ("POST", "odata/v4/$batch", """{"requests":[{"id":"1","atomicityGroup":"a","method":"POST","url":"x_deals","headers":{"prefer":"return=minimal"},"body":{"title":"A"}},{"id":"2","atomicityGroup":"a","method":"PATCH","url":"$1","body":{"title":"B"}}]}"""),
        ("POST", "api/bulk/preview", """{"entity":"x_deal","records":{"filter":"seats gt 1","search":"a"},"set":{"source":"fair","close_date":null},"add":{"tags":["hot"]}}"""),
        ("POST", "api/bulk/preview", """{"entity":"x_deal","action":"delete","records":{"ids":["DEAL"]}}"""),
        ("POST", "api/views", """{"entity":"x_deal","name":"N","shared":true,"select":["title","firm.name"],"filter":{"all":[{"mine":"owner"},{"path":"next_call","during":"last_days","days":7},{"path":"seats","in":[1,2]},{"not":{"path":"stage","operator":"equal","value":"won"}}]},"sort":["-budget"]}"""),
        ("PUT", "api/views/default", """{"entity":"x_deal","view":null}"""),
        ("POST", "api/merge", """{"entity":"x_deal","survivor":"DEAL","others":["01890a5d-ac96-774b-bcce-b302099a8057"],"choices":{"code":"DEAL","tags":"all"}}"""),
        ("POST", "api/bin/restore", """{"ids":["01890a5d-ac96-774b-bcce-b302099a8057"],"children":true}"""),
        ("POST", "api/bin/purge", """{"ids":["01890a5d-ac96-774b-bcce-b302099a8057"]}"""),
        ("PUT", "api/bin/setting", """{"keep_days":90}"""),
        ("PUT", "api/records/x_deal/DEAL/sharing", """{"restricted":true,"shares":[{"with":"everyone","level":"read"},{"with":"01890a5d-ac96-774b-bcce-b302099a8057","level":"write"}]}"""),
        ("POST", "api/metadata/plan", """{"changes":[{"change":"create_entity","name":"x_a","label":"A","plural":"As","set":"x_as","search":["name"],"fields":[{"name":"name","type":"text","max_length":5,"default":"a"},{"name":"c","type":"choice","choices":[{"name":"a","label":"A"}]},{"name":"f","type":"formula","result":"decimal","formula":"1+1"}]}]}"""),
        ("POST", "api/metadata/plan", """{"changes":[{"change":"set_rule","entity":"x_deal","rule":{"name":"r","kind":"required","condition":"stage = \"lost\"","fields":["notes"]}},{"change":"set_grant","entity":"x_deal","grant":{"name":"everyone","read":"all","fields":[{"name":"budget","access":"read"}]}},{"change":"set_view","entity":"x_deal","view":{"name":"v","label":"V","columns":["title"],"filter":{"path":"seats","operator":"equal","value":1}}}]}"""),
        ("POST", "api/metadata/apply", """{"plan":"01890a5d-ac96-774b-bcce-b302099a8057","confirm":["x"],"comment":"c"}"""),
        ("POST", "api/auth/keys", """{"name":"k","expires_in_days":3}"""),
        // The address is none, so that none of them is ever called.
        ("POST", "api/webhooks", """{"name":"w","url":"nowhere","entities":["x_deal"],"events":["created"]}"""),
        ("POST", "elsa/api/workflow-definitions", """{"model":{"name":"F","definitionId":"f","variables":[{"name":"v"}],"root":{"type":"Elsa.Sequence","id":"main","activities":[{"type":"Crm.RecordChanged","id":"t","entity":"x_deal","fields":["stage"]},{"type":"Crm.SetFields","id":"s","values":{"expression":{"type":"Object","value":{"notes":{"type":"Crm","value":"title"}}}}}]}},"publish":false}"""),
    ];

    private readonly Chance chance = Chance.For(nameof(BodyFuzzTests));

    [Fact]
    public async Task Any_body_is_taken_or_refused_whole()
    {
        var deal = (await crm.CreateAsync("x_deals", """{"title":"A deal"}"""))["id"]!.ToString();
        var state = new DatabaseState(crm.Crm.ConnectionString);
        var runs = Chance.Runs(600);
        var taken = 0;
        var faults = new List<string>();
        var before = await state.ReadAsync();
        for (var i = 0; i < runs; i++)
        {
            var (method, path, sound) = Doors[i % Doors.Length];
            var body = Spoiled(sound).Replace("DEAL", deal, StringComparison.Ordinal);
            using var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("DEAL", deal, StringComparison.Ordinal)) { Content = new ByteArrayContent(Bytes(body)) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await crm.Admin.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            var said = $"{method} {path} {body}: {(int)answer.StatusCode} {text}";
            if ((int)answer.StatusCode < 400)
            {
                taken++;
                before = await state.ReadAsync();
            }
            else if (await state.ReadAsync() is var after && before != after)
            {
                faults.Add($"{said}\nwrote {string.Join('\n', after.Split('\n').Except(before.Split('\n')))}");
                before = after;
            }

            var error = (int)answer.StatusCode < 400 ? null : JsonNode.Parse(text)!.AsObject();
            if ((int)answer.StatusCode >= 500 || text.Contains("\"status\":500", StringComparison.Ordinal) || (error is not null && error["error"]?["message"]?.ToString() is not { Length: > 0 } && error["errors"] is null))
            {
                faults.Add(said);
            }
        }

        Assert.True(faults.Count == 0, string.Join("\n\n", faults.Take(5)));
        Assert.InRange(taken, runs / 20, runs);
    }

    private byte[] Bytes(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return chance.OneIn(12) ? chance.Damage(bytes, [0xC3], [0xFF], [0xED, 0xA0, 0x80], [0]) : bytes;
    }

    private string Spoiled(string sound)
    {
        if (chance.OneIn(5))
        {
            return chance.Damage(sound, Splinters);
        }

        var root = JsonNode.Parse(sound)!;
        var nasty = new List<string>();
        for (var n = 1 + chance.Next(2); n > 0; n--)
        {
            var places = new List<JsonNode>();
            Collect(root, places);
            var holder = chance.Of(places);
            nasty.Add(chance.Of(Chance.NastyJson));
            var mark = string.Create(CultureInfo.InvariantCulture, $"@@{nasty.Count - 1}@@");
            if (holder is JsonArray list)
            {
                list.Insert(chance.Next(list.Count + 1), mark);
            }
            else if (holder is JsonObject record)
            {
                var names = record.Select(p => p.Key).ToList();
                record[chance.OneIn(5) || names.Count == 0 ? chance.Of("", "nothing", "id", "version", "@odata.type", "$type", "title@odata.bind", "created_by", "__proto__", "\u0000", "x'; --") : chance.Of(names)] = mark;
            }
        }

        var text = root.ToJsonString();
        for (var i = 0; i < nasty.Count; i++)
        {
            text = text.Replace(string.Create(CultureInfo.InvariantCulture, $"\"@@{i}@@\""), nasty[i], StringComparison.Ordinal);
        }

        return text;
    }

    private static void Collect(JsonNode? node, List<JsonNode> places)
    {
        if (node is JsonObject record)
        {
            places.Add(record);
            foreach (var (_, value) in record)
            {
                Collect(value, places);
            }
        }
        else if (node is JsonArray list)
        {
            places.Add(list);
            foreach (var value in list)
            {
                Collect(value, places);
            }
        }
    }
}
