using System.Globalization;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Sdk;
using Microsoft.AspNetCore.Http;

namespace Crm.Host.Tests.Api;

/// <summary>From the address of a request to the question the record service is asked.</summary>
public sealed class QueryTranslationTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";

    [Theory]
    [InlineData("title eq 'Big'", "title Equal 'Big'")]
    [InlineData("'Big' eq title", "title Equal 'Big'")]
    [InlineData("title eq 'O''Neil'", "title Equal 'O'Neil'")]
    [InlineData("title ne null", "title NotEqual null")]
    [InlineData("budget gt 100", "budget Greater 100")]
    [InlineData("100 lt budget", "budget Greater 100")]
    [InlineData("budget ge 12345678901234567.89", "budget GreaterOrEqual 12345678901234567.89")]
    [InlineData("budget le -0.1", "budget LessOrEqual -0.1")]
    [InlineData("weight eq 0.1", "weight Equal 0.1")]
    [InlineData("budget_currency eq 'EUR'", "budget_currency Equal 'EUR'")]
    [InlineData("seats lt 9223372036854775807", "seats Less 9223372036854775807")]
    [InlineData("is_urgent", "is_urgent Equal True")]
    [InlineData("not is_urgent", "not (is_urgent Equal True)")]
    [InlineData("is_urgent eq false", "is_urgent Equal False")]
    [InlineData("close_date ge 2026-11-21", "close_date GreaterOrEqual 2026-11-21")]
    [InlineData("next_call lt 2026-11-21T09:30:00Z", "next_call Less 2026-11-21T09:30:00.0000000+00:00")]
    [InlineData("next_call lt 2026-11-21T09:30:00%2B02:00", "next_call Less 2026-11-21T09:30:00.0000000+02:00")]
    [InlineData("created_at ge 2026-11-21", "created_at GreaterOrEqual 2026-11-21T00:00:00.0000000+00:00")]
    [InlineData("year(close_date) eq 2026", "(close_date GreaterOrEqual 2026-01-01 and close_date Less 2027-01-01)")]
    [InlineData("year(next_call) gt 2026", "next_call GreaterOrEqual 2027-01-01T00:00:00.0000000+00:00")]
    [InlineData("date(next_call) le 2026-11-21", "next_call Less 2026-11-22T00:00:00.0000000+00:00")]
    [InlineData("next_call lt now()", "next_call Less 2026-06-01T12:00:00.0000000+00:00")]
    [InlineData("id eq " + Id, "id Equal " + Id)]
    [InlineData("company_id eq " + Id, "company_id Equal " + Id)]
    [InlineData("company/name eq 'Acme'", "company.name Equal 'Acme'")]
    [InlineData("company/parent/name eq 'Acme'", "company.parent.name Equal 'Acme'")]
    [InlineData("company eq null", "company_id Equal null")]
    [InlineData("owner_user/name eq 'Anna'", "owner.name Equal 'Anna'")]
    [InlineData("owner eq " + Id, "owner Equal " + Id)]
    [InlineData("contains(title,'big')", "title Contains 'big'")]
    [InlineData("contains(tolower(title),'big')", "title Contains 'big'")]
    [InlineData("contains(tolower(title),tolower('BIG'))", "title Contains 'BIG'")]
    [InlineData("startswith(company/name,'A')", "company.name StartsWith 'A'")]
    [InlineData("endswith(title,'g') eq true", "title EndsWith 'g'")]
    [InlineData("tolower(title) eq 'big'", "title EqualAnyCase 'big'")]
    [InlineData("'big' eq tolower(company/name)", "company.name EqualAnyCase 'big'")]
    [InlineData("tolower(title) eq 'Big'", "()")]
    [InlineData("toupper(title) ne tolower('Big')", "not (title EqualAnyCase 'Big')")]
    [InlineData("not contains(title,'big')", "not (title Contains 'big')")]
    [InlineData("contains(title,'big') eq false", "not (title Contains 'big')")]
    [InlineData("stage in ('open','won')", "stage in ('open', 'won')")]
    [InlineData("seats in (1,2,3)", "seats in (1, 2, 3)")]
    [InlineData("company_id in (" + Id + ")", "company_id in (" + Id + ")")]
    [InlineData("title eq 'a' and seats eq 1 and is_urgent", "(title Equal 'a' and seats Equal 1 and is_urgent Equal True)")]
    [InlineData("title eq 'a' or title eq 'b' and seats eq 1", "(title Equal 'a' or (title Equal 'b' and seats Equal 1))")]
    [InlineData("tags/any(t: t eq 'hot')", "tags Contains 'hot'")]
    [InlineData("tags/any(t: t eq 'hot' or t eq 'cold')", "(tags Contains 'hot' or tags Contains 'cold')")]
    [InlineData("tags/any(t: t in ('hot','cold'))", "(tags Contains 'hot' or tags Contains 'cold')")]
    public void A_filter_becomes_a_condition(string filter, string expected) =>
        Assert.Equal(expected, Show(Read("$filter=" + Encode(filter)).Query.Filter!));

    [Theory]
    [InlineData("$filter=title eq", "$filter")]
    [InlineData("$filter=titel eq 'x'", "$filter", "titel")]
    [InlineData("$filter=secret eq 'x'", "$filter", "secret")]
    [InlineData("$filter=seats eq 'x'", "$filter")]
    [InlineData("$filter=close_date gt 'yesterday'", "$filter")]
    [InlineData("$filter=title eq 'x", "$filter")]
    [InlineData("$filter=title eq 'x') or (1 eq 1", "$filter")]
    [InlineData("$filter=length(title) gt 3", null)]
    [InlineData("$filter=seats add 1 gt 3", null)]
    [InlineData("$filter=title eq notes", null)]
    [InlineData("$filter=tolower(title) gt 'x'", null, "tolower")]
    [InlineData("$filter=tags/all(t: t eq 'hot')", null)]
    [InlineData("$filter=year(close_date) eq 99999", null)]
    [InlineData("$filter=title/any(t: t eq 'x')", "$filter")]
    [InlineData("$orderby=titel", "$orderby", "titel")]
    [InlineData("$orderby=title sideways", "$orderby")]
    [InlineData("$orderby=length(title)", "$orderby")]
    [InlineData("$select=titel", "$select", "titel")]
    [InlineData("$select=secret", "$select", "secret")]
    [InlineData("$expand=companies", "$expand", "companies")]
    [InlineData("$expand=company($expand=parent($expand=parent($expand=parent)))", "$expand")]
    [InlineData("$expand=company($filter=name eq 'x')", "$expand")]
    [InlineData("$expand=company($levels=3)", "$expand")]
    [InlineData("$expand=company/$ref", "$expand")]
    [InlineData("$top=-1", "$top")]
    [InlineData("$top=many", "$top")]
    [InlineData("$skip=1.5", "$skip")]
    [InlineData("$count=maybe", "$count")]
    [InlineData("$search=", "$search")]
    [InlineData("$search=a OR b", "$search")]
    [InlineData("$fliter=title eq 'x'", "$fliter")]
    [InlineData("$top=1&$top=2", "$top")]
    [InlineData("$compute=seats as x", "$compute")]
    [InlineData("$filter=title eq @t&@t='x'", "@t")]
    public void A_query_that_cannot_be_read_is_refused_with_the_name_at_fault(string query, string? target, string? named = null)
    {
        var error = Assert.Throws<ApiException>(() => Read(Encode(query).Replace("%3D", "=", StringComparison.Ordinal).Replace("%26", "&", StringComparison.Ordinal))).Error;
        Assert.Equal(400, error.Status);
        Assert.Equal(ErrorCodes.BadRequest, error.Code);
        if (target is not null)
        {
            Assert.Equal(target, error.Target);
        }

        Assert.Contains(named ?? "", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused_and_a_long_chain_becomes_one_flat_list()
    {
        var deep = "$filter=" + new string('(', 2000) + "is_urgent" + new string(')', 2000);
        var negated = "$filter=" + string.Concat(Enumerable.Repeat("not ", 1500)) + "is_urgent";
        var chain = "$filter=" + string.Join(" or ", Enumerable.Repeat("is_urgent", 600));
        Assert.Equal(600, Assert.IsType<Filter.Any>(Read(chain.Replace(" ", "+", StringComparison.Ordinal)).Query.Filter).Filters.Length);
        foreach (var query in new[] { deep, negated })
        {
            Assert.Equal(400, Assert.Throws<ApiException>(() => Read(query.Replace(" ", "+", StringComparison.Ordinal))).Error.Status);
        }

        Assert.Equal(414, Assert.Throws<ApiException>(() => Read("$filter=title+eq+'" + new string('x', 9000) + "'")).Error.Status);
    }

    [Fact]
    public void A_list_asks_for_one_page_and_no_more_than_it_writes()
    {
        var query = Read("").Query;
        Assert.Equal((ListRequest.DefaultPage, 0, false), (query.Top, query.Skip, query.Count));
        Assert.Empty(query.Select);

        query = Read("$select=title,budget_currency&$expand=company($select=name),owner_user&$orderby=company/name%20desc,title&$top=5000&$skip=20&$count=true&$search=%22blue%20green%22%20AND%20red").Query;
        Assert.Equal((RecordQuery.MaxTop, 20, true, "blue green red"), (query.Top, query.Skip, query.Count, query.Search));
        Assert.Equal([new Sort("company.name", true), new Sort("title")], query.Sort.AsEnumerable());
        Assert.Equal(["title", "budget", "company.id", "company.name", "owner.id", "owner.name", "owner.email", "owner.manager"], query.Select.Take(8));
    }

    [Fact]
    public void Names_of_options_may_come_without_the_dollar_sign() =>
        Assert.Equal("seats Equal 3", Show(Read("filter=seats+eq+3&top=5").Query.Filter!));

    private static string Encode(string text) => text.Contains('%', StringComparison.Ordinal) ? text.Replace(" ", "%20", StringComparison.Ordinal) : Uri.EscapeDataString(text);

    private static ListRequest Read(string query)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(query.Length == 0 ? "" : "?" + query);
        return ListRequest.Read(context.Request, ApiModel.Model, ApiModel.Deals, new FixedTime());
    }

    private static string Show(Filter filter) => filter switch
    {
        Filter.All all => "(" + string.Join(" and ", all.Filters.Select(Show)) + ")",
        Filter.Any any => "(" + string.Join(" or ", any.Filters.Select(Show)) + ")",
        Filter.Not not => $"not ({Show(not.Filter)})",
        Filter.Compare compare => $"{compare.Path} {compare.Operator} {Show(compare.Value)}",
        Filter.In list => $"{list.Path} in ({string.Join(", ", list.Values.Select(Show))})",
        _ => throw new InvalidOperationException(filter.ToString()),
    };

    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => $"'{text}'",
        DateTimeOffset instant => instant.ToString("O", CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("O", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    }
}
