using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records.Tests.Reading;

/// <summary>Filters that depend on who asks, on the day, and on records that point here.</summary>
public sealed class RelativeFilterTests(RelativeFilterTests.Data data) : IClassFixture<RelativeFilterTests.Data>
{
    // A Wednesday in London; in Berlin Thursday has begun.
    private static readonly DateTimeOffset Now = new(2026, 3, 4, 23, 30, 0, TimeSpan.Zero);

    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    public static TheoryData<Period, int, string, string> Periods => new()
    {
        { Period.Today, 1, "0304", "0305" },
        { Period.Yesterday, 1, "0303", "0304" },
        { Period.Tomorrow, 1, "0305", "0306" },
        { Period.ThisWeek, 1, "0302 0303 0304 0305 0306 0308", "0302 0303 0304 0305 0306 0308" },
        { Period.LastWeek, 1, "0228 0301", "0228 0301" },
        { Period.NextWeek, 1, "0309", "0309" },
        { Period.ThisMonth, 1, "0301 0302 0303 0304 0305 0306 0308 0309 0331", "0301 0302 0303 0304 0305 0306 0308 0309 0331" },
        { Period.LastMonth, 1, "0228", "0228" },
        { Period.NextMonth, 1, "0401", "0401" },
        { Period.ThisQuarter, 1, "0228 0301 0302 0303 0304 0305 0306 0308 0309 0331", "0228 0301 0302 0303 0304 0305 0306 0308 0309 0331" },
        { Period.LastQuarter, 1, "1231", "1231" },
        { Period.NextQuarter, 1, "0401", "0401" },
        { Period.LastYear, 1, "1231", "1231" },
        { Period.NextYear, 1, "", "" },
        { Period.LastDays, 2, "0303 0304", "0304 0305" },
        { Period.NextDays, 2, "0304 0305", "0305 0306" },
        { Period.BeforeLastDays, 1, "1231 0228 0301 0302 0303", "1231 0228 0301 0302 0303 0304" },
        { Period.AfterNextDays, 5, "0309 0331 0401", "0331 0401" },
    };

    [Theory]
    [MemberData(nameof(Periods))]
    public async Task A_period_is_counted_from_the_day_it_is_where_the_user_is(Period period, int days, string london, string berlin)
    {
        var filter = new Filter.During("due", period, days);
        Assert.Equal(london, await DealsAsync(filter, null));
        Assert.Equal(berlin, await DealsAsync(filter, Berlin));
    }

    [Fact]
    public async Task The_day_of_a_moment_is_the_one_of_the_users_clock()
    {
        var today = new Filter.During("met_at", Period.Today);
        Assert.Equal("0303 0304", await DealsAsync(today, null));
        Assert.Equal("0304", await DealsAsync(today, Berlin));
        Assert.Equal("0303 0304", await DealsAsync(Filter.AllOf(Filter.AnyOf(today), new Filter.Not(new Filter.During("due", Period.Tomorrow))), null));
    }

    [Fact]
    public async Task My_records_are_those_of_whoever_asks()
    {
        Assert.Equal("0401", await DealsAsync(new Filter.Mine("owner"), null, Engine.Admin));
        Assert.DoesNotContain("0401", await DealsAsync(new Filter.Mine("owner"), null), StringComparison.Ordinal);
        Assert.Equal("0401", await DealsAsync(new Filter.Not(new Filter.Mine("owner")), null));
        var counted = Assert.Single(await data.As(Engine.Admin).AggregateAsync(new AggregateQuery { Entity = "deal", Filter = new Filter.Mine("owner"), Aggregates = [new Aggregate(AggregateFunction.Count, null, "n")] }));
        Assert.Equal(1L, counted.Values["n"]);
    }

