using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Host.Tests.Import;
using Crm.Sdk;

namespace Crm.Host.Tests.Api;

/// <summary>Several addresses of a record over the API, each with its kind.</summary>
public sealed class AddressesApiTests(AddressesApiTests.Crm crm) : IClassFixture<AddressesApiTests.Crm>
{
    [Fact]
    public async Task Addresses_are_written_read_back_and_changed_by_kind()
    {
        var created = await crm.Api.CreateAsync("x_plants", """{"name":"Fin","places":[{"kind":"work","street":"Kai 2","city":"Kiel"},{"kind":"invoice","city":"Bonn","country":"de"}]}""");
        Assert.Equal(
            """[{"kind":"work","street":"Kai 2","postal_code":null,"city":"Kiel","region":null,"country":null},{"kind":"invoice","street":null,"postal_code":null,"city":"Bonn","region":null,"country":"DE"}]""",
            created["places"]!.ToJsonString());
        var path = $"odata/v4/x_plants({created["id"]})";
        var same = await crm.Api.SendAsync("PATCH", path, created.ToJsonString(), ("Prefer", "return=representation"));
        Assert.Equal(1, same.Json["version"]!.GetValue<int>());

        var changed = await crm.Api.SendAsync("PATCH", path, """{"places":{"work":{"postal_code":"24103"},"invoice":null}}""", ("Prefer", "return=representation"));
        Assert.Equal("""[{"kind":"work","street":"Kai 2","postal_code":"24103","city":"Kiel","region":null,"country":null}]""", changed.Json["places"]!.ToJsonString());
        var history = await crm.Api.GetAsync($"api/records/x_plant/{created["id"]}/history");
        Assert.Equal("Bonn", history.Value[0]!["changes"]![0]!["before"]![1]!["city"]!.GetValue<string>());

        var wrong = await crm.Api.SendAsync("PATCH", path, """{"places":[{"kind":"work","city":"Kiel"},{"kind":"sea","city":"Kiel"}]}""");
        Assert.Equal(("places[1].kind", HttpStatusCode.UnprocessableEntity), (wrong.Json["error"]!["details"]![0]!["target"]!.GetValue<string>(), wrong.Status));
        Assert.Equal(HttpStatusCode.NoContent, (await crm.Api.SendAsync("DELETE", path, "")).Status);
    }

    [Theory]
    [InlineData("places/any(a: a/kind eq 'invoice' and a/city eq 'Ulm')", "Anna")]
    [InlineData("places/any(a: a/city eq 'Ulm')", "Anna,Ben")]
    [InlineData("places/any(a: contains(a/street,'allee') or a/region eq 'Zürich')", "Anna,Ben")]
    [InlineData("places/any(a: a/kind in ('home','other') and startswith(a/city,'u'))", "Ben")]
    [InlineData("places/all(a: a/city eq 'Ulm')", "Ben,Cleo")]
    [InlineData("not places/any(a: a/country eq 'DE')", "Ben,Cleo")]
    [InlineData("places/any()", "Anna,Ben")]
    [InlineData("friend/places/any(a: a/city eq 'Ulm')", "Cleo")]
    public async Task Any_of_the_addresses_is_found_by_its_kind_and_its_parts(string filter, string names)
    {
        var answer = await crm.Api.GetAsync("odata/v4/x_plants?$orderby=name&$filter=" + Uri.EscapeDataString(filter));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(names, string.Join(',', answer.Column("name")));
    }

    [Fact]
    public async Task The_filter_of_a_list_on_addresses_can_be_said_over_OData()
    {
        var metadata = crm.Api.Crm.Metadata.Current;
        var filter = Filter.AllOf(
            new Filter.Linked("places", Filter.AllOf(new Filter.In("kind", ["invoice"]), new Filter.Compare("city", FilterOperator.Contains, "ul"))),
            new Filter.Compare("places", FilterOperator.Contains, "haupt"));
        var link = new FilterText(ODataModel.Build(metadata)).Link(metadata.Entity("x_plant"), new RecordQuery { Entity = "x_plant", Filter = filter });
        var answer = await crm.Api.GetAsync(link.TrimStart('/'));
        Assert.True(answer.Status == HttpStatusCode.OK, link + answer.Text);
        Assert.Equal(["Anna"], answer.Column("name"));
        Assert.Equal(["Anna"], (await crm.Api.Crm.Records.QueryAsync(new RecordQuery { Entity = "x_plant", Select = ["name"], Filter = filter })).Records.Select(r => (string)r["name"]!));
        var similar = new RecordQuery { Entity = "x_plant", Select = ["name"], Search = "haputallee", SearchMode = SearchMode.Similar };
        Assert.Equal(["Anna"], (await crm.Api.Crm.Records.QueryAsync(similar)).Records.Select(r => (string)r["name"]!));
    }

