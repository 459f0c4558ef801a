using System.Text;
using Crm.Sdk;

namespace Crm.Records.Tests.Reading;

/// <summary>The SQL of queries, for a reviewer to read: <c>QuerySql.approved.txt</c>.</summary>
public sealed class QuerySqlTests(Engine engine) : IClassFixture<Engine>
{
    private static readonly RecordQuery Deals = new() { Entity = "deal", Select = ["title"] };

    private static readonly (string Name, RecordQuery Query)[] Queries =
    [
        ("all visible fields", new RecordQuery { Entity = "company" }),
        ("properties and parts", Deals with { Select = ["company_id", "budget", "budget_currency", "tags"] }),
        ("paths through lookups join once", Deals with { Select = ["company.name", "company.parent.name", "owner_user.name", "company.country"], Filter = Filter.Equal("company.country", "DE") }),
        ("comparisons", Deals with
        {
            Filter = Filter.AllOf(
                Filter.Equal("title", "x"), new Filter.Compare("count", FilterOperator.NotEqual, 3), new Filter.Compare("due", FilterOperator.Less, "2026-01-01"),
                new Filter.Compare("budget", FilterOperator.GreaterOrEqual, 5), Filter.Equal("budget_currency", "EUR"), Filter.Equal("company", null), new Filter.Compare("kind", FilterOperator.NotEqual, null)),
        }),
        ("texts and lists", Deals with
        {
            Filter = Filter.AnyOf(
                new Filter.Compare("title", FilterOperator.Contains, "x"), new Filter.Compare("title", FilterOperator.StartsWith, "x"), new Filter.Compare("title", FilterOperator.EndsWith, "x"),
                new Filter.Compare("title", FilterOperator.Contains, ""), new Filter.Compare("tags", FilterOperator.Contains, "a"), new Filter.In("kind", ["new", null]), new Filter.In("tags", ["a", "b"])),
        }),
        ("negation", Deals with { Filter = new Filter.Not(Filter.AnyOf(new Filter.Compare("count", FilterOperator.Less, 5), new Filter.Not(Filter.Equal("urgent", true)))) }),
        ("empty groups", Deals with { Filter = Filter.AllOf(Filter.AllOf(), Filter.AnyOf(), new Filter.In("kind", [])) }),
        ("search", Deals with { Search = "big fish" }),
        ("order", Deals with { Sort = [new Sort("company.name"), new Sort("budget", Descending: true), new Sort("notes")] }),
        ("newest first", Deals with { Sort = [new Sort("created_at", Descending: true)] }),
    ];

    [Fact]
    public async Task The_sql_of_queries_is_as_approved()
    {
        var text = new StringBuilder();
        foreach (var (name, query) in Queries)
        {
            var compiled = Compile(query);
            text.Append("-- ").Append(name).Append('\n').Append(compiled.Sql).Append('\n');
            await engine.Records.QueryAsync(query with { Count = true });
        }

        foreach (var sort in new Sort[][] { [], [new Sort("created_at", Descending: true)], [new Sort("count"), new Sort("title", Descending: true)] })
        {
            var query = Deals with { Sort = [.. sort], After = "x" };
            var values = sort switch
            {
                [] => new object?[] { Guid.Empty },
                [_] => [DateTimeOffset.UnixEpoch, Guid.Empty],
                _ => [null, "x", Guid.Empty],
            };
            text.Append("-- after a row, by ").AppendJoin(", ", sort.Select(s => s.Path)).Append('\n').Append(Compile(query, new Cursor([.. values])).Sql).Append('\n');
        }

        foreach (var part in new[] { SortPart.Filled, SortPart.Empty })
        {
            var query = Deals with { Sort = [new Sort("count", Descending: true), new Sort("title")], After = "x" };
            text.Append("-- ").Append(part == SortPart.Filled ? "with" : "without").Append(" a value to be sorted by, after a row\n")
                .Append(Compile(query, new Cursor([part == SortPart.Filled ? 1L : null, "x", Guid.Empty]), part).Sql).Append('\n');
            text.Append("-- the same, by that alone\n").Append(Compile(query with { Sort = query.Sort[..1] }, new Cursor([part == SortPart.Filled ? 1L : null, Guid.Empty]), part).Sql).Append('\n');
        }

        var each = QueryCompiler.Compile(AccessView.All(engine.Metadata.Current), Deals, QueryShape.Of(Deals, null), null, by: "company");
        text.Append("-- of each of several records\n").Append(each.Sql).Append('\n').Append(each.CountSql).Append('\n');
        Approved.Equal(text.ToString(), "QuerySql");
    }

    [Fact]
    public void A_shape_is_compiled_once()
    {
        var first = Compile(Deals with { Filter = Filter.Equal("count", 1), Top = 5 });
        Assert.Same(first, Compile(Deals with { Filter = Filter.Equal("count", 2), Top = 7, Skip = 3 }));
        Assert.NotSame(first, Compile(Deals with { Filter = Filter.Equal("count", null) }));
        Assert.NotSame(first, Compile(Deals with { Filter = new Filter.Compare("count", FilterOperator.NotEqual, 1) }));
    }


    private CompiledQuery Compile(RecordQuery query, Cursor? after = null, SortPart part = SortPart.All) =>
        QueryCompiler.Compile(AccessView.All(engine.Metadata.Current), query, QueryShape.Of(query, after), after, part);
}
