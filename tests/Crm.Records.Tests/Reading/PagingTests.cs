using Crm.Sdk;

namespace Crm.Records.Tests.Reading;

public sealed class PagingTests(PagingTests.Data data) : IClassFixture<PagingTests.Data>
{
    private static readonly string[] Paths =
        ["count", "title", "budget", "budget_currency", "ratio", "urgent", "due", "met_at", "kind", "notes", "company.name", "company", "created_at", "stage", "owner_user.name", "version", "id"];

    private RecordService Records => data.Engine.Records;

    [Fact]
    public async Task Pages_over_ties_and_missing_values_show_every_record_once_in_order()
    {
        var random = new Random(7);
        for (var round = 0; round < 120; round++)
        {
            var sort = Enumerable.Range(0, random.Next(0, 4)).Select(_ => new Sort(Paths[random.Next(Paths.Length)], random.Next(2) == 0)).ToArray();
            var query = new RecordQuery { Entity = "deal", Select = ["title"], Sort = [.. sort], Top = random.Next(1, 40) };
            var whole = (await Records.QueryAsync(query with { Top = 1000 })).Records.Select(r => r.Id).ToList();
            Assert.Equal(data.Count, whole.Distinct().Count());

            var paged = new List<Guid>();
            RecordPage page;
            do
            {
                page = await Records.QueryAsync(query);
                Assert.InRange(page.Records.Length, 1, query.Top);
                Assert.DoesNotContain(page.Next ?? "", c => !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
                paged.AddRange(page.Records.Select(r => r.Id));
                query = query with { After = page.Next };
            }
            while (page.Next is not null);
            Assert.Equal(whole, paged);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_without_a_value_come_last_in_both_directions(bool descending)
    {
        var values = (await Records.QueryAsync(new RecordQuery { Entity = "deal", Sort = [new Sort("count", descending)], Top = 1000 })).Records.Select(r => (long?)r["count"]).ToList();
        Assert.Equal(descending ? values.OrderBy(v => v is null).ThenByDescending(v => v) : values.OrderBy(v => v is null).ThenBy(v => v), values);
        Assert.Null(values[^1]);
    }

    [Fact]
    public async Task A_cursor_that_was_touched_or_belongs_to_another_order_is_refused()
    {
        var query = new RecordQuery { Entity = "deal", Sort = [new Sort("count")], Top = 5 };
        var next = (await Records.QueryAsync(query)).Next!;
        await Records.QueryAsync(query with { After = next });
        for (var i = 0; i < next.Length; i++)
        {
            var touched = next[..i] + (next[i] == 'A' ? 'B' : 'A') + next[(i + 1)..];
            await RefusesAsync(query with { After = touched });
        }

        await RefusesAsync(query with { After = next[..^3] });
        await RefusesAsync(query with { After = "" });
        await RefusesAsync(query with { After = next, Sort = [new Sort("count", Descending: true)] });
        await RefusesAsync(query with { After = next, Entity = "company", Sort = [new Sort("name")] });
    }

    [Fact]
    public async Task A_cursor_somebody_made_up_is_refused()
    {
        var query = new RecordQuery { Entity = "deal", Sort = [new Sort("count")], Top = 5 };
        await RefusesAsync(query with { After = new Cursor(["text", Guid.Empty]).Write(query) });
        await RefusesAsync(query with { After = new Cursor([1L, null]).Write(query) });
        await RefusesAsync(query with { After = new Cursor([1L]).Write(query) });
        await RefusesAsync(query with { After = new Cursor([1L, 2L, Guid.Empty]).Write(query) });
    }

    [Fact]
    public async Task Rows_can_be_skipped_and_counted()
    {
        var all = await Records.QueryAsync(new RecordQuery { Entity = "deal", Top = 1000, Count = true });
        var some = await Records.QueryAsync(new RecordQuery { Entity = "deal", Top = 10, Skip = 25, Count = true });
        Assert.Equal(data.Count, some.Count);
        Assert.Equal(all.Records.Skip(25).Take(10).Select(r => r.Id), some.Records.Select(r => r.Id));
        var none = await Records.QueryAsync(new RecordQuery { Entity = "deal", Top = 0, Count = true });
        Assert.Equal((data.Count, 0), (none.Count, none.Records.Length));
        Assert.Null((await Records.QueryAsync(new RecordQuery { Entity = "deal", Top = data.Count })).Next);
    }

    [Fact]
    public async Task Pages_of_any_size_end_where_values_end_and_say_whether_more_comes()
    {
        var filled = await data.Engine.ScalarAsync<long>("SELECT count(count) FROM records.deal");
        foreach (var descending in new[] { false, true })
        {
            var query = new RecordQuery { Entity = "deal", Sort = [new Sort("count", descending)], Count = true };
            var page = await Records.QueryAsync(query with { Top = (int)filled });
            Assert.DoesNotContain(page.Records, r => r["count"] is null);
            Assert.Equal(data.Count, page.Count);
            var rest = await Records.QueryAsync(query with { After = page.Next, Top = 1000 });
            Assert.Equal(data.Count - (int)filled, rest.Records.Count(r => r["count"] is null));
            Assert.Equal((data.Count, null), (rest.Count, rest.Next));
            Assert.Equal(data.Count, page.Records.Concat(rest.Records).Select(r => r.Id).Distinct().Count());
            var some = await Records.QueryAsync(query with { Filter = Filter.Equal("count", null), Top = 1 });
            Assert.NotNull(some.Next);
            Assert.Null((await Records.QueryAsync(query with { Filter = new Filter.Compare("count", FilterOperator.NotEqual, null), Top = (int)filled })).Next);
        }
    }

    private async Task RefusesAsync(RecordQuery query) =>
        Assert.Equal((ErrorCodes.BadRequest, "after"), await Assert.ThrowsAsync<QueryException>(() => Records.QueryAsync(query)) is var problem ? (problem.Code, problem.Target) : default);

    public sealed class Data : IAsyncLifetime
    {
        public Engine Engine { get; } = new();

        public int Count => 157;

        public async Task InitializeAsync()
        {
            await Engine.InitializeAsync();
            // Those with an index are read from it, and what has no value for itself.
            await Engine.ChangeAsync("""
                [{"change":"change_field","entity":"deal","field":{"name":"count","indexed":true}},{"change":"change_field","entity":"deal","field":{"name":"ratio","indexed":true}},
                 {"change":"change_field","entity":"deal","field":{"name":"title","indexed":true}},{"change":"change_field","entity":"deal","field":{"name":"due","indexed":true}}]
                """);
            var random = new Random(3);
            var companies = (await Engine.Records.SaveManyAsync([.. Enumerable.Range(0, 5).Select(i => Values.Company($"C{i % 3}"))], new SaveOptions())).Select(r => r.Record!.Id).ToArray();
            object? Maybe(object value) => random.Next(3) == 0 ? null : value;
            var deals = Enumerable.Range(0, Count).Select(_ => Values.Deal(
                ("title", $"t{random.Next(9)}"), ("count", Maybe(random.Next(4))), ("budget", Maybe(new Money(random.Next(3), random.Next(2) == 0 ? "EUR" : "USD"))), ("ratio", Maybe(random.Next(30) / 10m)),
                ("urgent", Maybe(random.Next(2) == 0)), ("due", Maybe(new DateOnly(2026, 1, 1 + random.Next(3)))), ("met_at", Maybe(DateTimeOffset.UnixEpoch.AddSeconds(random.Next(3)))),
                ("kind", Maybe("new")), ("notes", Maybe(new string('n', 300 + random.Next(2)))), ("company", Maybe(companies[random.Next(5)]))));
            Assert.All(await Engine.Records.SaveManyAsync([.. deals], new SaveOptions()), r => Assert.Empty(r.Errors));
        }

        public Task DisposeAsync() => Engine.DisposeAsync();
    }
}
