using System.Net;
using System.Text;
using System.Text.Json;
using Crm.Host.Pages.Jobs;
using Crm.Host.Security;
using Crm.Host.Tests.Import;
using Crm.Host.Tests.Live;
using Crm.Metadata;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;
using Dapper;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Pages;

/// <summary>The page of all jobs, and the same over the API.</summary>
public sealed class JobsPageTests() : ImportingTests("""{"change":"create_entity","name":"x_thing","label":"Thing","plural":"Things","set":"x_things","fields":[{"name":"name","type":"text","label":"Name"}]}""")
{
    private JobQueue Queue => Crm.Services.GetRequiredService<JobQueue>();

    [Fact]
    public async Task Jobs_are_listed_as_they_go_on_to_those_whose_they_are_and_one_that_failed_is_tried_again()
    {
        var kim = (await Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Kim", ["user_name"] = "kim", ["can_sign_in"] = true }))).Record!.Id;
        await Crm.Services.GetRequiredService<Passwords>().SetAsync(kim, "copper violin lighthouse", CancellationToken.None);
        await using var all = await OpenAsync(Crm.Admin);
        await using var own = await OpenAsync(new Actor(kim, "Kim", IsAdministrator: false));
        await all.ShowsAsync("Nothing runs in the background");

        // The pages follow without being asked; nobody sees what is not theirs.
        var done = Id(await Client.ImportAsync("x_thing", "name\nA\n"));
        await all.UntilAsync(html => html.Contains($"data-job=\"{done}\" data-job-state=\"succeeded\"", StringComparison.Ordinal) && html.Contains("data.csv", StringComparison.Ordinal) && html.Contains("Things", StringComparison.Ordinal));
        using var http = Crm.Client(await Crm.TokenAsync("kim", "copper violin lighthouse"));
        var theirs = Id(await new ImportClient(Crm, http).ImportAsync("x_thing", "name\nB\n"));
        Assert.DoesNotContain(done.ToString(), await own.ShowsAsync($"data-job=\"{theirs}\""), StringComparison.Ordinal);
        await all.ShowsAsync($"data-job=\"{theirs}\"");
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(http, $"api/jobs/{done}/retry"));

        // One whose file cannot be found fails, with the reason; when it is there, the job goes on.
        var bob = new Actor(kim, "Kim", IsAdministrator: false);
        var file = (await Crm.Services.GetRequiredService<ImportFiles>().SaveAsync(new MemoryStream("name\nC\n"u8.ToArray()), "lost.csv", bob)).Id;
        await ExecuteAsync("CREATE TABLE crm.kept AS TABLE crm.job_file; CREATE TABLE crm.kept_chunk AS TABLE crm.job_file_chunk; DELETE FROM crm.job_file WHERE id = @file", new { file });
        var lost = (await Queue.EnqueueAsync("import", new ImportRequest("x_thing", file, "lost.csv", "utf-8", ',', ImportMapping.Parse("""{"fields":{"name":{"column":"name"}}}"""), ImportMode.Create, [], DryRun: false), bob, 1)).Id;
        await own.UntilAsync(html => html.Contains($"data-job=\"{lost}\" data-job-state=\"failed\"", StringComparison.Ordinal) && html.Contains("upload it again", StringComparison.Ordinal));
        await ExecuteAsync("INSERT INTO crm.job_file SELECT * FROM crm.kept WHERE id = @file; INSERT INTO crm.job_file_chunk SELECT * FROM crm.kept_chunk WHERE file_id = @file", new { file });
        await own.ClickAsync("data-retry", lost.ToString());
        await own.ShowsAsync($"data-job=\"{lost}\" data-job-state=\"succeeded\"");
        Assert.Equal(1, await Client.CountAsync("x_things", "name eq 'C'"));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(http, $"api/jobs/{lost}/retry"));

        // What was taken back stays so.
        await ExecuteAsync("UPDATE crm.job SET state = 'failed' WHERE id = @done", new { done });
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync(Client.Http, $"api/jobs/{done}/undo"));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(Client.Http, $"api/jobs/{done}/retry"));
    }

    [Fact]
    public async Task A_job_that_is_being_taken_back_is_not_tried_again()
    {
        var job = Id(await Client.ImportAsync("x_thing", "name\nA\n"));
        await ExecuteAsync("UPDATE crm.job SET state = 'failed' WHERE id = @job", new { job });
        await using var connection = await Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        // As a way back does it: it holds the job, and its own job is not to be seen yet.
        await connection.ExecuteAsync(
            "SELECT state FROM crm.job WHERE id = @job FOR UPDATE; INSERT INTO crm.job (id, kind, payload, state, created_by, created_by_name) VALUES (gen_random_uuid(), 'bulk', jsonb_build_object('undo_of', @job), 'succeeded', gen_random_uuid(), 'X')",
            new { job },
            transaction);
        var retry = Queue.RetryAsync(job);
        while (!retry.IsCompleted && !await connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')", transaction: transaction))
        {
            await Task.Yield();
        }

        await transaction.CommitAsync();
        Assert.False(await retry);
        Assert.Equal(JobState.Failed, (await Queue.FindAsync(job))!.State);
    }

    [Fact]
    public async Task Pages_and_filters_find_each_job_once()
    {
        await ExecuteAsync(
            """
            INSERT INTO crm.job (id, kind, payload, state, created_by, created_by_name, created_at)
            SELECT gen_random_uuid(), 'nightly', '{}', CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'cancelled' END, @UserId, 'System', timestamptz '2026-01-01' + make_interval(mins => n / 2) FROM generate_series(1, 120) AS n
            """,
            new { Crm.Admin.UserId });
        var seen = new List<string>();
        for (string? before = null; ;)
        {
            var page = (await Client.GetAsync($"api/jobs?kind=nightly&top=50{(before is null ? "" : "&before=" + before)}")).GetProperty("value").EnumerateArray().Select(j => j.GetProperty("id").GetString()!).ToList();
            seen.AddRange(page);
            if (page.Count < 50)
            {
                break;
            }

            before = page[^1];
        }

        Assert.Equal(120, seen.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(40, (await Client.GetAsync("api/jobs?kind=nightly&state=failed&top=1000")).GetProperty("value").GetArrayLength());
        using var wrong = await Client.Http.GetAsync(new Uri("api/jobs?state=lost", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);

        await using var page1 = await OpenAsync(Crm.Admin);
        Assert.Contains("before=" + seen[JobsPage.PageSize - 1], await page1.ShowsAsync("data-older"), StringComparison.Ordinal);
    }

    private static Guid Id(JsonElement job) => job.GetProperty("id").GetGuid();

    private static async Task<HttpStatusCode> PostAsync(HttpClient http, string path)
    {
        using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), new StringContent("", Encoding.UTF8, "application/json"));
        return answer.StatusCode;
    }

    private Task<RenderedPage> OpenAsync(Actor actor) => RenderedPage.OpenAsync<JobsPage>(Crm, actor, services =>
    {
        // The page reads its filter from the address.
        ((IHostEnvironmentNavigationManager)services.GetRequiredService<NavigationManager>()).Initialize("http://localhost/", "http://localhost/jobs");
        return Task.FromResult(new Dictionary<string, object?>());
    });

    private async Task ExecuteAsync(string sql, object parameters)
    {
        await using var connection = await Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        await connection.ExecuteAsync(sql, parameters);
    }
}
