using Crm.Sdk;

namespace Crm.Records.Tests.Reading;

/// <summary>How many records there are, where nobody needs to know exactly.</summary>
public sealed class EstimateTests(EstimateTests.Many many) : IClassFixture<EstimateTests.Many>
{
    private static readonly RecordQuery All = new() { Entity = "deal", Select = ["title"], Top = 3, Count = true, Estimate = true };

    private RecordService Admin => many.Engine.With().As(Engine.Admin);

    private RecordService User => many.Engine.Records;

    [Fact]
    public async Task Few_records_are_counted_and_many_are_estimated()
    {
        var all = await Admin.QueryAsync(All);
        Assert.True(all.IsEstimate);
        Assert.InRange(all.Count!.Value, Many.Deals * 0.9, Many.Deals * 1.1);
        Assert.Equal((3, true), (all.Records.Length, all.Next is not null));
        // On other pages, and sorted by what is sorted in two parts.
        foreach (var query in new[] { All with { After = all.Next }, All with { Sort = [new Sort("number")] }, All with { Skip = 11_000 } })
        {
            Assert.Equal((all.Count, true), await CountAsync(Admin, query));
        }

        Assert.Equal((Many.Deals, false), await CountAsync(Admin, All with { Estimate = false }));
        Assert.Equal((Many.Kim, false), await CountAsync(Admin, All with { Filter = Filter.Equal("owner", Engine.User.UserId) }));
        Assert.Equal((10_000L, false), await CountAsync(Admin, All with { Filter = new Filter.Compare("count", FilterOperator.LessOrEqual, 10_000) }));
        var (some, isEstimate) = await CountAsync(Admin, All with { Filter = new Filter.Compare("count", FilterOperator.LessOrEqual, 11_000) });
        Assert.True(isEstimate);
        Assert.InRange(some!.Value, 10_001, 12_100);
        Assert.Equal((null, false), await CountAsync(Admin, All with { Count = false }));
    }

    [Fact]
    public async Task Who_sees_few_records_is_told_of_those_only()
    {
        Assert.Equal((Many.Kim, false), await CountAsync(User, All));
        Assert.Equal((0L, false), await CountAsync(User, All with { Filter = Filter.Equal("owner", Engine.Admin.UserId) }));
    }

    [Fact]
    public async Task An_aggregation_has_10000_groups_and_no_more()
    {
        var query = new AggregateQuery { Entity = "deal", GroupBy = ["count"], Filter = new Filter.Compare("count", FilterOperator.LessOrEqual, 10_000) };
        Assert.Equal(10_000, (await Admin.AggregateAsync(query)).Length);
        var refused = await Assert.ThrowsAsync<QueryException>(() => Admin.AggregateAsync(query with { Filter = new Filter.Compare("count", FilterOperator.LessOrEqual, 10_001) }));
        Assert.Equal(ErrorCodes.BadRequest, refused.Code);
        Assert.Contains("10,000", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<(long?, bool)> CountAsync(RecordService records, RecordQuery query)
    {
        var page = await records.QueryAsync(query);
        return (page.Count, page.IsEstimate);
    }

    public sealed class Many : IAsyncLifetime
    {
        public const long Deals = 12_000;

        public const long Kim = 40;

        public Engine Engine { get; } = new();

        public async Task InitializeAsync()
        {
            await Engine.InitializeAsync();
            await Engine.ChangeAsync("""[{"change":"set_grant","entity":"deal","grant":{"name":"everyone","read":"own"} }]""");
            await Engine.ExecuteAsync($"""
                INSERT INTO records.deal (id, created_at, modified_at, title, count, owner)
                SELECT gen_random_uuid(), now(), now(), 'Many', n, CASE WHEN n <= {Kim} THEN '{Engine.User.UserId}'::uuid ELSE '{Engine.Admin.UserId}' END FROM generate_series(1, {Deals}) AS n;
                ANALYZE records.deal
                """);
        }

        public Task DisposeAsync() => Engine.DisposeAsync();
    }
}
