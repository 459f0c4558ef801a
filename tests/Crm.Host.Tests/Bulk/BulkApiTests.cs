using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;
using Crm.Records.Jobs;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Bulk;

public sealed class BulkApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task PLT_28_A_query_is_previewed_changed_reported_and_taken_back()
    {
        var firm = await crm.CreateAsync("x_firms", """{"name":"Bulk Ltd"}""");
        for (var i = 0; i < 6; i++)
        {
            await crm.CreateAsync("x_deals", $$"""{"title":"Bulk {{i}}","seats":{{i + 1}},"stage":"{{(i == 5 ? "lost" : "open")}}"}""");
        }

        var body = $$"""
            {"entity":"x_deal","records":{"filter":"startswith(title,'Bulk ') and seats gt 1"},
             "set":{"firm_id":"{{firm["id"]}}","stage":"won","budget":1000,"budget_currency":"CHF"},"add":{"tags":["hot"]} }
            """;
        var preview = await crm.SendAsync("POST", "api/bulk/preview", body);
        Assert.Equal((HttpStatusCode.OK, 5, 4, 1), (preview.Status, preview.Json["count"]!.GetValue<int>(), Figure(preview.Json["sample"], "changed"), Figure(preview.Json["sample"], "refused")));

        var (job, report) = await RunAsync(body);
        Assert.Equal((5, 4, 0, 1), (Figure(report, "read"), Figure(report, "changed"), Figure(report, "unchanged"), Figure(report, "refused")));
        Assert.Equal("stage", Assert.Single(report["issues"]!.AsArray())!["field"]!.ToString());
        Assert.Equal("won", job["change"]!["set"]!["stage"]!.ToString());
        var csv = await crm.GetAsync($"api/jobs/{job["id"]}/verdicts?format=csv&only=errors");
        Assert.Equal(2, csv.Text.Trim().Split('\n').Length);
        Assert.Contains(",skipped,", csv.Text, StringComparison.Ordinal);
        var won = await crm.GetAsync("odata/v4/x_deals?$filter=startswith(title,'Bulk ') and stage eq 'won'&$orderby=title");
        Assert.Equal(["Bulk 1", "Bulk 2", "Bulk 3", "Bulk 4"], won.Column("title"));
        Assert.Equal(["CHF"], won.Column("budget_currency").Distinct());

        await crm.SendAsync("PATCH", $"odata/v4/x_deals({won.Value[3]!["id"]})", """{"seats":50}""");
        // A deal that was won cannot simply be open again: undo asks the same rules as everybody.
        var (_, undone) = await RunAsync(null, job["links"]!["undo"]!.ToString());
        Assert.Equal((4, 0, 4), (Figure(undone, "read"), Figure(undone, "changed"), Figure(undone, "refused")));
        Assert.Equal(["conflict", "stage"], undone["issues"]!.AsArray().Select(i => i!["code"]!.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(HttpStatusCode.Conflict, (await crm.SendAsync("POST", job["links"]!["undo"]!.ToString().TrimStart('/'))).Status);
    }

    [Fact]
    public async Task Records_found_by_a_search_are_deleted()
    {
        await crm.CreateAsync("x_deals", """{"title":"Sweep one"}""");
        await crm.CreateAsync("x_deals", """{"title":"Sweep two"}""");
        var (_, report) = await RunAsync("""{"entity":"x_deals","action":"delete","records":{"search":"sweep"}}""");
        Assert.Equal((2, 2), (Figure(report, "read"), Figure(report, "changed")));
        Assert.Empty((await crm.GetAsync("odata/v4/x_deals?$search=sweep")).Value);
    }

    [Theory]
    [InlineData("""[]""", 400)]
    [InlineData("""{"entity":"x_deal"}""", 400)]
    [InlineData("""{"entity":"x_nothing","records":{"all":true},"set":{"seats":1}}""", 404)]
    [InlineData("""{"entity":"x_deal","records":{},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":false},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true,"ids":[]},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"ids":[]},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"ids":["one"]},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"filter":"seats gt"},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"filter":"nowhere eq 1"},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"filter":7},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"filter":"\ud800"},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"top":5},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"seats":1,"seats":2}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"id":"0192f0c1-0000-7000-8000-000000000001","seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"seats":"many"}}""", 422)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"nowhere":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"number":"D00001"}}""", 422)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"code":"X"}}""", 422)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"notes":"a\u0000b"}}""", 422)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"notes\u0000":"a"}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"add":{"tags":"hot"}}""", 400)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"add":{"tags":["cool"]}}""", 422)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"add":{"title":["a"]}}""", 422)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"remove":{"tags\u0000":["a"]}}""", 400)]
    [InlineData("""{"entity":"x_deal","action":"purge","records":{"all":true}}""", 400)]
    [InlineData("""{"entity":"x_deal","action":"delete","records":{"all":true},"set":{"seats":1}}""", 400)]
    [InlineData("""{"entity":"x_deal","action":"delete","records":{"filter":"seats eq 4711"}}""", 404)]
    [InlineData("""{"entity":"x_deal","records":{"all":true},"set":{"seats":1},"force":true}""", 400)]
    public async Task A_body_that_is_not_understood_changes_nothing(string body, int status)
    {
        await crm.CreateAsync("x_deals", """{"title":"Untouched"}""");
        var jobs = await CountJobsAsync();
        foreach (var path in new[] { "api/bulk/preview", "api/bulk" })
        {
            var answer = await crm.SendAsync("POST", path, body);
            Assert.True((int)answer.Status == status, $"{path}: {answer}");
            Assert.NotNull(answer.Json["error"]!["message"]);
        }

        Assert.Equal(jobs, await CountJobsAsync());
    }

    [Fact]
    public async Task Too_many_records_or_fields_are_refused_clearly()
    {
        var ids = string.Join(',', Enumerable.Range(0, 10_001).Select(_ => $"\"{Guid.CreateVersion7()}\""));
        var many = await crm.SendAsync("POST", "api/bulk", $$"""{"entity":"x_deal","records":{"ids":[{{ids}}]},"set":{"seats":1} }""");
        Assert.Equal(((HttpStatusCode)422, "limit"), (many.Status, many.Code));
        Assert.Contains("10,000", many.Text, StringComparison.Ordinal);
        var large = await crm.SendAsync("POST", "api/bulk", $$"""{"entity":"x_deal","records":{"all":true},"set":{"notes":"{{new string('x', 2_000_000)}}"} }""");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.Status);
    }

    [Fact]
    public async Task Who_may_not_change_users_cannot_do_it_in_bulk_either()
    {
        var user = await crm.CreateAsync("users", """{"name":"Kim Bulk","user_name":"kim.bulk"}""");
        var records = crm.Crm.Services.GetRequiredService<IRecords>();
        var bulk = crm.Crm.Services.GetRequiredService<Records.Bulk.BulkService>();
        var kim = new Actor(Guid.Parse(user["id"]!.ToString()), "Kim Bulk", IsAdministrator: false);
        var refused = await Assert.ThrowsAsync<Records.Bulk.BulkRefusedException>(() => bulk.StartAsync(new Records.Bulk.BulkRequest("user", Records.Bulk.BulkAction.Update) { Ids = [kim.UserId], Set = new Dictionary<string, object?> { ["name"] = "Boss" } }, kim));
        Assert.Equal(ErrorCodes.Access, refused.Errors[0].Code);
        Assert.Equal("Kim Bulk", (await records.As(kim).FindAsync("user", kim.UserId))!["name"]);
    }

    private static int Figure(JsonNode? report, string name) => report?[name]?.GetValue<int>() ?? 0;

    private async Task<long> CountJobsAsync()
    {
        await using var connection = await crm.Crm.Services.GetRequiredService<Metadata.CrmDatabase>().OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM crm.job";
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<(JsonObject Job, JsonNode Report)> RunAsync(string? body, string path = "/api/bulk")
    {
        var started = await crm.SendAsync("POST", path.TrimStart('/'), body);
        Assert.True(started.Status == HttpStatusCode.Accepted, started.Text);
        await crm.Crm.Services.GetRequiredService<JobQueue>().WaitAsync(Guid.Parse(started.Json["id"]!.ToString()));
        var job = await crm.GetAsync(started.Headers["Location"].TrimStart('/'));
        Assert.Equal("succeeded", job.Json["state"]!.ToString());
        return (job.Json, job.Json["report"]!);
    }
}
