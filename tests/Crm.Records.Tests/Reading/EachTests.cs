using System.Globalization;
using Crm.Sdk;

namespace Crm.Records.Tests.Reading;

/// <summary>Pages for each of several records, read together.</summary>
public sealed class EachTests(Engine engine) : IClassFixture<Engine>
{
    private static readonly RecordQuery Deals = new() { Entity = "deal", Select = ["title"] };

    [Fact]
    public async Task Each_record_has_a_page_of_its_own_in_order_and_with_its_count()
    {
        var (first, second, empty) = (await CompanyAsync(), await CompanyAsync(), await CompanyAsync());
        await DealsAsync(first, ("a", 3), ("b", null), ("c", 1), ("d", 2));
        await DealsAsync(second, ("e", 5), ("f", 4));
        var query = Deals with { Sort = [new Sort("count", Descending: true)], Top = 2, Count = true, Filter = new Filter.Compare("title", FilterOperator.NotEqual, "d") };

        var pages = await engine.Records.QueryEachAsync(query, "company", [first, second, empty, first]);

        Assert.Equal(3, pages.Count);
        Assert.Equal(("ac", 3L), (Titles(pages[first]), pages[first].Count));
        Assert.Equal(("ef", 2L, null), (Titles(pages[second]), pages[second].Count, pages[second].Next));
        Assert.Equal(("", 0L, null), (Titles(pages[empty]), pages[empty].Count, pages[empty].Next));
        // It goes on as any page does.
        var rest = await engine.Records.QueryAsync(query with { Filter = Filter.AllOf(query.Filter!, Filter.Equal("company", first)), After = pages[first].Next });
        Assert.Equal(("b", null), (Titles(rest), rest.Next));
        Assert.Equal("cb", Titles((await engine.Records.QueryEachAsync(query with { Skip = 1 }, "company", [first]))[first]));
        Assert.Equal(("", 3L), (Titles((await engine.Records.QueryEachAsync(query with { Top = 0 }, "company", [first]))[first]), pages[first].Count));
        Assert.Empty(await engine.Records.QueryEachAsync(query, "company", []));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("title")]
    [InlineData("company.parent")]
    [InlineData("company\" = ")]
    public async Task Only_an_own_reference_says_to_what_records_belong(string by)
    {
        // At first and when others like it are known.
        await engine.Records.QueryEachAsync(Deals, "company", [Guid.CreateVersion7()]);
        await Assert.ThrowsAsync<QueryException>(() => engine.Records.QueryEachAsync(Deals, by, [Guid.CreateVersion7()]));
    }

    [Fact]
    public async Task All_pages_together_are_limited()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add(await CompanyAsync());
        }

        await engine.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO records.deal (id, created_at, modified_at, title, company_id)
            SELECT gen_random_uuid(), now(), now(), 'Many', c FROM generate_series(1, 1001) AS n, unnest('{"{" + string.Join(',', ids) + "}"}'::uuid[]) AS c
            """));
        var pages = await engine.Records.QueryEachAsync(Deals with { Top = 1000 }, "company", ids);
        Assert.All(pages.Values, p => Assert.Equal((1000, true), (p.Records.Length, p.Next is not null)));

        ids.Add(await CompanyAsync());
        await DealsAsync(ids[^1], ("one too many", 1));
        var refused = await Assert.ThrowsAsync<QueryException>(() => engine.Records.QueryEachAsync(Deals with { Top = 1000 }, "company", ids));
        Assert.Equal(ErrorCodes.BadRequest, refused.Code);
        Assert.Contains("20,000", refused.Message, StringComparison.Ordinal);
    }

    private static string Titles(RecordPage page) => string.Concat(page.Records.Select(r => r["title"]));

    private async Task<Guid> CompanyAsync() => (await engine.Records.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Each" }))).Record!.Id;

    private async Task DealsAsync(Guid company, params (string Title, int? Count)[] deals)
    {
        foreach (var (title, count) in deals)
        {
            Assert.True((await engine.Records.SaveAsync(RecordChange.Create("deal", new Dictionary<string, object?> { ["title"] = title, ["count"] = count, ["company"] = company }))).Succeeded);
        }
    }
}
