using System.Globalization;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Live;
using Crm.Sdk;
using Crm.Sdk.Web;
using Npgsql;

namespace Crm.Host.Tests.Lists;

/// <summary>Lists of very many records say about how many there are, and count them when somebody wants to know.</summary>
public sealed class EstimatedCountTests(ApiCrm api) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task A_list_of_very_many_says_about_how_many_and_counts_on_a_click()
    {
        await using (var connection = new NpgsqlConnection(api.Crm.ConnectionString))
        {
            await connection.OpenAsync();
            await using var many = new NpgsqlCommand("INSERT INTO records.x_deal (id, created_at, modified_at, title, seats) SELECT gen_random_uuid(), now(), now(), 'Many', n % 1000 FROM generate_series(1, 23456) AS n; ANALYZE records.x_deal", connection);
            await many.ExecuteNonQueryAsync();
        }

        await using var list = await RenderedPage.OpenAsync<RecordGrid>(api.Crm, api.Crm.Admin, _ => Task.FromResult(new Dictionary<string, object?> { ["Entity"] = "x_deal" }));
        var html = await list.ShowsAsync("Many");
        Assert.Contains("of about 23,000", html, StringComparison.Ordinal);
        Assert.Contains(">about 23,000</span>", html, StringComparison.Ordinal);

        await list.RaiseAsync("data-count-exactly", "onclick", "");
        html = await list.ShowsAsync("of 23,456");
        Assert.Contains("data-count=\"23456\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("data-count-exactly", html, StringComparison.Ordinal);
        // What was counted is known on the next page too.
        await list.ClickAsync("aria-label", "Next page");
        await list.UntilAsync(h => h.Contains("51&#x2013;100 of 23,456", StringComparison.Ordinal));

        var exact = await api.GetAsync("odata/v4/x_deals?$count=true&$top=1");
        Assert.Equal(23456, (int)exact.Json["@odata.count"]!);
        var about = await api.GetAsync("odata/v4/x_deals?$count=true&$top=1", ("Prefer", "crm.count=estimate"));
        Assert.True((bool)about.Json["@crm.countIsEstimate"]!);
        Assert.InRange((int)about.Json["@odata.count"]!, 22_000, 25_000);
        Assert.Equal("crm.count=estimate", about.Headers["Preference-Applied"]);
        var few = await api.GetAsync("odata/v4/x_deals?$filter=seats eq 3&$count=true&$top=1", ("Prefer", "crm.count=estimate"));
        Assert.Equal((24, false), ((int)few.Json["@odata.count"]!, (bool)few.Json["@crm.countIsEstimate"]!));
        Assert.False((await api.GetAsync("odata/v4/x_deals?$top=1", ("Prefer", "crm.count=estimate"))).Headers.ContainsKey("Preference-Applied"));
    }

    [Theory]
    [InlineData(10_001, "about 10,000")]
    [InlineData(10_500, "about 11,000")]
    [InlineData(99_499, "about 99,000")]
    [InlineData(99_999, "about 100,000")]
    [InlineData(123_456, "about 120,000")]
    [InlineData(1_950_000, "about 2,000,000")]
    public void An_estimate_is_rounded_to_two_digits(long count, string text)
    {
        Assert.Equal(text, GridCount.Text(new RecordPage([], count, null) { IsEstimate = true }, CultureInfo.InvariantCulture));
        Assert.Equal(count, GridCount.Shown(new RecordPage([], count, null)));
    }
}
