using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Crm.Host.Exporting;
using Crm.Metadata;
using Crm.Records.Jobs;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Crm.Host.Tests.Import;

public sealed class KilledHostTests
{
    private const int Rows = 12_000;
    private const int HeldAt = 5_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_import_whose_host_is_killed_is_finished_by_another_one_and_no_row_is_lost_or_doubled(bool isWorkbook)
    {
        await using var crm = await TestCrm.StartAsync();
        var token = await crm.TokenAsync("admin", TestCrm.AdminPassword);
        // Only the host that will be killed works on jobs.
        await crm.StopAsync();
        await using var database = new CrmDatabase(crm.ConnectionString);
        await using var notifications = new Notifications(database, TimeProvider.System, NullLogger<Notifications>.Instance);
        var jobs = new JobQueue(database, notifications);

        await using var holder = await database.OpenAsync();
        await HoldUpAsync(holder);

        Guid id;
        using (var doomed = Start(crm))
        {
            try
            {
                id = await ImportAsync(await AddressAsync(doomed), token, isWorkbook);
                await ReachedAsync(jobs, id);
            }
            finally
            {
                doomed.Kill(entireProcessTree: true);
                await doomed.WaitForExitAsync();
            }
        }

        await LetGoAsync(holder);
        var committed = (await jobs.FindAsync(id))!;
        Assert.Equal((JobState.Running, (long)HeldAt), (committed.State, committed.Position));
        Assert.Equal(HeldAt, await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM records.product"));

        await crm.RestartAsync();
        var job = await jobs.WaitAsync(id);

        Assert.Equal((JobState.Succeeded, (long)Rows), (job.State, job.Position));
        await using var check = await database.OpenAsync();
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT count(*) FROM records.product"));
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT count(*) FROM crm.job_verdict WHERE outcome = 'created'"));
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT (report ->> 'created')::bigint FROM crm.job"));
    }

    [Fact]
    public async Task A_bulk_change_whose_host_is_killed_is_finished_by_another_one_and_no_record_is_changed_twice()
    {
        await using var crm = await TestCrm.StartAsync();
        var token = await crm.TokenAsync("admin", TestCrm.AdminPassword);
        var records = Enumerable.Range(0, Rows).Select(i => RecordChange.Create("product", new Dictionary<string, object?> { ["name"] = "Product " + i })).ToList();
        Assert.All(await crm.Records.SaveManyAsync(records, new SaveOptions()), r => Assert.True(r.Succeeded));
        await crm.StopAsync();
        await using var database = new CrmDatabase(crm.ConnectionString);
        await using var notifications = new Notifications(database, TimeProvider.System, NullLogger<Notifications>.Instance);
        var jobs = new JobQueue(database, notifications);
        await using var holder = await database.OpenAsync();
        await HoldUpAsync(holder);

        Guid id;
        using (var doomed = Start(crm))
        {
            try
            {
                using var http = new HttpClient { BaseAddress = await AddressAsync(doomed) };
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
                using var answer = await http.PostAsJsonAsync("api/bulk", new { entity = "product", records = new { all = true }, set = new { series = "Bulk" } });
                var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
                Assert.True(answer.IsSuccessStatusCode, body.ToString());
                id = body.GetProperty("id").GetGuid();
                await ReachedAsync(jobs, id);
            }
            finally
            {
                doomed.Kill(entireProcessTree: true);
                await doomed.WaitForExitAsync();
            }
        }

        await LetGoAsync(holder);
        Assert.Equal(HeldAt, await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM records.product WHERE series = 'Bulk'"));
        await crm.RestartAsync();
        var job = await jobs.WaitAsync(id);

        Assert.Equal((JobState.Succeeded, (long)Rows), (job.State, job.Position));
        await using var check = await database.OpenAsync();
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT count(*) FROM records.product WHERE series = 'Bulk' AND version = 2"));
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT count(DISTINCT record_id) FROM crm.history WHERE source = 'bulk'"));
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT count(*) FROM crm.history WHERE source = 'bulk'"));
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT (report ->> 'changed')::bigint FROM crm.job"));
        Assert.Equal(Rows, await check.ExecuteScalarAsync<long>("SELECT count(*) FROM crm.job_verdict WHERE outcome = 'updated'"));
    }

    /// <summary>The database holds the job up at a certain row, so that the kill always comes in the middle of a batch.</summary>
    private static Task<int> HoldUpAsync(NpgsqlConnection holder) => holder.ExecuteAsync(
        $"""
        CREATE FUNCTION crm.hold_up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END';
        CREATE TRIGGER hold_up BEFORE UPDATE OF position ON crm.job FOR EACH ROW WHEN (NEW.position > {HeldAt}) EXECUTE FUNCTION crm.hold_up();
        SELECT pg_advisory_lock(42);
        """);

    private static async Task LetGoAsync(NpgsqlConnection holder)
    {
        await holder.ExecuteAsync("SELECT pg_advisory_unlock(42); DROP TRIGGER hold_up ON crm.job;");
        // What half a minute does.
        await holder.ExecuteAsync("UPDATE crm.job SET lease_until = clock_timestamp() - interval '1 second'");
    }

    internal static Process Start(TestCrm crm)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CrmHost).Assembly.Location, "--urls=http://127.0.0.1:0", $"--Crm:DataDirectory={crm.DataDirectory}"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["ConnectionStrings__Crm"] = crm.ConnectionString;
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        return Process.Start(start)!;
    }

    internal static async Task<Uri> AddressAsync(Process host)
    {
        while (await host.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.IndexOf("http://", StringComparison.Ordinal) is >= 0 and var at)
            {
                return new Uri(line[at..].Split(' ')[0]);
            }
        }

        throw new InvalidOperationException("The host ended.");
    }

    private static async Task<Guid> ImportAsync(Uri address, string token, bool isWorkbook)
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var content = new MemoryStream();
        await using (ISheet sheet = isWorkbook ? new XlsxSheet(content, "Products", TimeZoneInfo.Utc) : new CsvSheet(content, ',', hasMark: false, null, TimeZoneInfo.Utc))
        {
            await sheet.BeginAsync(["name", "series", "price"], default);
            for (var i = 0; i < Rows; i++)
            {
                await sheet.RowAsync([$"Product {i}", $"Series {i % 7}", (long)i], default);
            }

            await sheet.EndAsync(default);
        }

        using var form = new MultipartFormDataContent { { new ByteArrayContent(content.ToArray()), "file", "products" } };
        using var answer = await http.PostAsync(new Uri("api/import/product", UriKind.Relative), form);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(answer.IsSuccessStatusCode, body.ToString());
        return body.GetProperty("id").GetGuid();
    }

    /// <summary>Waits until the last batch before the hold is committed.</summary>
    private static async Task ReachedAsync(JobQueue jobs, Guid id)
    {
        var reached = new TaskCompletionSource();
        using var watch = jobs.Watch(id, async ct =>
        {
            if ((await jobs.FindAsync(id, ct))!.Position == HeldAt)
            {
                reached.TrySetResult();
            }
        });
        await reached.Task;
    }
}
