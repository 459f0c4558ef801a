using System.Net.Http.Headers;
using System.Net.Http.Json;
using Crm.Host.Tests.Import;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Crm.Workflows;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Workflows;

public sealed class KilledWorkflowTests
{
    private const int Records = 40;

    [Fact]
    public async Task A_run_whose_host_is_killed_between_two_activities_is_finished_by_another_one_and_nothing_happens_twice()
    {
        await using var crm = await TestCrm.StartAsync();
        var store = crm.Services.GetRequiredService<WorkflowStore>();
        var saved = await store.SaveAsync(
            WorkflowClient.Sequence(
                "killed",
                WorkflowClient.Trigger("Crm.RecordCreated", "product"),
                WorkflowClient.SetFields("First", """{"series":{"type":"Crm","value":"coalesce(series, \"\") & \"1\""}}"""),
                WorkflowClient.SetFields("Second", """{"series":{"type":"Crm","value":"coalesce(series, \"\") & \"2\""}}"""),
                WorkflowClient.SetFields("Third", """{"series":{"type":"Crm","value":"coalesce(series, \"\") & \"3\""}}""")),
            publish: true,
            Actor.System);
        Assert.Empty(saved.Problems);
        var token = await crm.TokenAsync("admin", TestCrm.AdminPassword);
        // Only the host that will be killed runs workflows.
        await crm.StopAsync();
        await using var database = new CrmDatabase(crm.ConnectionString);
        await using var holder = await database.OpenAsync();
        // The database holds each run up in the transaction of its second write.
        await holder.ExecuteAsync(
            """
            CREATE FUNCTION crm.hold_up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END';
            CREATE TRIGGER hold_up BEFORE INSERT ON crm.workflow_journal FOR EACH ROW WHEN (NEW.activity_name = 'Second') EXECUTE FUNCTION crm.hold_up();
            SELECT pg_advisory_lock(42);
            """);
        using (var doomed = KilledHostTests.Start(crm))
        {
            try
            {
                using var http = new HttpClient { BaseAddress = await KilledHostTests.AddressAsync(doomed) };
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
                for (var i = 0; i < Records; i++)
                {
                    using var answer = await http.PostAsJsonAsync("odata/v4/products", new { name = "Product " + i });
                    Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
                }

                await WorkflowClient.UntilAsync(async () => await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted") > 0);
            }
            finally
            {
                doomed.Kill(entireProcessTree: true);
                await doomed.WaitForExitAsync();
            }
        }

        await holder.ExecuteAsync("SELECT pg_advisory_unlock(42); DROP TRIGGER hold_up ON crm.workflow_journal;");
        Assert.True(await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM records.product WHERE series = '1'") > 0);
        // What a minute does.
        await holder.ExecuteAsync("UPDATE crm.workflow_instance SET leased_until = clock_timestamp() - interval '1 second'");
        await crm.RestartAsync();
        await WorkflowClient.UntilAsync(async () => await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM crm.workflow_instance WHERE status = 'finished'") == Records);
        Assert.Equal(Records, await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM records.product WHERE series = '123' AND version = 4"));
        Assert.Equal(3 * Records, await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM crm.history WHERE source = 'workflow killed, version 1'"));
        Assert.Equal(3 * Records, await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM crm.workflow_journal WHERE event = 'Completed' AND activity_type = 'Crm.SetFields'"));
    }
}
