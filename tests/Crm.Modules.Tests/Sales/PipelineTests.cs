using System.Net.Http.Json;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Modules.Tests.Sales;

public sealed class PipelineTests(CrmFixture fixture) : IClassFixture<CrmFixture>
{
    [Fact]
    public async Task SAL_17_The_pipeline_shows_number_value_and_weighted_value_per_stage_and_currency()
    {
        var client = await fixture.Crm.AdminClientAsync();
        Assert.All(await StagesAsync(client), s => Assert.Equal(0, s.GetProperty("count").GetInt64()));

        await fixture.CreateAsync("opportunity", ("title", "A"), ("budget", new Money(1000, "EUR")));
        await fixture.CreateAsync("opportunity", ("title", "B"), ("budget", new Money(500, "EUR")), ("probability", 40));
        await fixture.CreateAsync("opportunity", ("title", "C"), ("budget", new Money(700, "USD")));
        await fixture.CreateAsync("opportunity", ("title", "D without a budget"));
        await fixture.CreateAsync("opportunity", ("title", "E"), ("budget", new Money(300, "EUR")), ("stage", "order"));
        await fixture.CreateAsync("opportunity", ("title", "F, given up"), ("budget", new Money(9999, "EUR")), ("is_active", false));

        var stages = await StagesAsync(client);
        Assert.Equal(["prospect", "offer", "order", "lost"], stages.Select(s => s.GetProperty("stage").GetString()));
        Assert.Equal([4L, 0, 1, 0], stages.Select(s => s.GetProperty("count").GetInt64()));
        Assert.Equal([("EUR", 1500m, 300m), ("USD", 700m, 70m)], Totals(stages[0]));
        Assert.Equal([("EUR", 300m, 300m)], Totals(stages[2]));
        Assert.Equal("won", stages[2].GetProperty("kind").GetString());
    }

    private static async Task<JsonElement[]> StagesAsync(HttpClient client) =>
        [.. (await client.GetFromJsonAsync<JsonElement>("/api/m/sales/pipeline")).GetProperty("stages").EnumerateArray()];

    private static IEnumerable<(string?, decimal, decimal)> Totals(JsonElement stage) => stage.GetProperty("totals").EnumerateArray()
        .Select(t => (t.GetProperty("currency").GetString(), t.GetProperty("sum").GetDecimal(), t.GetProperty("weighted").GetDecimal()));
}