    [Fact]
    public async Task Records_are_found_by_those_that_point_to_them()
    {
        Assert.Equal("Haben Soll", await CompaniesAsync(new Filter.Related("deal", "company")));
        Assert.Equal("Leer", await CompaniesAsync(new Filter.Not(new Filter.Related("deal", "company"))));
        Assert.Equal("Haben", await CompaniesAsync(new Filter.Related("deal", "company", Filter.AllOf(new Filter.During("due", Period.LastYear), new Filter.Mine("owner")))));
        Assert.Equal("Haben Soll", await CompaniesAsync(new Filter.Related("deal", "company", Filter.AnyOf(Filter.Equal("title", "1231"), Filter.Equal("company.name", "Soll")))));
        Assert.Equal("Haben", await CompaniesAsync(new Filter.Related("company", "parent", new Filter.Related("deal", "company", Filter.Equal("title", "0228")))));
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused()
    {
        async Task Refuses(Filter filter, string code) => Assert.Equal(code, (await Assert.ThrowsAsync<QueryException>(() => DealsAsync(filter, null))).Code);
        await Refuses(new Filter.During("title", Period.Today), ErrorCodes.BadRequest);
        await Refuses(new Filter.During("nothing", Period.Today), ErrorCodes.UnknownField);
        await Refuses(new Filter.During("", Period.Today), ErrorCodes.UnknownField);
        await Refuses(new Filter.During("due", Period.LastDays, 0), ErrorCodes.Range);
        await Refuses(new Filter.During("due", Period.LastDays, int.MaxValue), ErrorCodes.Range);
        await Refuses(new Filter.Mine("title"), ErrorCodes.BadRequest);
        await Refuses(new Filter.Mine("company"), ErrorCodes.BadRequest);
        await Refuses(new Filter.Related("deal", "company"), ErrorCodes.BadRequest);
        await Refuses(new Filter.Related("nothing", "company"), ErrorCodes.UnknownEntity);
        await Refuses(new Filter.Related("deal\"", "company"), ErrorCodes.UnknownField);
        await Refuses(Enumerable.Range(0, 40).Aggregate((Filter)new Filter.Mine("owner"), (f, _) => new Filter.Not(f)), ErrorCodes.BadRequest);
    }

    [Fact]
    public void A_filter_survives_an_address()
    {
        var filter = Filter.AllOf(
            new Filter.During("due", Period.LastDays, 30),
            new Filter.During("met_at", Period.ThisMonth),
            new Filter.Not(new Filter.Mine("owner")),
            Filter.AnyOf(new Filter.Related("deal", "company", Filter.Equal("title", "Ä & \"b\"")), new Filter.Related("deal", "company"), new Filter.In("kind", ["new", "old"])));
        var text = FilterJson.ToText(filter);
        Assert.Equal(filter, FilterJson.Parse(text));
        Assert.Contains("Ä", text, StringComparison.Ordinal);
        Assert.All(["", "{", "[]", "{\"path\":\"due\",\"during\":\"someday\"}", "{\"path\":5}", "{\"mine\":\"owner\",\"more\":1}", new string('[', 30_000)], t => Assert.Null(FilterJson.Parse(t)));
    }

    private async Task<string> DealsAsync(Filter filter, TimeZoneInfo? zone, Actor? actor = null)
    {
        var page = await data.As(actor ?? Engine.User).QueryAsync(new RecordQuery { Entity = "deal", Filter = filter, TimeZone = zone, Sort = [new Sort("due")], Count = true });
        Assert.Equal(page.Records.Length, page.Count);
        return string.Join(' ', page.Records.Select(r => r["title"]));
    }

    private async Task<string> CompaniesAsync(Filter filter)
    {
        var page = await data.As(Engine.User).QueryAsync(new RecordQuery { Entity = "company", Filter = filter, Sort = [new Sort("name")] });
        return string.Join(' ', page.Records.Select(r => r["name"]));
    }

    public sealed class Data : IAsyncLifetime
    {
        private readonly Engine engine = new();

        public RecordService As(Actor actor) => new RecordEngine(engine.Database, engine.Metadata, new BehaviorSource(), engine.Scripts, new Stopped()).As(actor);

        public async Task InitializeAsync()
        {
            await engine.InitializeAsync();
            var haben = await engine.Records.SavedAsync(Values.Company("Haben"));
            var soll = await engine.Records.SavedAsync(Values.Company("Soll", ("parent", haben.Id)));
            await engine.Records.SavedAsync(Values.Company("Leer"));
            foreach (var day in new[] { "2025-12-31", "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-08", "2026-03-09", "2026-03-31", "2026-04-01" })
            {
                var date = DateOnly.ParseExact(day, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
                // Half past eleven of the evening before, in Berlin half past twelve at night.
                var met = new DateTimeOffset(date.ToDateTime(new TimeOnly(23, 30)), TimeSpan.Zero).AddDays(date == new DateOnly(2026, 3, 3) ? 1 : 0).AddHours(date == new DateOnly(2026, 3, 3) ? -12 : 0);
                await engine.Records.SavedAsync(Values.Deal(
                    ("title", day[5..7] + day[8..]),
                    ("due", day),
                    ("met_at", met),
                    ("company", date.Year == 2025 ? haben.Id : date.Month == 2 ? soll.Id : null),
                    ("owner", date.Month == 4 ? Engine.Admin.UserId : Engine.User.UserId)));
            }
        }

        public Task DisposeAsync() => engine.DisposeAsync();

        private sealed class Stopped : TimeProvider
        {
            public override DateTimeOffset GetUtcNow() => Now;
        }
    }
}
