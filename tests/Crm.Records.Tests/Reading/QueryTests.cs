using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.Reading;

public sealed class QueryTests : IClassFixture<QueryTests.Data>
{
    private readonly Data data;

    public QueryTests(Data data) => this.data = data;

    public static TheoryData<string, Filter, string> Filters => new()
    {
        { "equal", Filter.Equal("count", 2), "b" },
        { "equal text is exact", Filter.Equal("title", "B"), "" },
        { "no value", Filter.Equal("count", null), "d e" },
        { "a value", new Filter.Compare("count", FilterOperator.NotEqual, null), "a b c" },
        { "another value or none", new Filter.Compare("count", FilterOperator.NotEqual, 2), "a c d e" },
        { "less leaves out missing", new Filter.Compare("count", FilterOperator.Less, 3), "a b" },
        { "not less holds for missing", new Filter.Not(new Filter.Compare("count", FilterOperator.Less, 3)), "c d e" },
        { "not not", new Filter.Not(new Filter.Not(new Filter.Compare("count", FilterOperator.Less, 3))), "a b" },
        { "not equal to missing path", new Filter.Compare("company.country", FilterOperator.NotEqual, "DE"), "b c e" },
        { "path", Filter.Equal("company.country", "DE"), "a d" },
        { "path of a path", Filter.Equal("company.parent.name", "Holding"), "a d" },
        { "not of any", new Filter.Not(Filter.AnyOf(Filter.Equal("count", 1), Filter.Equal("company.country", "FR"))), "c d e" },
        { "in", new Filter.In("count", [1, "3"]), "a c" },
        { "in with nothing", new Filter.In("count", [1, null]), "a d e" },
        { "in nothing", new Filter.In("count", []), "" },
        { "contains in any case", new Filter.Compare("notes", FilterOperator.Contains, "PERCENT 100%"), "c" },
        { "wildcards are text", new Filter.Compare("notes", FilterOperator.Contains, "%"), "c" },
        { "underscore is text", new Filter.Compare("notes", FilterOperator.StartsWith, "_"), "d" },
        { "backslash is text", new Filter.Compare("notes", FilterOperator.EndsWith, "\\"), "e" },
        { "not contains", new Filter.Not(new Filter.Compare("notes", FilterOperator.Contains, "%")), "a b d e" },
        { "money by amount", new Filter.Compare("budget", FilterOperator.Greater, 100), "b" },
        { "money above what may be stored", new Filter.Compare("budget", FilterOperator.Less, 5_000_000), "a b" },
        { "currency", Filter.Equal("budget_currency", "USD"), "b" },
        { "list contains", new Filter.Compare("tags", FilterOperator.Contains, "b"), "a b" },
        { "list shares", new Filter.In("tags", ["a", "we\"ird\\"]), "a c" },
        { "no list", Filter.Equal("tags", null), "d e" },
        { "date", new Filter.Compare("due", FilterOperator.GreaterOrEqual, new DateOnly(2026, 2, 1)), "b" },
        { "stage by label", Filter.Equal("stage", "Offer"), "b" },
        { "lookup", Filter.Equal("company", null), "c e" },
        { "e-mail that is none", Filter.Equal("company.email", "nonsense"), "" },
        { "id", new Filter.In("id", [Data.Id('a'), Data.Id('e').ToString()]), "a e" },
        { "injection", Filter.Equal("title", "'); DROP TABLE records.deal; --"), "" },
    };

