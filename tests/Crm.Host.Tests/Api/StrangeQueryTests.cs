using System.Text;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Microsoft.AspNetCore.Http;

namespace Crm.Host.Tests.Api;

/// <summary>Queries nobody thought of: they are understood or refused, and never break the request.</summary>
public sealed class StrangeQueryTests
{
    private static readonly string[] Words =
    [
        "title", "seats", "budget", "is_urgent", "close_date", "next_call", "tags", "company", "company/name", "owner_user/name", "id", "stage", "secret", "titel", "eq", "ne", "gt", "lt", "in", "and", "or",
        "not", "has", "add", "mul", "(", ")", ",", "'a'", "''", "'", "null", "true", "false", "1", "-1", "1.5", "1e400", "9999999999999999999999999999999", "INF", "NaN", "2026-11-21", "2026-02-30",
        "2026-11-21T09:30:00Z", "01890a5d-ac96-774b-bcce-b302099a8057", "duration'PT1H'", "12:00:00", "binary'AA'", "geography'POINT(1 1)'", "contains(", "startswith(", "tolower(", "length(", "substring(",
        "year(", "date(", "now()", "cast(", "isof(", "any(t:", "all(t:", "t", "any()", "$it", "$count", "$root", "$this", "/", "*", "@p", "{", "}", "[", "]", "\"", ";", "%", "\u0000", "é", "desc", "asc",
        "groupby((", "aggregate(", "with", "sum", "as", "filter(", "compute(", "$select=", "$expand=", "$levels=max", "$ref", "concat(", "topcount(",
    ];

    private static readonly string[] Options = ["$filter", "$orderby", "$select", "$expand", "$search", "$top", "$skip"];

    [Fact]
    public void Any_row_of_words_is_understood_or_refused()
    {
        var random = new Random(20261121);
        var understood = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder();
            for (var n = random.Next(1, 9); n > 0; n--)
            {
                text.Append(Words[random.Next(Words.Length)]).Append(random.Next(4) == 0 ? "" : " ");
            }

            var option = Options[random.Next(Options.Length)];
            var context = new DefaultHttpContext();
            context.Request.QueryString = new QueryString($"?{option}={Uri.EscapeDataString(text.ToString())}");
            try
            {
                _ = ListRequest.Read(context.Request, ApiModel.Model, ApiModel.Deals, TimeProvider.System);
                understood++;
            }
            catch (ApiException refused)
            {
                Assert.InRange(refused.Error.Status, 400, 499);
            }
            catch (Exception problem)
            {
                Assert.Fail($"{option}={text}: {problem}");
            }
        }

        Assert.True(understood > 100, $"Only {understood} were understood.");
    }

    [Fact]
    public void Any_row_of_words_in_apply_is_understood_or_refused()
    {
        var random = new Random(20261122);
        for (var i = 0; i < 10_000; i++)
        {
            var text = random.Next(2) == 0 ? "groupby((" + Word() + ")," + Word() + "(" + Word() + " with " + Word() + " as " + Word() + "))" : string.Join(' ', Enumerable.Range(0, random.Next(1, 7)).Select(_ => Word()));
            try
            {
                var context = new DefaultHttpContext();
                context.Request.QueryString = QueryString.Create("$apply", text);
                _ = Aggregation.Read(ApiModel.Deals, QueryOptions.Read(context.Request, ApiModel.Model, ApiModel.Deals, Aggregation.Options.AsSpan()), TimeProvider.System).Query;
            }
            catch (ApiException refused)
            {
                Assert.InRange(refused.Error.Status, 400, 499);
            }
            catch (Exception problem)
            {
                Assert.Fail($"$apply={text}: {problem}");
            }
        }

        string Word() => Words[random.Next(Words.Length)];
    }
}