    [Theory]
    [InlineData("hauptallee", "Anna")]
    [InlineData("Zürich ben", "Ben")]
    [InlineData("invoice", "")]
    public async Task Quick_search_finds_what_stands_in_any_address_but_not_what_it_is_for(string search, string names) =>
        Assert.Equal(names, string.Join(',', (await crm.Api.GetAsync("odata/v4/x_plants?$orderby=name&$search=" + Uri.EscapeDataString($"\"{search.Replace(" ", "\" \"", StringComparison.Ordinal)}\""))).Column("name")));

    [Fact]
    public async Task What_points_to_any_record_points_to_no_address()
    {
        var inside = new Filter.Linked("places", new Filter.Related("x_note", "about"));
        var refused = await Assert.ThrowsAsync<QueryException>(() => crm.Api.Crm.Records.QueryAsync(new RecordQuery { Entity = "x_plant", Filter = inside }));
        Assert.Equal(ErrorCodes.BadRequest, refused.Code);
    }

    [Theory]
    [InlineData("$filter=places eq 'x'")]
    [InlineData("$filter=places/any(a: a/value eq 'x')")]
    [InlineData("$orderby=places")]
    public async Task What_cannot_be_asked_is_refused(string query) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.Api.GetAsync("odata/v4/x_plants?" + query)).Status);

    [Fact]
    public async Task Columns_of_a_file_go_to_the_parts_of_kinds_and_leave_the_others()
    {
        await crm.Api.CreateAsync("x_depots", """{"name":"Eva","places":[{"kind":"invoice","street":"Weg 1","city":"Ulm"},{"kind":"home","city":"Kiel"}]}""");
        var import = new ImportClient(crm.Api.Crm, crm.Api.Admin);
        var job = await import.ImportAsync("x_depot", "Name,Billing City,Shipping ZIP,Delivery City\nEva,Bonn,10115,Berlin\nGus,,,\n", ("mode", "upsert"), ("match", "name"));
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        var rows = (await crm.Api.GetAsync("odata/v4/x_depots?$orderby=name")).Value;
        Assert.Equal(
            "invoice Weg 1 Bonn|home  Kiel|delivery  Berlin",
            string.Join('|', rows[0]!["places"]!.AsArray().Select(a => $"{a!["kind"]} {a["street"]} {a["city"]}")));
        Assert.Equal("10115", rows[0]!["places"]![2]!["postal_code"]!.GetValue<string>());
        Assert.Empty(rows[1]!["places"]!.AsArray());
    }

    [Fact]
    public async Task The_documents_say_what_addresses_are()
    {
        Assert.Contains("""<Property Name="places" Type="Collection(crm.kind_address)" Nullable="false" />""", (await crm.Api.GetAsync("odata/v4/$metadata")).Text, StringComparison.Ordinal);
        Assert.Contains("depot", JsonNode.Parse((await crm.Api.GetAsync("openapi/v1.json")).Text)!.ToJsonString(), StringComparison.Ordinal);
    }

    public sealed class Crm : IAsyncLifetime
    {
        public ApiCrm Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[{"change":"create_entity","name":"x_plant","label":"Plant","set":"x_plants","search":["name","places"],"fields":[
                              {"name":"name","type":"text","required":true},{"name":"places","type":"addresses","label":"Places"},{"name":"friend","type":"lookup","target":"x_plant"}]},
                            {"change":"create_entity","name":"x_note","label":"Note","set":"x_notes","fields":[{"name":"name","type":"text"},{"name":"about","type":"any_lookup"}]},
                            {"change":"create_entity","name":"x_depot","label":"Depot","set":"x_depots","fields":[{"name":"name","type":"text","required":true},{"name":"places","type":"addresses","label":"Places"}]}]}
                """);
            await Api.CreateAsync("x_plants", """
                {"name":"Anna","places":[{"kind":"invoice","street":"Hauptallee 5","postal_code":"89073","city":"Ulm","country":"DE"},{"kind":"work","city":"Bonn","country":"DE"}]}
                """);
            var ben = await Api.CreateAsync("x_plants", """{"name":"Ben","places":[{"kind":"home","city":"Ulm","region":"Zürich"}]}""");
            await Api.CreateAsync("x_plants", $$"""{"name":"Cleo","friend_id":"{{ben["id"]}}"}""");
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