    public static TheoryData<Filter, string, string?> Refused => new()
    {
        { Filter.Equal("nothing", 1), ErrorCodes.UnknownField, "nothing" },
        { Filter.Equal("company.nothing", 1), ErrorCodes.UnknownField, "company.nothing" },
        { Filter.Equal("title.name", 1), ErrorCodes.UnknownField, "title.name" },
        { Filter.Equal("title\"; DROP TABLE records.deal; --", 1), ErrorCodes.UnknownField, "title\"; DROP TABLE records.deal; --" },
        { Filter.Equal("", 1), ErrorCodes.UnknownField, "" },
        { Filter.Equal("company.parent.parent.parent.name", 1), ErrorCodes.BadRequest, "company.parent.parent.parent.name" },
        { Filter.Equal("count", "many"), ErrorCodes.Type, "count" },
        { Filter.Equal("due", 5), ErrorCodes.Type, "due" },
        { Filter.Equal("company", "no id"), ErrorCodes.Type, "company" },
        { Filter.Equal("kind", "odd"), ErrorCodes.Unknown, "kind" },
        { Filter.Equal("title", "a\0"), ErrorCodes.Type, "title" },
        { new Filter.Compare("title", FilterOperator.Contains, "\ud800"), ErrorCodes.Type, "title" },
        { new Filter.Compare("count", FilterOperator.Contains, 1), ErrorCodes.BadRequest, "count" },
        { new Filter.Compare("urgent", FilterOperator.Less, true), ErrorCodes.BadRequest, "urgent" },
        { new Filter.Compare("tags", FilterOperator.Equal, "a"), ErrorCodes.BadRequest, "tags" },
        { new Filter.Compare("count", FilterOperator.Less, null), ErrorCodes.BadRequest, "count" },
        { Filter.AllOf([.. Enumerable.Repeat(Filter.Equal("count", 1), QueryLimits.MaxTerms + 1)]), ErrorCodes.BadRequest, null },
        { Enumerable.Range(0, 40).Aggregate(Filter.Equal("count", 1), (f, _) => new Filter.Not(f)), ErrorCodes.BadRequest, null },
        { new Filter.In("count", [.. Enumerable.Range(0, QueryLimits.MaxListValues + 1).Select(i => (object?)i)]), ErrorCodes.BadRequest, null },
    };

