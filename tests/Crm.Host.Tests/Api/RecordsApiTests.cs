using System.Net;
using System.Text.Json;

namespace Crm.Host.Tests.Api;

/// <summary>Records through HTTP: create, read, change, delete, with versions.</summary>
public sealed class RecordsApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task A_record_is_created_read_changed_and_deleted()
    {
        var firm = await crm.CreateAsync("x_firms", """{"name":"Acme Ltd","revenue":1000000.5}""");
        var created = await crm.SendAsync("POST", "odata/v4/x_deals", $$"""
            {"title":"Big deal","seats":12,"weight":0.12345,"budget":12345678901234.57,"urgent":true,"close_date":"2026-11-21","next_call":"2026-11-21T10:30:00+01:00",
             "source":"Trade fair","tags":["hot","cold"],"firm@odata.bind":"x_firms({{firm["id"]}})","email":"Anna@Example.COM"}
            """);
        Assert.Equal(HttpStatusCode.Created, created.Status);
        var deal = created.Json;
        var url = $"odata/v4/x_deals({deal["id"]})";
        Assert.Equal(crm.Crm.Address + url, created.Headers["Location"]);
        Assert.Equal("W/\"1\"", created.Headers["ETag"]);
        Assert.Equal("4.01", created.Headers["OData-Version"]);
        Assert.EndsWith("/odata/v4/$metadata#x_deals/$entity", deal["@odata.context"]!.ToString(), StringComparison.Ordinal);

        var read = await crm.GetAsync(url);
        Assert.Equal(deal.ToJsonString(), read.Json.ToJsonString());
        Assert.Contains("\"budget\":12345678901234.57,\"budget_currency\":\"USD\"", read.Text, StringComparison.Ordinal);
        Assert.Contains("\"weight\":0.1235,", read.Text, StringComparison.Ordinal);
        Assert.Contains("\"close_date\":\"2026-11-21\"", read.Text, StringComparison.Ordinal);
        Assert.Contains("\"next_call\":\"2026-11-21T09:30:00Z\"", read.Text, StringComparison.Ordinal);
        Assert.Equal("fair", read.Json["source"]!.ToString());
        Assert.Equal("""["hot","cold"]""", read.Json["tags"]!.ToJsonString());
        Assert.Equal(firm["id"]!.ToString(), read.Json["firm_id"]!.ToString());
        Assert.Equal("open", read.Json["stage"]!.ToString());
        Assert.Matches("^D[0-9]{5}$", read.Json["number"]!.ToString());
        Assert.Equal("Anna@example.com", read.Json["email"]!.ToString());
        Assert.Equal(read.Json["created_by"]!.ToString(), read.Json["owner"]!.ToString());

        var changed = await crm.SendAsync("PATCH", url, """{"budget":2000,"tags":[],"source":null}""", ("If-Match", "W/\"1\""));
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.Equal((2L, "USD", "[]"), ((long)changed.Json["version"]!, changed.Json["budget_currency"]!.ToString(), changed.Json["tags"]!.ToJsonString()));
        Assert.Null(changed.Json["source"]);
        Assert.Equal("Big deal", changed.Json["title"]!.ToString());

        var bySlash = await crm.GetAsync($"odata/v4/x_deals/{deal["id"]}");
        Assert.Equal(2L, (long)bySlash.Json["version"]!);

        Assert.Equal(HttpStatusCode.PreconditionFailed, (await crm.SendAsync("DELETE", url, null, ("If-Match", "W/\"1\""))).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", url, null, ("If-Match", "W/\"2\""))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync(url)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("DELETE", url)).Status);
    }

    [Fact]
    public async Task A_client_that_wants_no_body_gets_none()
    {
        var created = await crm.SendAsync("POST", "odata/v4/x_deals", """{"title":"Quiet"}""", ("Prefer", "return=minimal"));
        Assert.Equal((HttpStatusCode.NoContent, ""), (created.Status, created.Text));
        Assert.Equal("return=minimal", created.Headers["Preference-Applied"]);
        Assert.Equal(created.Headers["Location"], created.Headers["OData-EntityId"]);
        var changed = await crm.SendAsync("PATCH", created.Headers["Location"], """{"seats":3}""", ("Prefer", "return=minimal"));
        Assert.Equal((HttpStatusCode.NoContent, "W/\"2\""), (changed.Status, changed.Headers["ETag"]));
    }

    [Fact]
    public async Task A_record_the_client_has_already_is_not_sent_again()
    {
        var deal = await crm.CreateAsync("x_deals", """{"title":"Cached"}""");
        var url = $"odata/v4/x_deals({deal["id"]})";
        Assert.Equal(HttpStatusCode.NotModified, (await crm.GetAsync(url, ("If-None-Match", "W/\"1\""))).Status);
        Assert.Equal(HttpStatusCode.NotModified, (await crm.GetAsync(url, ("If-None-Match", "W/\"7\", W/\"1\""))).Status);
        Assert.Equal(HttpStatusCode.OK, (await crm.GetAsync(url, ("If-None-Match", "W/\"2\""))).Status);
    }

    [Fact]
    public async Task A_stale_version_overwrites_nothing_however_it_is_sent()
    {
        var deal = await crm.CreateAsync("x_deals", """{"title":"First"}""");
        var url = $"odata/v4/x_deals({deal["id"]})";
        await crm.SendAsync("PATCH", url, """{"title":"Second"}""");
        var byTag = await crm.SendAsync("PATCH", url, """{"title":"Third"}""", ("If-Match", "W/\"1\""));
        Assert.Equal((HttpStatusCode.PreconditionFailed, "conflict"), (byTag.Status, byTag.Code));
        var byStrangeTag = await crm.SendAsync("PATCH", url, """{"title":"Third"}""", ("If-Match", "\"abc\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, byStrangeTag.Status);
        var byVersion = await crm.SendAsync("PATCH", url, """{"title":"Third","version":1}""");
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), (byVersion.Status, byVersion.Code));
        Assert.Equal("Second", (await crm.GetAsync(url)).Json["title"]!.ToString());
        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("PATCH", url, """{"title":"Third"}""", ("If-Match", "*"))).Status);
    }

    [Fact]
    public async Task The_id_may_be_given_by_the_client_once()
    {
        var id = Guid.CreateVersion7();
        var deal = await crm.CreateAsync("x_deals", $$"""{"id":"{{id}}","title":"Mine"}""");
        Assert.Equal(id.ToString(), deal["id"]!.ToString());
        var again = await crm.SendAsync("POST", "odata/v4/x_deals", $$"""{"id":"{{id}}","title":"Mine"}""");
        Assert.InRange((int)again.Status, 400, 499);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("PATCH", $"odata/v4/x_deals({id})", $$"""{"id":"{{Guid.CreateVersion7()}}"}""")).Status);
    }

    [Fact]
    public async Task All_mistakes_of_a_record_are_told_at_once()
    {
        var answer = await crm.SendAsync("POST", "odata/v4/x_deals", """{"seats":0,"email":"nobody","source":"mail","close_date":"soon"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        var details = answer.Json["error"]!["details"]!.AsArray().Select(d => $"{d!["target"]} {d["code"]}").Order(StringComparer.Ordinal);
        Assert.Equal(["close_date type", "email type", "seats range", "source unknown", "title required"], details);
        Assert.Contains(answer.Code, new[] { "type", "range", "unknown", "required" });
    }

    [Fact]
    public async Task The_history_of_a_record_tells_who_changed_what()
    {
        var deal = await crm.CreateAsync("x_deals", """{"title":"Before","budget":10}""");
        await crm.SendAsync("PATCH", $"odata/v4/x_deals({deal["id"]})", """{"title":"After","budget":20}""");
        var history = (await crm.GetAsync($"api/records/x_deal/{deal["id"]}/history")).Value;
        Assert.Equal(["update", "create"], history.Select(h => h!["kind"]!.ToString()));
        var update = history[0]!;
        Assert.Equal((2L, "api"), ((long)update["version"]!, update["source"]!.ToString()));
        Assert.Equal(deal["created_by"]!.ToString(), update["user_id"]!.ToString());
        var changes = update["changes"]!.AsArray().ToDictionary(c => c!["field"]!.ToString(), c => c!.ToJsonString());
        Assert.Equal("""{"field":"title","before":"Before","after":"After"}""", changes["title"]);
        Assert.Equal("""{"field":"budget","before":{"amount":10,"currency":"USD"},"after":{"amount":20,"currency":"USD"}}""", changes["budget"]);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync($"api/records/x_deal/{Guid.CreateVersion7()}/history")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync("api/records/x_deal/7/history")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync($"api/records/nothing/{deal["id"]}/history")).Status);
    }

    [Fact]
    public async Task A_group_of_a_batch_is_saved_together_or_not_at_all()
    {
        var batch = """
            {"requests":[
              {"id":"1","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"Batch firm"}},
              {"id":"2","atomicityGroup":"a","method":"POST","url":"x_deals","headers":{"prefer":"return=minimal"},"body":{"title":"Batch deal","firm@odata.bind":"$1"}},
              {"id":"3","method":"GET","url":"/odata/v4/x_deals?$filter=title eq 'Batch deal'&$expand=firm($select=name)"},
              {"id":"4","method":"PATCH","url":"$2","body":{"seats":5}}]}
            """;
        var done = await crm.SendAsync("POST", "odata/v4/$batch", batch);
        Assert.Equal(HttpStatusCode.OK, done.Status);
        var answers = done.Json["responses"]!.AsArray();
        Assert.Equal([201, 204, 200, 200], answers.Select(a => (int)a!["status"]!));
        Assert.Equal("Batch firm", answers[2]!["body"]!["value"]![0]!["firm"]!["name"]!.ToString());
        Assert.Equal(5, (int)answers[3]!["body"]!["seats"]!);

        var refused = await crm.SendAsync("POST", "odata/v4/$batch", """
            {"requests":[
              {"id":"1","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"Never"}},
              {"id":"2","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"Batch firm"}},
              {"id":"3","method":"GET","url":"x_firms"}]}
            """);
        Assert.True(refused.Status == HttpStatusCode.OK, refused.Text);
        Assert.Equal([424, 422], refused.Json["responses"]!.AsArray().Select(a => (int)a!["status"]!));
        Assert.Equal("unique", refused.Json["responses"]![1]!["body"]!["error"]!["code"]!.ToString());
        Assert.Empty((await crm.GetAsync("odata/v4/x_firms?$filter=name eq 'Never'")).Value);
    }

    [Fact]
    public async Task A_batch_goes_on_after_an_error_only_when_asked_to()
    {
        const string Batch = """{"requests":[{"id":"1","method":"GET","url":"nothing"},{"id":"2","method":"GET","url":"x_firms/$count"}]}""";
        Assert.Single((await crm.SendAsync("POST", "odata/v4/$batch", Batch)).Json["responses"]!.AsArray());
        var all = (await crm.SendAsync("POST", "odata/v4/$batch", Batch, ("Prefer", "continue-on-error"))).Json["responses"]!.AsArray();
        Assert.Equal([404, 200], all.Select(a => (int)a!["status"]!));
        Assert.Equal(JsonValueKind.String, all[1]!["body"]!.GetValueKind());
    }
}
