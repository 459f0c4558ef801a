using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Import;

namespace Crm.Host.Tests.Api;

/// <summary>One entity with a field of each kind, made, written, read, filtered, sorted, changed and imported from outside.</summary>
public sealed class FieldTypesApiTests(FieldTypesApiTests.Crm crm) : IClassFixture<FieldTypesApiTests.Crm>
{
    private const string Everything = """
        {"name":"Everything","at":"930","takes":"1h 30m","stars":4,"shade":"#36C","body":"<p onclick=\"x()\">Hi <b>you</b><script>alert(1)</script></p>",
         "words":["VIP","press kit","vip"],"place":{"street":"Main St 1","city":"Berlin","country":"de"},"spot":{"latitude":52.520008,"longitude":13.404954},
         "raw":{"a":[1,{"b":null}]},"helper":"00000000-0000-7000-8000-000000000001"}
        """;

    [Fact]
    public async Task Every_kind_of_value_is_written_and_read_back()
    {
        var created = await crm.Api.CreateAsync("x_kinds", Everything);
        var read = (await crm.Api.GetAsync($"odata/v4/x_kinds({created["id"]})")).Json;
        foreach (var record in new[] { created, read })
        {
            Assert.Equal("09:30:00", record["at"]!.GetValue<string>());
            Assert.Equal(5400, record["takes"]!.GetValue<int>());
            Assert.Equal(4, record["stars"]!.GetValue<int>());
            Assert.Equal("#3366cc", record["shade"]!.GetValue<string>());
            Assert.Equal("<p>Hi <strong>you</strong></p>", record["body"]!.GetValue<string>());
            Assert.Equal("""["VIP","press kit"]""", record["words"]!.ToJsonString());
            Assert.Equal("Main St 1|Berlin|DE", $"{record["place_street"]}|{record["place_city"]}|{record["place_country"]}");
            Assert.Null(record["place_region"]);
            Assert.Equal("52.520008 13.404954", $"{record["spot_latitude"]} {record["spot_longitude"]}");
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"a":[1,{"b":null}]}"""), JsonNode.Parse(record["raw"]!.GetValue<string>())));
            Assert.Equal("00000000-0000-7000-8000-000000000001", record["helper"]!.GetValue<string>());
        }

        var expanded = (await crm.Api.GetAsync($"odata/v4/x_kinds({created["id"]})?$expand=helper_user($select=name)")).Json;
        Assert.Equal("System", expanded["helper_user"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_was_read_can_be_sent_back_and_changes_nothing()
    {
        var created = await crm.Api.CreateAsync("x_kinds", Everything);
        var again = await crm.Api.SendAsync("PATCH", $"odata/v4/x_kinds({created["id"]})", created.ToJsonString(), ("Prefer", "return=representation"));
        Assert.True(again.Status == HttpStatusCode.OK, again.Text);
        Assert.Equal(1, again.Json["version"]!.GetValue<int>());
    }

    [Fact]
    public async Task One_part_of_a_value_can_be_changed()
    {
        var created = await crm.Api.CreateAsync("x_kinds", Everything);
        var changed = await crm.Api.SendAsync("PATCH", $"odata/v4/x_kinds({created["id"]})", """{"place_city":"Paris","place":{"country":null},"spot_latitude":48.85,"words":[],"at":"21:15:30"}""", ("Prefer", "return=representation"));
        Assert.True(changed.Status == HttpStatusCode.OK, changed.Text);
        Assert.Equal("Main St 1|Paris|", $"{changed.Json["place_street"]}|{changed.Json["place_city"]}|{changed.Json["place_country"]}");
        Assert.Equal("48.85 13.404954", $"{changed.Json["spot_latitude"]} {changed.Json["spot_longitude"]}");
        Assert.Equal("[]", changed.Json["words"]!.ToJsonString());
        Assert.Equal("21:15:30", changed.Json["at"]!.GetValue<string>());

        var history = await crm.Api.GetAsync($"api/records/x_kind/{created["id"]}/history");
        Assert.True(history.Status == HttpStatusCode.OK, history.Text);
        var place = history.Value[0]!["changes"]!.AsArray().Single(c => c!["field"]!.GetValue<string>() == "place")!;
        Assert.Equal("Berlin", place["before"]!["city"]!.GetValue<string>());
        Assert.Equal("Paris", place["after"]!["city"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"at":"2460"}""", "at", "type")]
    [InlineData("""{"takes":"soon"}""", "takes", "type")]
    [InlineData("""{"stars":9}""", "stars", "range")]
    [InlineData("""{"shade":"blue"}""", "shade", "type")]
    [InlineData("""{"words":"a,b,cccccccccccccccccccccccccccccccccccccccccccccccccccccc"}""", "words", "length")]
    [InlineData("""{"place":"Berlin"}""", "place", "type")]
    [InlineData("""{"place":{"town":"Berlin"}}""", "place", "type")]
    [InlineData("""{"spot_latitude":1}""", "spot", "type")]
    [InlineData("""{"spot":{"latitude":100,"longitude":1}}""", "spot", "type")]
    [InlineData("""{"raw":"{"}""", "raw", "type")]
    [InlineData("""{"raw":{"a":"\u0000"}}""", "raw", "type")]
    [InlineData("""{"helper":"018f0000-0000-7000-8000-000000000009"}""", "helper", "unknown")]
    public async Task A_value_that_cannot_be_stored_is_refused_at_its_field(string values, string field, string code)
    {
        var body = JsonNode.Parse(values)!.AsObject();
        body["name"] = "Wrong";
        var answer = await crm.Api.SendAsync("POST", "odata/v4/x_kinds", body.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Equal(code, answer.Code);
        Assert.Equal(field, answer.Target);
    }

    [Theory]
    [InlineData("at ge 09:00:00", "Late,Early")]
    [InlineData("at gt 09:30:00", "Late")]
    [InlineData("at eq null", "Bare")]
    [InlineData("takes lt 3600", "Early")]
    [InlineData("stars ge 3", "Late")]
    [InlineData("stars gt 0", "Late,Early")]
    [InlineData("stars lt 100", "Late,Early")]
    [InlineData("shade eq '#ff0000'", "Late")]
    [InlineData("contains(body,'second')", "Early")]
    [InlineData("words/any(w: w eq 'red')", "Late,Early")]
    [InlineData("words/any(w: w in ('blue','none'))", "Early")]
    [InlineData("place_city eq 'Oslo'", "Late")]
    [InlineData("startswith(place_country,'S')", "Early")]
    [InlineData("spot_latitude gt 55 and spot_longitude lt 15", "Late")]
    [InlineData("raw ne null", "Late")]
    [InlineData("helper_user/name eq 'System'", "Early")]
    public async Task Records_are_found_by_every_kind_of_value(string filter, string names)
    {
        var found = await crm.Api.GetAsync("odata/v4/x_finds?$orderby=number desc&$filter=" + Uri.EscapeDataString(filter));
        Assert.True(found.Status == HttpStatusCode.OK, found.Text);
        Assert.Equal(names, string.Join(',', found.Column("name")));
    }

    [Theory]
    [InlineData("at", "Early,Late,Bare")]
    [InlineData("at desc", "Late,Early,Bare")]
    [InlineData("takes desc", "Late,Early,Bare")]
    [InlineData("stars", "Early,Late,Bare")]
    [InlineData("place_city", "Late,Early,Bare")]
    [InlineData("spot_latitude", "Early,Late,Bare")]
    [InlineData("shade", "Early,Late,Bare")]
    public async Task Records_are_sorted_and_paged_by_every_kind_of_value_with_an_order(string order, string names)
    {
        var all = new List<string>();
        var next = "odata/v4/x_finds?$orderby=" + Uri.EscapeDataString(order);
        while (next is not null)
        {
            var page = await crm.Api.GetAsync(next, ("Prefer", "odata.maxpagesize=1"));
            Assert.True(page.Status == HttpStatusCode.OK, page.Text);
            all.AddRange(page.Column("name"));
            next = page.Json["@odata.nextLink"]?.GetValue<string>();
        }

        Assert.Equal(names, string.Join(',', all));
    }

    [Theory]
    [InlineData("$orderby=raw")]
    [InlineData("$orderby=words")]
    [InlineData("$filter=raw eq 'x'")]
    [InlineData("$filter=stars eq 'many'")]
    [InlineData("$filter=at eq 'soon'")]
    public async Task What_has_no_order_or_cannot_be_compared_is_refused(string query)
    {
        var answer = await crm.Api.GetAsync("odata/v4/x_finds?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task Each_kind_has_the_type_OData_clients_know()
    {
        var csdl = (await crm.Api.GetAsync("odata/v4/$metadata")).Text;
        var type = csdl[csdl.IndexOf("<EntityType Name=\"x_kind\"", StringComparison.Ordinal)..];
        foreach (var property in new[]
        {
            "\"at\" Type=\"Edm.TimeOfDay\"", "\"takes\" Type=\"Edm.Int64\"", "\"stars\" Type=\"Edm.Int64\"", "\"shade\" Type=\"Edm.String\" MaxLength=\"7\"",
            "\"words\" Type=\"Collection(Edm.String)\"", "\"place_postal_code\" Type=\"Edm.String\" MaxLength=\"20\"", "\"spot_latitude\" Type=\"Edm.Decimal\" Scale=\"6\"",
            "\"raw\" Type=\"Edm.String\"", "\"helper\" Type=\"Edm.Guid\"", "NavigationProperty Name=\"helper_user\" Type=\"crm.user\"",
        })
        {
            Assert.Contains(property, type, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_lookup_of_several_entities_points_to_a_record_that_exists()
    {
        var firm = await crm.Api.CreateAsync("x_firms", """{"name":"Pointed at"}""");
        var team = await crm.Api.CreateAsync("teams", """{"name":"Helpers"}""");
        var created = await crm.Api.CreateAsync("x_kinds", $$"""{"name":"Pointing","about":{"entity":"x_firm","id":"{{firm["id"]}}"},"crew_id":"{{team["id"]}}"}""");
        Assert.Equal("x_firm", created["about_entity"]!.GetValue<string>());
        var found = await crm.Api.GetAsync($"odata/v4/x_kinds?$filter=about_id eq {firm["id"]} and crew/name eq 'Helpers'");
        var pointedTo = await crm.Api.GetAsync("odata/v4/x_firms?$filter=" + Uri.EscapeDataString("x_kinds_by_about/any(k: k/name eq 'Pointing')"));
        Assert.Equal([firm["id"]!.ToString()], pointedTo.Column("id"));
        Assert.DoesNotContain(firm["id"]!.ToString(), (await crm.Api.GetAsync("odata/v4/x_firms?$top=200&$filter=" + Uri.EscapeDataString("not x_kinds_by_about/any()"))).Column("id"));
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.GetAsync("odata/v4/contacts?$filter=x_kinds_by_about/any()")).Status);
        var uses = await crm.Api.GetAsync("api/metadata/entities/x_firm/uses");
        Assert.Contains(uses.Value, u => u!["kind"]!.GetValue<string>() == "lookup" && u["target"]!.GetValue<string>() == "x_kind.about");
        Assert.Equal(["Pointing"], found.Column("name"));

        var below = await crm.Api.CreateAsync("x_kinds", $$"""{"name":"Below","above_id":"{{created["id"]}}"}""");
        var circle = await crm.Api.SendAsync("PATCH", $"odata/v4/x_kinds({created["id"]})", $$"""{"above_id":"{{below["id"]}}"}""");
        Assert.Equal("cycle", circle.Code);

        foreach (var (about, code) in new[] { ($"x_firm:{below["id"]}", "unknown"), ($"x_find:{below["id"]}", "unknown"), ("x_firm", "type") })
        {
            var refused = await crm.Api.SendAsync("POST", "odata/v4/x_kinds", $$"""{"name":"Wrong","about":"{{about}}"}""");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
            Assert.Equal(code, refused.Code);
            Assert.Equal("about", refused.Target);
        }
    }

    [Fact]
    public async Task Durations_can_be_added_up()
    {
        var sum = await crm.Api.GetAsync("odata/v4/x_finds?$apply=aggregate(takes with sum as total,at with max as latest)");
        Assert.True(sum.Status == HttpStatusCode.OK, sum.Text);
        Assert.Equal(9000, sum.Value[0]!["total"]!.GetValue<int>());
        Assert.Equal("21:00:00", sum.Value[0]!["latest"]!.GetValue<string>());
    }

    [Fact]
    public async Task Every_kind_of_value_is_imported_from_text()
    {
        var import = await ImportClient.OpenAsync(crm.Api.Crm);
        const string File = """
            name;at;takes;stars;shade;body;words;street;city;spot;raw;helper
            Imported;9:30;1:30;5;abc;<b>bold</b>;red, blue;Main St 1;Berlin;"52.5, 13.4";"{""a"":1}";System
            Refused;later;1:30;5;abc;;;;;;;
            """;
        const string Mapping = """
            {"fields":{"name":{"column":"name"},"at":{"column":"at"},"takes":{"column":"takes"},"stars":{"column":"stars"},"shade":{"column":"shade"},"body":{"column":"body"},
             "words":{"column":"words"},"place_street":{"column":"street"},"place_city":{"column":"city"},"spot":{"column":"spot"},"raw":{"column":"raw"},"helper":{"column":"helper"}}}
            """;
        await import.ImportAsync("x_kind", File, ("mapping", Mapping), ("delimiter", ";"), ("mode", "create"));
        var record = Assert.Single(await import.RecordsAsync("x_kinds", "$filter=name eq 'Imported'"));
        Assert.Equal("09:30:00", record.GetProperty("at").GetString());
        Assert.Equal(5400, record.GetProperty("takes").GetInt64());
        Assert.Equal(5, record.GetProperty("stars").GetInt64());
        Assert.Equal("#aabbcc", record.GetProperty("shade").GetString());
        Assert.Equal("<strong>bold</strong>", record.GetProperty("body").GetString());
        Assert.Equal("""["red","blue"]""", record.GetProperty("words").GetRawText());
        Assert.Equal("Main St 1", record.GetProperty("place_street").GetString());
        Assert.Equal("Berlin", record.GetProperty("place_city").GetString());
        Assert.Equal(52.5m, record.GetProperty("spot_latitude").GetDecimal());
        Assert.Equal("00000000-0000-7000-8000-000000000001", record.GetProperty("helper").GetString());
        Assert.Equal(0, await import.CountAsync("x_kinds", "name eq 'Refused'"));
    }

    public sealed class Crm : IAsyncLifetime
    {
        private const string Fields = """
            {"name":"name","type":"text","label":"Name","required":true},{"name":"at","type":"time","label":"At"},{"name":"takes","type":"duration","label":"Takes"},
            {"name":"stars","type":"rating","label":"Stars"},{"name":"shade","type":"colour","label":"Shade"},{"name":"body","type":"rich_text","label":"Body"},
            {"name":"words","type":"tags","label":"Words"},{"name":"place","type":"address","label":"Place"},{"name":"spot","type":"geolocation","label":"Spot"},
            {"name":"raw","type":"json","label":"Raw"},{"name":"helper","type":"user","label":"Helper"},{"name":"about","type":"any_lookup","label":"About","targets":["x_firm","x_deal"]},
            {"name":"crew","type":"team","label":"Crew"},{"name":"above","type":"hierarchy","label":"Above"},{"name":"number","type":"auto_number","label":"Number","prefix":"K","width":4}
            """;

        public ApiCrm Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync($$"""
                {"changes":[{"change":"create_entity","name":"x_kind","label":"Kind","plural":"Kinds","set":"x_kinds","fields":[{{Fields}}]},
                            {"change":"create_entity","name":"x_find","label":"Find","plural":"Finds","set":"x_finds","fields":[{{Fields}}]}]}
                """);
            await Api.CreateAsync("x_finds", """{"name":"Bare"}""");
            await Api.CreateAsync("x_finds", """
                {"name":"Early","at":"0930","takes":1800,"stars":1,"shade":"#00f","body":"<p>the second</p>","words":["red","blue"],
                 "place_city":"Stockholm","place_country":"Sweden","spot":"55, 18","helper":"00000000-0000-7000-8000-000000000001"}
                """);
            await Api.CreateAsync("x_finds", """
                {"name":"Late","at":"21:00","takes":7200,"stars":5,"shade":"#f00","body":"the first","words":["red"],"place_city":"Oslo","spot":"59.9, 10.7","raw":[1]}
                """);
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