    private RecordService Records => data.Engine.Records;

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_filter_finds_what_it_says(string name, Filter filter, string expected)
    {
        Assert.NotEmpty(name);
        var page = await Records.QueryAsync(new RecordQuery { Entity = "deal", Filter = filter, Sort = [new Sort("title")], Count = true });
        Assert.Equal(expected, string.Join(' ', page.Records.Select(r => r["title"])));
        Assert.Equal(page.Records.Length, page.Count);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_filter_that_cannot_be_answered_is_refused(Filter filter, string code, string? target)
    {
        var problem = await Assert.ThrowsAsync<QueryException>(() => Records.QueryAsync(new RecordQuery { Entity = "deal", Filter = filter }));
        Assert.Equal((code, target), (problem.Code, problem.Target));
    }

    [Fact]
    public async Task Selected_values_have_the_names_they_were_asked_by()
    {
        var query = new RecordQuery { Entity = "deal", Filter = Filter.Equal("title", "b"), Select = ["company", "company_id", "company.name", "owner_user.name", "owner.region", "budget", "budget_currency", "tags", "title"] };
        var record = Assert.Single((await Records.QueryAsync(query)).Records);
        Assert.Equal(query.Select.ToArray(), record.Values.Keys);
        Assert.Equal(record["company"], record["company_id"]);
        Assert.Equal("Avec", record["company.name"]);
        Assert.Equal("Bob", record["owner_user.name"]);
        Assert.Equal(new Money(200, "USD"), record["budget"]);
        Assert.Equal("USD", record["budget_currency"]);
        Assert.Equal(["b"], record.Get<ImmutableArray<string>>("tags").ToArray());
        Assert.Null(record["count"]);
    }

    [Theory]
    [InlineData("avec", "Avec")]
    [InlineData("HOLDING", "Holding")]
    [InlineData("ol ing", "Holding")]
    [InlineData("haben holding", "")]
    [InlineData("example", "Haben")]
    [InlineData("100%", "")]
    [InlineData("uber", "Über 100 Prozent")]
    [InlineData("%", "")]
    [InlineData("_", "")]
    [InlineData("  ", "Avec, Haben, Holding, Über 100 Prozent")]
    public async Task Search_finds_every_word_in_any_search_field(string search, string expected)
    {
        var page = await Records.QueryAsync(new RecordQuery { Entity = "company", Search = search, Sort = [new Sort("code")] });
        Assert.Equal(expected, string.Join(", ", page.Records.Select(r => r["name"])));
    }

    [Theory]
    [InlineData("ha", SearchMode.BestFirst, "Haben")]
    [InlineData("h", SearchMode.BestFirst, "Haben, Holding")]
    [InlineData("e", SearchMode.BestFirst, "Avec, Haben, Über 100 Prozent")]
    [InlineData("uber 100 prozent", SearchMode.BestFirst, "Über 100 Prozent")]
    [InlineData("in", SearchMode.Sorted, "Haben, Holding")]
    [InlineData("holdin", SearchMode.Similar, "Holding")]
    [InlineData("holdig", SearchMode.Similar, "Holding")]
    [InlineData("holdig", SearchMode.BestFirst, "")]
    [InlineData("prosent", SearchMode.Similar, "Über 100 Prozent")]
    [InlineData("habn", SearchMode.Similar, "Haben")]
    [InlineData("berlin", SearchMode.Similar, "")]
    [InlineData("%", SearchMode.Similar, "")]
    [InlineData(" ", SearchMode.Similar, "Avec, Haben, Holding, Über 100 Prozent")]
    public async Task PLT_13_Search_puts_what_fits_best_first_and_forgives_typing_errors(string search, SearchMode mode, string expected)
    {
        var query = new RecordQuery { Entity = "company", Search = search, SearchMode = mode, Sort = [new Sort("name")], Count = true };
        var page = await Records.QueryAsync(query);
        Assert.Equal(expected, string.Join(", ", page.Records.Select(r => r["name"])));
        Assert.Equal(page.Records.Length, page.Count);

        var paged = new List<object?>();
        for (RecordPage? part = null; part is null || part.Next is not null;)
        {
            part = await Records.QueryAsync(query with { Top = 1, After = part?.Next });
            paged.AddRange(part.Records.Select(r => r["name"]));
        }

        Assert.Equal(expected, string.Join(", ", paged));
    }

    [Fact]
    public async Task What_cannot_be_read_is_refused()
    {
        async Task Refuses(RecordQuery query, string code) => Assert.Equal(code, (await Assert.ThrowsAsync<QueryException>(() => Records.QueryAsync(query))).Code);
        var deals = new RecordQuery { Entity = "deal" };
        await Refuses(deals with { Entity = "nothing" }, ErrorCodes.UnknownEntity);
        await Refuses(deals with { Entity = "deal\"; DROP TABLE" }, ErrorCodes.UnknownEntity);
        await Refuses(deals with { Select = ["nothing"] }, ErrorCodes.UnknownField);
        await Refuses(deals with { Sort = [new Sort("tags")] }, ErrorCodes.BadRequest);
        await Refuses(deals with { Sort = [new Sort("id; --")] }, ErrorCodes.UnknownField);
        await Refuses(deals with { Top = 1001 }, ErrorCodes.BadRequest);
        await Refuses(deals with { Top = -1 }, ErrorCodes.BadRequest);
        await Refuses(deals with { Skip = -1 }, ErrorCodes.BadRequest);
        await Refuses(deals with { Search = new string('x', 201) }, ErrorCodes.BadRequest);
        await Refuses(deals with { Search = "a b c d e f g h i j k" }, ErrorCodes.BadRequest);
        await Refuses(deals with { Search = "\0" }, ErrorCodes.BadRequest);
        await Refuses(deals with { After = "nonsense!" }, ErrorCodes.BadRequest);
        Assert.Equal(ErrorCodes.UnknownEntity, (await Assert.ThrowsAsync<QueryException>(() => Records.FindAsync("nothing", Guid.Empty))).Code);
    }

    [Fact]
    public async Task Groups_are_aggregated()
    {
        var rows = await Records.AggregateAsync(new AggregateQuery
        {
            Entity = "deal",
            GroupBy = ["company.country"],
            Aggregates =
            [
                new Aggregate(AggregateFunction.Count, null, "deals"), new Aggregate(AggregateFunction.Sum, "budget", "total"), new Aggregate(AggregateFunction.Average, "count", "mean"),
                new Aggregate(AggregateFunction.Max, "due", "latest"), new Aggregate(AggregateFunction.CountDistinct, "kind", "kinds"), new Aggregate(AggregateFunction.Count, "count", "counted"),
            ],
        });
        Assert.Equal(["DE", "FR", null], rows.Select(r => r.Values["company.country"]));
        Assert.Equal([2L, 1L, 2L], rows.Select(r => r.Values["deals"]));
        Assert.Equal([100m, 200m, null], rows.Select(r => r.Values["total"]));
        Assert.Equal([1m, 2m, 3m], rows.Select(r => r.Values["mean"]));
        Assert.Equal([new DateOnly(2026, 1, 1), new DateOnly(2026, 2, 1), null], rows.Select(r => r.Values["latest"]));
        Assert.Equal([1L, 1L, 1L], rows.Select(r => r.Values["counted"]));

        var all = Assert.Single(await Records.AggregateAsync(new AggregateQuery { Entity = "deal", Aggregates = [new Aggregate(AggregateFunction.Sum, "count", "n")], Filter = Filter.Equal("company.country", "XX") }));
        Assert.Null(all.Values["n"]);
    }

    [Fact]
    public async Task An_aggregation_that_makes_no_sense_is_refused()
    {
        async Task Refuses(string code, params Aggregate[] aggregates) =>
            Assert.Equal(code, (await Assert.ThrowsAsync<QueryException>(() => Records.AggregateAsync(new AggregateQuery { Entity = "deal", Aggregates = [.. aggregates] }))).Code);
        await Refuses(ErrorCodes.BadRequest);
        await Refuses(ErrorCodes.BadRequest, new Aggregate(AggregateFunction.Sum, "title", "x"));
        await Refuses(ErrorCodes.BadRequest, new Aggregate(AggregateFunction.Sum, null, "x"));
        await Refuses(ErrorCodes.BadRequest, new Aggregate(AggregateFunction.Count, null, "x"), new Aggregate(AggregateFunction.Count, null, "x"));
        await Refuses(ErrorCodes.UnknownField, new Aggregate(AggregateFunction.Max, "nothing", "x"));
    }

    public sealed class Data : IAsyncLifetime
    {
        public Engine Engine { get; } = new();

        public static Guid Id(char title) => new($"00000000-0000-7000-8000-00000000000{title}");

        public async Task InitializeAsync()
        {
            await Engine.InitializeAsync();
            var records = Engine.Records;
            var holding = await records.SavedAsync(Values.Company("Holding", ("code", "3")));
            var german = await records.SavedAsync(Values.Company("Haben", ("country", "DE"), ("parent", holding.Id), ("email", "info@example.com"), ("code", "2")));
            var french = await records.SavedAsync(Values.Company("Avec", ("country", "FR"), ("code", "1")));
            await records.SavedAsync(Values.Company("Über 100 Prozent", ("code", "4")));
            await Deal('a', ("company", german.Id), ("count", 1), ("budget", 100), ("tags", "a,b"), ("due", "2026-01-01"));
            await Deal('b', ("company", french.Id), ("count", 2), ("budget", "200 USD"), ("tags", "b"), ("due", "2026-02-01"), ("stage", "offer"));
            await Deal('c', ("count", 3), ("notes", "Percent 100% sure"), ("tags", new[] { "we\"ird\\" }));
            await Deal('d', ("company", german.Id), ("notes", "_under"));
            await Deal('e', ("notes", "back\\"));

            Task<Crm.Sdk.Record> Deal(char title, params (string, object?)[] values) => records.SavedAsync(Values.Deal([.. values, ("title", title.ToString())]) with { Id = Id(title) });
        }

        public Task DisposeAsync() => Engine.DisposeAsync();
    }
}
