using System.Net.Http.Json;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Modules.Tests.Sales;

public sealed class WonByMonthTests(CrmFixture fixture) : IClassFixture<CrmFixture>
{
    [Fact]
    public async Task The_pipeline_shows_what_was_won_in_the_twelve_months_up_to_the_last_deal()
    {
        var client = await fixture.Crm.AdminClientAsync();
        Assert.Empty(await WonAsync(client));
        async Task WinAsync(string currency, decimal sum, DateOnly day, string stage = "order") =>
            await fixture.CreateAsync("opportunity", ("title", "Won"), ("budget", new Money(sum, currency)), ("stage", stage), ("close_date", day));
        await WinAsync("CHF", 100, new DateOnly(2101, 3, 31));
        await WinAsync("CHF", 20, new DateOnly(2101, 3, 1));
        await WinAsync("CHF", 3, new DateOnly(2100, 4, 1));
        await WinAsync("CHF", 5000, new DateOnly(2100, 3, 31));
        await WinAsync("JPY", 7, new DateOnly(2101, 1, 15));
        await WinAsync("CHF", 9999, new DateOnly(2101, 6, 1), "lost");

        var won = await WonAsync(client);
        Assert.Equal(["CHF", "JPY"], won.Select(w => w.GetProperty("currency").GetString()));
        var months = Months(won[0]);
        Assert.Equal(12, months.Count);
        Assert.Equal([("2100-04-01", 1L, 3m), ("2101-03-01", 2L, 120m)], months.Where(m => m.Count > 0));
        Assert.Equal(("2101-01-01", 1L, 7m), Months(won[1]).Single(m => m.Count > 0));
    }

    private static async Task<List<JsonElement>> WonAsync(HttpClient client) =>
        [.. (await client.GetFromJsonAsync<JsonElement>("/api/m/sales/pipeline")).GetProperty("won").EnumerateArray()];

    private static List<(string? Month, long Count, decimal Sum)> Months(JsonElement won) =>
        [.. won.GetProperty("months").EnumerateArray().Select(m => (m.GetProperty("month").GetString(), m.GetProperty("count").GetInt64(), m.GetProperty("sum").GetDecimal()))];
}
