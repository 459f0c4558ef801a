using Crm.Metadata;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Crm.Host.Tests.Api;

public sealed class CalculationApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task Formulas_and_roll_ups_made_through_the_API_are_stored_as_calculated_and_drift_is_found_and_repaired()
    {
        await crm.ApplyAsync(
            """
            {"changes":[
              {"change":"add_field","entity":"x_deal","field":{"name":"net","type":"formula","result":"decimal","formula":"budget * 0.9"}},
              {"change":"add_field","entity":"x_firm","field":{"name":"won","type":"roll_up","result":"decimal","roll_up":{"entity":"x_deal","lookup":"firm","function":"sum","value":"net","condition":"stage = \"won\""}}}]}
            """);
        var firm = await crm.CreateAsync("x_firms", """{"name":"Acme"}""");
        var deal = await crm.CreateAsync("x_deals", $$"""{"title":"One","budget":100,"firm_id":"{{firm["id"]}}"}""");
        Assert.Equal(90m, deal["net"]!.GetValue<decimal>());
        Assert.Equal(ErrorCodes.ReadOnly, (await crm.SendAsync("PATCH", $"odata/v4/x_deals({deal["id"]})", """{"net":5}""")).Code);
        await crm.SendAsync("PATCH", $"odata/v4/x_deals({deal["id"]})", """{"stage":"won"}""");
        Assert.Equal("Acme", Assert.Single((await crm.GetAsync("odata/v4/x_firms?$filter=won eq 90&$orderby=won")).Column("name")));
        await DriftAsync("GET", "api/metadata/calculations", 0, 0);

        await using (var connection = await crm.Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync())
        {
            await using var tamper = new NpgsqlCommand("UPDATE records.x_deal SET net = 7; UPDATE records.x_firm SET won = NULL", connection);
            await tamper.ExecuteNonQueryAsync();
        }

        await DriftAsync("GET", "api/metadata/calculations", 1, 1);
        await DriftAsync("POST", "api/metadata/calculations/repair", 1, 1);
        await DriftAsync("GET", "api/metadata/calculations", 0, 0);
        Assert.Equal("90.00", Assert.Single((await crm.GetAsync("odata/v4/x_firms?$filter=name eq 'Acme'")).Column("won")));
    }

    private async Task DriftAsync(string method, string path, long net, long won)
    {
        var answer = await crm.SendAsync(method, path);
        Assert.Equal(
            [$"x_deal.net {net}", $"x_firm.won {won}"],
            answer.Value.Where(v => v!["entity"]!.ToString().StartsWith("x_", StringComparison.Ordinal)).Select(v => $"{v!["entity"]}.{v["field"]} {v["records"]}"));
    }
}
