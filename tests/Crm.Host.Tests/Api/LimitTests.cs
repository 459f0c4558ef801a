using System.Globalization;
using System.Net;

namespace Crm.Host.Tests.Api;

/// <summary>The limits docs/api.md names: what fits is answered, one more is refused and says the limit.</summary>
public sealed class LimitTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private const string Path = "odata/v4/x_deals?";

    [Fact]
    public async Task Each_limit_of_a_query_is_as_documented()
    {
        await LimitAsync(500, n => "$filter=" + Times(n, "urgent", " or "), "500");
        await LimitAsync(30, n => "$filter=" + Repeat(n, "not(") + "urgent" + Repeat(n, ")"), null, over: 60);
        await LimitAsync(1000, n => "$filter=seats in (" + Times(n, "1", ",") + ")", "1000");
        await LimitAsync(8, n => "$orderby=" + Columns(n), "8");
        await LimitAsync(10, n => "$search=" + Times(n, "a", " "), "10");
        await LimitAsync(200, n => "$search=" + Repeat(n, "a"), "200");
        await LimitAsync(1_000_000, n => string.Create(CultureInfo.InvariantCulture, $"$skip={n}"), "1000000");
        await LimitAsync(8, n => $"$apply=groupby(({Columns(n)}))", null);
        await LimitAsync(32, n => "$apply=aggregate(" + string.Join(',', Enumerable.Range(0, n).Select(i => $"seats with sum as a{i}")) + ")", null);
        await LimitAsync(8192 - 9, n => "$filter=" + "title%20eq%20'".PadRight(n - 1, 'x') + "'", null, HttpStatusCode.RequestUriTooLong);
        Assert.Equal(HttpStatusCode.OK, (await crm.GetAsync(Path + "$expand=firm($select=name)")).Status);
        Assert.Equal(HttpStatusCode.OK, (await crm.GetAsync(Path + "$expand=firm($expand=x_deals($expand=firm))")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.GetAsync(Path + "$expand=firm($expand=x_deals($expand=firm($expand=x_deals)))")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await crm.GetAsync(Path + "$filter=firm/owner_user/owner_user/owner_user/name eq 'a'")).Status);
    }

    [Fact]
    public async Task A_page_has_1000_records_whatever_is_asked_for()
    {
        for (var i = 0; i < 1001; i += 143)
        {
            var deals = Enumerable.Range(i, 143).Select(n => string.Create(CultureInfo.InvariantCulture, $$"""{"id":"{{n}}","atomicityGroup":"a","method":"POST","url":"x_deals","headers":{"prefer":"return=minimal"},"body":{"title":"{{n}}"} }"""));
            Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("POST", "odata/v4/$batch", $$"""{"requests":[{{string.Join(',', deals)}}]}""")).Status);
        }

        foreach (var (query, header) in new[] { ("$top=5000", "x=1"), ("$select=title", "maxpagesize=5000") })
        {
            var page = await crm.GetAsync(Path + query, ("Prefer", header));
            Assert.Equal(1000, page.Value.Count);
            Assert.Single((await crm.GetAsync(new Uri(page.Json["@odata.nextLink"]!.ToString()).PathAndQuery.TrimStart('/'), ("Prefer", header))).Value);
        }
    }

    private static string Repeat(int count, string text) => string.Concat(Enumerable.Repeat(text, count));

    private static string Times(int count, string text, string separator) => string.Join(separator, Enumerable.Repeat(text, count));

    private static string Columns(int count) => string.Join(',', new[] { "title", "code", "email", "seats", "weight", "budget", "urgent", "source", "stage" }.Take(count));

    private async Task LimitAsync(int limit, Func<int, string> query, string? named, HttpStatusCode refusal = HttpStatusCode.BadRequest, int? over = null)
    {
        var fits = await crm.GetAsync(Path + query(limit).Replace(" ", "%20", StringComparison.Ordinal));
        Assert.True(fits.Status == HttpStatusCode.OK, $"{query(Math.Min(limit, 3))}… of {limit}: {fits}");
        var refused = await crm.GetAsync(Path + query(over ?? (limit + 1)).Replace(" ", "%20", StringComparison.Ordinal));
        Assert.True(refused.Status == refusal, $"{query(Math.Min(limit, 3))}… of more than {limit}: {refused}");
        Assert.Contains(named ?? "", refused.Text.Replace(",", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
