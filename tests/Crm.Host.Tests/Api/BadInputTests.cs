using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Api;

/// <summary>What strangers and mistakes send: a 4xx that says why, and nothing changed.</summary>
public sealed class BadInputTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    public static TheoryData<string, string, string, int, string, string?> Writes { get; } = new()
    {
        { "unknown entity", "POST x_nothing", """{"title":"a"}""", 404, "unknown_entity", "x_nothing" },
        { "unknown field", "POST x_deals", """{"title":"a","titel":"b"}""", 400, "unknown_field", "titel" },
        { "field with a quote in its name", "POST x_deals", """{"title":"a","select\"; drop table x":"b"}""", 400, "unknown_field", "select\"; drop table x" },
        { "wrong type: text for a number", "POST x_deals", """{"title":"a","seats":"many"}""", 422, "type", "seats" },
        { "wrong type: number for a text", "POST x_deals", """{"title":{"a":1}}""", 422, "type", "title" },
        { "wrong type: fraction for a whole number", "POST x_deals", """{"title":"a","seats":1.5}""", 422, "type", "seats" },
        { "wrong type: number too great", "POST x_deals", """{"title":"a","budget":1e300}""", 422, "type", "budget" },
        { "wrong type: yes or no", "POST x_deals", """{"title":"a","urgent":"perhaps"}""", 422, "type", "urgent" },
        { "wrong type: date", "POST x_deals", """{"title":"a","close_date":"2026-02-30"}""", 422, "type", "close_date" },
        { "wrong type: instant without zone", "POST x_deals", """{"title":"a","next_call":"2026-02-03T10:00:00"}""", 422, "type", "next_call" },
        { "wrong type: lookup", "POST x_deals", """{"title":"a","firm_id":"seven"}""", 422, "type", "firm" },
        { "text too long", "POST x_deals", $$"""{"title":"{{new string('x', 81)}}"}""", 422, "length", "title" },
        { "number out of range", "POST x_deals", """{"title":"a","seats":1001}""", 422, "range", "seats" },
        { "missing required value", "POST x_deals", """{"seats":1}""", 422, "required", "title" },
        { "required value emptied", "PATCH x_deals(ID)", """{"title":"  "}""", 422, "required", "title" },
        { "duplicate of a unique value", "POST x_deals", """{"title":"a","code":"taken"}""", 422, "unique", "code" },
        { "lookup to nothing", "POST x_deals", """{"title":"a","firm_id":"01890a5d-ac96-774b-bcce-b302099a8057"}""", 422, "unknown", "firm" },
        { "lookup to a record of another entity", "POST x_deals", """{"title":"a","firm_id":"ID"}""", 422, "unknown", "firm" },
        { "unknown choice", "POST x_deals", """{"title":"a","source":"mail"}""", 422, "unknown", "source" },
        { "unknown stage", "POST x_deals", """{"title":"a","stage":"nearly"}""", 422, "unknown", "stage" },
        { "forbidden move", "PATCH x_deals(WON)", """{"stage":"lost"}""", 422, "stage", "stage" },
        { "read-only field", "PATCH x_deals(ID)", """{"number":"D99999"}""", 422, "read_only", "number" },
        { "system field", "PATCH x_deals(ID)", """{"created_by":"ID"}""", 422, "read_only", "created_by" },
        { "NUL in a text", "POST x_deals", """{"title":"a\u0000b"}""", 422, "type", "title" },
        { "half a surrogate pair", "POST x_deals", """{"title":"\ud800"}""", 400, "bad_request", "title" },
        { "stale version", "PATCH x_deals(ID) W/\"99\"", """{"title":"b"}""", 412, "conflict", null },
        { "record that is not there", "PATCH x_deals(01890a5d-ac96-774b-bcce-b302099a8057)", """{"title":"b"}""", 404, "not_found", null },
        { "id that is none", "PATCH x_deals(7)", """{"title":"b"}""", 404, "not_found", "id" },
        { "PUT", "PUT x_deals(ID)", """{"title":"b"}""", 405, "bad_request", null },
        { "DELETE of a set", "DELETE x_deals", "", 405, "bad_request", null },
        { "no JSON", "POST x_deals", "title=a", 400, "bad_request", null },
        { "JSON cut off", "POST x_deals", """{"title":"a""", 400, "bad_request", null },
        { "an array", "POST x_deals", """[{"title":"a"}]""", 400, "bad_request", null },
        { "a property twice", "POST x_deals", """{"title":"a","title":"b"}""", 400, "bad_request", "title" },
        { "a type of the runtime", "POST x_deals", """{"title":"a","@odata.type":"#System.Diagnostics.Process"}""", 400, "bad_request", "@odata.type" },
        { "$type", "POST x_deals", """{"title":"a","$type":"System.IO.FileInfo, mscorlib"}""", 400, "unknown_field", "$type" },
        { "deep JSON", "POST x_deals", "{\"title\":" + new string('[', 5000) + new string(']', 5000) + "}", 400, "bad_request", null },
        { "a record inside a record", "POST x_deals", """{"title":"a","firm":{"name":"new"}}""", 400, "bad_request", "firm" },
        { "no batch", "POST $batch", """{"title":"a"}""", 400, "bad_request", "requests" },
        { "a body of 2 MB", "POST x_deals", "{\"notes\":\"" + new string('x', 2 * 1024 * 1024) + "\"}", 413, "bad_request", null },
    };

    [Theory]
    [InlineData("api/nothing")]
    [InlineData("api/nothing/at/all.html")]
    [InlineData("api/records/x_deal/nothing/at/all")]
    [InlineData("api/bulk")]
    [InlineData("elsa/api/nothing")]
    [InlineData("elsa/api/workflow-definitions/a/b/c")]
    [InlineData("odata/v3/x_deals")]
    public async Task An_address_of_programs_where_nothing_is_answers_in_json(string path)
    {
        var answer = await crm.GetAsync(path, ("Accept", "text/html"));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (answer.Status, answer.Code));
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("HEAD", path)).Status);
        using var nobody = await crm.Crm.Client().GetAsync(new Uri(path, UriKind.Relative));
        Assert.NotEqual(HttpStatusCode.OK, nobody.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task A_write_that_is_wrong_is_refused_and_changes_nothing(string what, string request, string body, int status, string code, string? target)
    {
        var existing = await ExistingAsync();
        var before = await SnapshotAsync();
        var parts = request.Replace("(ID)", $"({existing.Open})", StringComparison.Ordinal).Replace("(WON)", $"({existing.Won})", StringComparison.Ordinal).Split(' ');
        var answer = await crm.SendAsync(parts[0], "odata/v4/" + parts[1], body.Replace("\"ID\"", $"\"{existing.Open}\"", StringComparison.Ordinal), parts is [_, _, var tag] ? [("If-Match", tag)] : []);
        Assert.True((int)answer.Status == status, $"{what}: {answer}");
        Assert.Equal((code, target), (answer.Code, answer.Target));
        Assert.NotEmpty(answer.Json["error"]!["message"]!.ToString());
        Assert.Equal(before, await SnapshotAsync());
    }

    public static TheoryData<string, string> Plans { get; } = new()
    {
        { "an entity without fields", """{"changes":[{"change":"create_entity","name":"x_empty","label":"Empty","plural":"Empties","fields":[]}]}""" },
        { "a field named like an attack", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"select\"; drop table x_deal","type":"text"}}]}""" },
        { "an entity named like an attack", """{"changes":[{"change":"create_entity","name":"x_a\"; drop table x_deal; --","label":"A","plural":"As","fields":[{"name":"name","type":"text"}]}]}""" },
        { "an unknown entity", """{"changes":[{"change":"add_field","entity":"nothing","field":{"name":"x_a","type":"text"}}]}""" },
        { "an unknown type", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"x_a","type":"blob"}}]}""" },
        { "an unknown change", """{"changes":[{"change":"drop_database"}]}""" },
        { "a name that is taken", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"title","type":"text"}}]}""" },
        { "a reserved name", """{"changes":[{"change":"add_field","entity":"x_deal","field":{"name":"version","type":"integer"}}]}""" },
        { "no changes", """{"changes":[]}""" },
        { "no object", "[]" },
        { "no JSON", "{" },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public async Task A_change_of_metadata_that_is_wrong_is_refused_with_its_reasons(string what, string changes)
    {
        var before = (await crm.GetAsync("api/metadata")).Text;
        var answer = await crm.SendAsync("POST", "api/metadata/plan", changes);
        Assert.True((int)answer.Status is 400 or 422, $"{what}: {answer}");
        Assert.NotNull(answer.Code);
        if (answer.Json["id"] is { } id)
        {
            Assert.NotEmpty(answer.Json["errors"]!.AsArray());
            Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{id}}"}""")).Status);
        }

        Assert.Equal(before, (await crm.GetAsync("api/metadata")).Text);
    }

    [Fact]
    public async Task A_plan_is_applied_once_and_only_on_what_it_was_made_for()
    {
        const string Field = """{"changes":[{"change":"add_field","entity":"x_firm","field":{"name":"x_NAME","type":"text","label":"More"}}]}""";
        var first = await crm.SendAsync("POST", "api/metadata/plan", Field.Replace("NAME", "one", StringComparison.Ordinal));
        var second = await crm.SendAsync("POST", "api/metadata/plan", Field.Replace("NAME", "two", StringComparison.Ordinal));
        var applied = await crm.SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{first.Json["id"]}}"}""");
        Assert.Equal(HttpStatusCode.OK, applied.Status);
        Assert.Equal((long)first.Json["version"]! + 1, (long)applied.Json["version"]!);
        var stale = await crm.SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{second.Json["id"]}}"}""");
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), (stale.Status, stale.Code));
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{Guid.CreateVersion7()}}"}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("POST", "api/metadata/apply", """{"plan":"seven"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await crm.GetAsync("odata/v4/x_firms?$filter=x_one eq null")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.GetAsync("odata/v4/x_firms?$filter=x_two eq null")).Status);

        var entity = await crm.GetAsync("api/metadata/entities/x_firm");
        Assert.Contains("x_one", entity.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync("api/metadata/entities/nothing")).Status);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=windows-1251")]
    public async Task A_body_that_is_not_JSON_in_UTF_8_is_refused(string contentType)
    {
        using var content = new StringContent("{\"title\":\"a\"}", Encoding.UTF8);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var answer = await crm.Admin.PostAsync(new Uri("odata/v4/x_deals", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_are_refused()
    {
        using var content = new ByteArrayContent([.. "{\"title\":\""u8, 0xC0, 0xE0, .. "\"}"u8]);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var answer = await crm.Admin.PostAsync(new Uri("odata/v4/x_deals", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("odata/v4/x_deals", true)]
    [InlineData("odata/v4/x_deals", false)]
    [InlineData("odata/v4/$batch", false)]
    [InlineData("api/metadata/plan", true)]
    [InlineData("api/auth/token", false)]
    public async Task A_caller_who_sends_far_too_much_reads_why_it_was_refused(string path, bool isChunked)
    {
        var before = await SnapshotAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        // Far more than fits into the buffers between the two, so that the answer comes while the caller still sends.
        request.Content = new ByteArrayContent([.. "{\"username\":\""u8, .. Enumerable.Repeat((byte)'x', 24 * 1024 * 1024)]);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.TransferEncodingChunked = isChunked;
        using var answer = await crm.Admin.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("bad_request", JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!["code"]!.ToString());
        Assert.Equal(before, await SnapshotAsync());
    }

    [Theory]
    [InlineData("odata/v4/nothing", 404)]
    [InlineData("odata/v4/x_deals(1)", 404)]
    [InlineData("odata/v4/x_deals/one/two/three", 404)]
    [InlineData("odata/v4/x_deals(01890a5d-ac96-774b-bcce-b302099a8057)", 404)]
    [InlineData("odata/v4/x_deals?$filter=", 400)]
    [InlineData("odata/v4/x_deals?$filter=titel%20eq%201", 400)]
    [InlineData("odata/v4/x_deals?$filter=1;drop%20table%20x_deal", 400)]
    [InlineData("odata/v4/x_deals?$orderby=title;drop%20table%20x_deal", 400)]
    [InlineData("odata/v4/x_deals?$orderby=(select%20password%20from%20crm.credential)", 400)]
    [InlineData("odata/v4/x_deals?$top=99999999999", 400)]
    [InlineData("odata/v4/x_deals?$select=%00", 400)]
    [InlineData("api/nothing", 404)]
    public async Task A_read_that_is_wrong_is_refused(string path, int status)
    {
        var answer = await crm.GetAsync(path);
        Assert.True((int)answer.Status == status, answer.ToString());
        Assert.NotNull(answer.Code);
    }

    [Fact]
    public async Task Nothing_of_the_API_answers_without_sign_in()
    {
        using var stranger = crm.Crm.Client();
        var endpoints = crm.Crm.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(e => (Path: "/" + e.RoutePattern.RawText!.TrimStart('/'), Methods: e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST", "PATCH", "DELETE"]))
            .Where(e => e.Path == "/api" || e.Path.StartsWith("/api/", StringComparison.Ordinal) || e.Path.StartsWith("/odata", StringComparison.Ordinal) || e.Path.StartsWith("/openapi", StringComparison.Ordinal))
            .Where(e => !e.Path.StartsWith("/api/auth/", StringComparison.Ordinal))
            .ToList();
        Assert.True(endpoints.Count > 5);
        foreach (var (path, methods) in endpoints)
        {
            foreach (var method in methods)
            {
                var concrete = System.Text.RegularExpressions.Regex.Replace(path, @"\{\*\*?\w+\}", "x_deals", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1));
                concrete = System.Text.RegularExpressions.Regex.Replace(concrete, @"\{[^}]*\}", "01890a5d-ac96-774b-bcce-b302099a8057", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1));
                using var request = new HttpRequestMessage(new HttpMethod(method), concrete);
                using var answer = await stranger.SendAsync(request);
                // Pages send a person to the sign-in page; programs get 401.
                Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Redirect, $"{method} {concrete}: {(int)answer.StatusCode}");
            }
        }

        using var odata = await stranger.GetAsync(new Uri("odata/v4/x_deals", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, odata.StatusCode);
        Assert.NotNull(JsonNode.Parse(await odata.Content.ReadAsStringAsync())!["error"]!["message"]);
        using var wrong = crm.Crm.Client("not-a-token");
        using var refused = await wrong.GetAsync(new Uri("odata/v4/x_deals", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    private async Task<(string Open, string Won)> ExistingAsync()
    {
        var found = (await crm.GetAsync("odata/v4/x_deals?$filter=code in ('taken','won')&$orderby=code")).Value;
        if (found.Count == 2)
        {
            return (found[0]!["id"]!.ToString(), found[1]!["id"]!.ToString());
        }

        var open = await crm.CreateAsync("x_deals", """{"title":"Open","code":"taken"}""");
        var won = await crm.CreateAsync("x_deals", """{"title":"Won","code":"won","stage":"won"}""");
        return (open["id"]!.ToString(), won["id"]!.ToString());
    }

    private async Task<string> SnapshotAsync() => (await crm.GetAsync("odata/v4/x_deals?$orderby=id&$count=true")).Text + (await crm.GetAsync("odata/v4/x_firms?$count=true")).Text;
}
