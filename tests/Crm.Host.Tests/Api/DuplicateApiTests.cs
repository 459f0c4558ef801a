using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Import;

namespace Crm.Host.Tests.Api;

/// <summary>Duplicates and deleted records over the API.</summary>
public sealed class DuplicateApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task D_14_A_likely_duplicate_is_answered_with_409_and_its_id_and_made_when_the_caller_accepts_it()
    {
        await crm.ApplyAsync("""{"changes":[{"change":"set_rule","entity":"x_deal","rule":{"name":"mail","kind":"duplicate","fields":["email"]}}]}""");
        var first = await crm.SendAsync("POST", "odata/v4/x_deals", """{"title":"First","email":"anna@acme.example"}""");
        var id = first.Json["id"]!.GetValue<string>();
        const string Like = """{"title":"Second","email":"Anna@ACME.example"}""";
        var refused = await crm.SendAsync("POST", "odata/v4/x_deals", Like);
        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Equal(("possible_duplicate", id), (refused.Json["error"]!["code"]!.GetValue<string>(), refused.Json["error"]!["details"]![0]!["records"]![0]!["id"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("POST", "odata/v4/x_deals", Like, ("CRM-Duplicates", "maybe"))).Status);
        Assert.Equal(HttpStatusCode.Created, (await crm.SendAsync("POST", "odata/v4/x_deals", Like, ("CRM-Duplicates", "accept"))).Status);
        Assert.Equal(2, (await crm.SendAsync("GET", "api/duplicates/x_deal")).Json["value"]![0]!["ids"]!.AsArray().Count);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("GET", "api/duplicates/ghost")).Status);

        // An import leaves such rows out and says so, unless it is told otherwise.
        var import = new ImportClient(crm.Crm, crm.Admin);
        const string File = "title,email\nThird,anna@acme.example\nFourth,bert@acme.example\n";
        var job = await import.ImportAsync("x_deal", File);
        var verdicts = (await import.GetAsync($"api/jobs/{job.GetProperty("id").GetGuid()}/verdicts")).GetProperty("value").EnumerateArray().ToList();
        Assert.Equal(["skipped", "created"], verdicts.Select(v => v.GetProperty("outcome").GetString()!));
        Assert.Equal("possible_duplicate", verdicts[0].GetProperty("issues")[0].GetProperty("code").GetString());
        await import.ImportAsync("x_deal", File, ("duplicates", "accept"));
        Assert.Equal(5, await import.CountAsync("x_deals", "contains(email,'acme.example')"));
    }

    [Fact]
    public async Task A_deleted_record_is_found_restored_and_deleted_for_good()
    {
        var made = await crm.SendAsync("POST", "odata/v4/x_firms", """{"name":"Deleted over the API"}""");
        var id = made.Json["id"]!.GetValue<string>();
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", $"odata/v4/x_firms({id})", null)).Status);
        var found = await crm.SendAsync("GET", "api/bin?entity=x_firm&search=deleted%20over");
        Assert.Equal((id, "Deleted over the API", "api"), (Text(found.Json["value"]![0]!, "id"), Text(found.Json["value"]![0]!, "title"), Text(found.Json["value"]![0]!, "source")));
        var restored = await crm.SendAsync("POST", "api/bin/restore", $$"""{"ids":["{{id}}"]}""");
        Assert.True(restored.Json["value"]![0]!["restored"]!.GetValue<bool>(), restored.Text);
        Assert.Equal(3, (await crm.SendAsync("GET", $"odata/v4/x_firms({id})")).Json["version"]!.GetValue<long>());
        await crm.SendAsync("DELETE", $"odata/v4/x_firms({id})", null);
        Assert.Equal(1, (await crm.SendAsync("POST", "api/bin/purge", $$"""{"ids":["{{id}}"]}""")).Json["purged"]!.GetValue<int>());
        Assert.False((await crm.SendAsync("POST", "api/bin/restore", $$"""{"ids":["{{id}}"]}""")).Json["value"]![0]!["restored"]!.GetValue<bool>());
        foreach (var (path, body) in new[] { ("api/bin/restore", "{}"), ("api/bin/purge", """{"ids":["x"]}"""), ("api/bin/restore", "[]"), ("api/bin/restore", """{"ids":5}""") })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("POST", path, body)).Status);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("GET", "api/bin?top=x")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("PUT", "api/bin/setting", """{"keep_days":-1}""")).Status);
        Assert.Equal(30, (await crm.SendAsync("PUT", "api/bin/setting", """{"keep_days":30}""")).Json["keep_days"]!.GetValue<int>());
    }

    [Fact]
    public async Task Records_are_merged_and_taken_apart_again()
    {
        var (stays, goes) = (await MadeAsync("Stays", "code", "S-1"), await MadeAsync("Goes", "notes", "Kept"));
        var merged = await crm.SendAsync("POST", "api/merge", $$"""{"entity":"x_deal","survivor":"{{stays}}","others":["{{goes}}"],"choices":{"tags":"all","title":"{{goes}}"} }""");
        Assert.True(merged.Status == HttpStatusCode.OK, merged.Text);
        var now = (await crm.SendAsync("GET", $"odata/v4/x_deals({stays})")).Json;
        Assert.Equal(("Goes", "S-1", "Kept"), (Text(now, "title"), Text(now, "code"), Text(now, "notes")));
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("GET", $"odata/v4/x_deals({goes})")).Status);
        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("POST", $"api/merge/{Text(merged.Json, "id")}/undo", null)).Status);
        Assert.Equal("Stays", Text((await crm.SendAsync("GET", $"odata/v4/x_deals({stays})")).Json, "title"));
        Assert.Equal("Kept", Text((await crm.SendAsync("GET", $"odata/v4/x_deals({goes})")).Json, "notes"));
        foreach (var wrong in new[] { "[]", "{}", """{"entity":"x_deal","survivor":5,"others":[]}""", $$"""{"entity":"x_deal","survivor":"{{stays}}","others":["{{goes}}"],"choices":[]}""" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await crm.SendAsync("POST", "api/merge", wrong)).Status);
        }

        async Task<string> MadeAsync(string title, string field, string value) => Text((await crm.SendAsync("POST", "odata/v4/x_deals", $$"""{"title":"{{title}}","{{field}}":"{{value}}"}""")).Json, "id");
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
