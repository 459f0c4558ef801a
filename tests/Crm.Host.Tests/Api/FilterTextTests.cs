using Crm.Host.Api.OData;
using Crm.Sdk;

namespace Crm.Host.Tests.Api;

public sealed class FilterTextTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    public static TheoryData<string, Filter> Filters => new()
    {
        { "x_deal", new Filter.Compare("title", FilterOperator.Contains, "O'Neil & \"co\"") },
        { "x_deal", Filter.AllOf(Filter.Equal("firm.name", "Acme"), Filter.AnyOf(Filter.Equal("urgent", true), new Filter.Compare("seats", FilterOperator.GreaterOrEqual, 5m))) },
        { "x_deal", new Filter.Not(Filter.AnyOf(new Filter.Compare("close_date", FilterOperator.Less, new DateOnly(2026, 3, 4)), Filter.Equal("budget", null))) },
        { "x_deal", Filter.AllOf(new Filter.In("stage", ["open", "won"]), new Filter.Compare("tags", FilterOperator.Contains, "hot")) },
        { "x_deal", Filter.AllOf(new Filter.Mine("owner"), new Filter.During("next_call", Period.LastDays, 7), new Filter.During("close_date", Period.ThisMonth)) },
        { "x_deal", new Filter.Compare("next_call", FilterOperator.GreaterOrEqual, new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero)) },
        { "x_firm", new Filter.Related("x_deal", "firm") },
        { "x_firm", new Filter.Not(new Filter.Related("x_deal", "firm", Filter.AllOf(Filter.Equal("stage", "won"), new Filter.Mine("owner"), Filter.Equal("firm.name", "x")))) },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_filter_in_words_of_the_API_finds_the_same_records(string entity, Filter filter)
    {
        var metadata = crm.Crm.Metadata.Current;
        var link = new FilterText(ODataModel.Build(metadata)).Link(metadata.Entity(entity), new RecordQuery { Entity = entity, Filter = filter, Search = "a \"b\"" });
        var answer = await crm.GetAsync(link.TrimStart('/'));
        Assert.True(answer.Status == System.Net.HttpStatusCode.OK, link + "\n" + answer);
    }
}
