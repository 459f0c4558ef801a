using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Security;
using Crm.Metadata;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Startup;

public sealed class ConsistencyStartTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    [Fact]
    public async Task A_changed_database_is_named_on_start_and_on_demand_and_the_host_stays_ready()
    {
        await using var crm = await TestCrm.StartAsync();
        var (_, healthy) = await ReadyAsync(crm);
        await using (var connection = await crm.Services.GetRequiredService<CrmDatabase>().OpenAsync())
        {
            await connection.ExecuteAsync("DROP INDEX records.company__owner_i");
        }

        await crm.RestartAsync();
        var (status, broken) = await ReadyAsync(crm);
        using var admin = await crm.AdminClientAsync();
        var report = JsonNode.Parse(await admin.GetStringAsync(new Uri("api/metadata/consistency", UriKind.Relative)))!;

        Assert.Equal(("ok", 0), (healthy["catalogue"]!.ToString(), healthy["catalogue_differences"]!.GetValue<int>()));
        Assert.Equal((HttpStatusCode.OK, "ready"), (status, broken["status"]!.ToString()));
        Assert.Equal(("differs", 1), (broken["catalogue"]!.ToString(), broken["catalogue_differences"]!.GetValue<int>()));
        var difference = Assert.Single(report["differences"]!.AsArray())!;
        Assert.Equal(("missing", "index", "company", "company__owner_i"), (difference["kind"]!.ToString(), difference["part"]!.ToString(), difference["table"]!.ToString(), difference["name"]!.ToString()));
        Assert.StartsWith("CREATE INDEX", difference["sql"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_report_is_for_administrators()
    {
        using var user = security.Crm.Client(await security.Crm.TokenAsync((await security.UserAsync()).UserName, SecurityCrm.Password));

        using var answer = await user.GetAsync(new Uri("api/metadata/consistency", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private static async Task<(HttpStatusCode Status, JsonObject Body)> ReadyAsync(TestCrm crm)
    {
        using var client = crm.Client();
        using var answer = await client.GetAsync(new Uri("health/ready", UriKind.Relative));
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject());
    }
}
