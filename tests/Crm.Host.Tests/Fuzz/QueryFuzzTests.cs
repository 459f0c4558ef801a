using Crm.Host.Tests.Api;

namespace Crm.Host.Tests.Fuzz;

/// <summary>Queries nobody thought of, sent to the running host down to the database: answered or refused with a reason, and nothing is written.</summary>
public sealed class QueryFuzzTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private static readonly string[] Sets = ["x_deals", "x_deals", "x_deals", "x_deals", "x_deals", "x_deals", "x_firms", "contacts", "companies", "users", "notes"];

    private static readonly string[] Paths =
    [
        "title", "code", "notes", "email", "seats", "weight", "budget", "budget_currency", "urgent", "close_date", "next_call", "source", "tags", "firm", "firm_id", "firm/name", "firm/owner_user/name", "stage", "number",
        "id", "version", "created_at", "modified_by", "owner", "owner_user/name", "name", "revenue", "last_name", "phones", "company/name", "x_deals", "secret", "about_id", "text", "$it", "is_active",
    ];

    // What fits together, so that many a query gets as far as the database.
    private static readonly (string[] Paths, string[] Literals)[] Fitting =
    [
        (["title", "code", "notes", "email", "number", "firm/name", "owner_user/name"], ["'a'", "''", "'100%25 _ \\ '''", "'\u0001'", "'\ud83d\ude00'", "null"]),
        (["seats", "weight", "budget", "version", "firm/revenue"], ["0", "-1", "1.5", "9223372036854775807", "79228162514264337593543950335", "null"]),
        (["close_date"], ["2026-11-21", "0001-01-01", "9999-12-31", "null"]),
        (["next_call", "created_at", "firm/modified_at"], ["2026-11-21T09:30:00Z", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00%2B14:00", "now()"]),
        (["id", "firm_id", "owner", "created_by"], ["01890a5d-ac96-774b-bcce-b302099a8057", "00000000-0000-0000-0000-000000000000"]),
        (["stage", "source"], ["'won'", "'web'", "'nothing'", "null"]),
        (["urgent", "is_active"], ["true", "false", "null"]),
    ];

    private static readonly string[] Literals =
    [
        "'a'", "''", "'100% _ \\ '''", "'\u0001'", "'\ud83d\ude00'", "null", "true", "0", "-1", "1.5", "1e308", "9223372036854775807", "99999999999999999999", "79228162514264337593543950335", "INF", "NaN", "2026-11-21", "0001-01-01",
        "9999-12-31", "2026-11-21T09:30:00Z", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00%2B14:00", "12:00:00", "24:00:00", "duration'P99999999D'", "01890a5d-ac96-774b-bcce-b302099a8057", "'won'", "'hot'", "now()", "[1,2]", "{}",
    ];

    private static readonly string[] Splinters = ["'", "(", ")", ",", "/", "$", " eq ", " and ", "%00", "%EF%BF%BF", "%ED%A0%80", ";", "--", "\"", "\\", "*", "@p", " desc", "any(", "null", "é", "+", "%", "&", "#", "?", " "];

    private static readonly (string, string)[] Headers =
    [
        ("Prefer", "maxpagesize=0"), ("Prefer", "odata.maxpagesize=-5,return=minimal;x"), ("Prefer", "=;,"), ("If-None-Match", "W/\"x\", \""), ("If-None-Match", "*"), ("OData-MaxVersion", "3.0"), ("OData-Version", ";"),
        ("Accept", "application/json;q=zwei;odata.metadata=full"), ("Accept-Language", "xx-yy-zz;q=9"), ("Accept-Charset", "utf-7"), ("X-Forwarded-Host", "evil.example"), ("X-HTTP-Method-Override", "DELETE"),
    ];

    private readonly Chance chance = Chance.For(nameof(QueryFuzzTests));

    [Fact]
    public async Task Any_query_is_answered_or_refused()
    {
        await crm.CreateAsync("x_deals", """{"title":"A deal","seats":3,"tags":["hot"],"budget":5,"close_date":"2026-11-21"}""");
        var state = new DatabaseState(crm.Crm.ConnectionString);
        var before = await state.ReadAsync();
        var answered = 0;
        var faults = new List<string>();
        var runs = Chance.Runs(1500);
        for (var i = 0; i < runs; i++)
        {
            var path = Path();
            var answer = await crm.GetAsync(path, chance.OneIn(6) ? [chance.Of(Headers)] : []);
            if ((int)answer.Status >= 500 || ((int)answer.Status >= 400 && (string.IsNullOrEmpty(answer.Code) || string.IsNullOrEmpty(answer.Json["error"]!["message"]!.ToString()))))
            {
                faults.Add($"{path}: {answer}");
            }

            answered += (int)answer.Status < 400 ? 1 : 0;
        }

        Assert.True(faults.Count == 0, string.Join("\n\n", faults.Take(5)));

        Assert.Equal(before, await state.ReadAsync());
        // Most would be refused at the first word if what is sent made no sense at all.
        Assert.InRange(answered, runs / 10, runs);
    }

    private string Path()
    {
        var set = chance.Of(Sets);
        var options = new List<string>();
        for (var n = 1 + chance.Next(2); n > 0; n--)
        {
            options.Add(chance.Next(12) switch
            {
                0 or 1 or 2 or 3 or 4 => "$filter=" + Condition(0),
                5 => "$orderby=" + string.Join(',', Some(3, () => (chance.OneIn(4) ? Value(1) : chance.Of(chance.Of(Fitting).Paths)) + chance.Of("", " desc", " asc"))),
                6 => "$select=" + string.Join(',', Some(4, () => chance.Of(Paths))),
                7 => "$expand=" + string.Join(',', Some(2, () => chance.Of("firm", "owner_user", chance.Of(Paths)) + chance.Of("", "", "($select=name)", "($expand=owner_user)", "($filter=name eq 'a')", "($levels=max)", "/$ref"))),
                8 => "$apply=" + chance.Of($"filter({Condition(0)})/", "") + $"groupby(({chance.Of(Paths)}),aggregate({chance.Of(Paths)} with {chance.Of("sum", "min", "max", "average", "countdistinct", "first")} as x))",
                9 => "$search=" + chance.Of("a", "\"a b\"", "NOT a", "(", "%25_\\", "' or 1=1", "%00", new string('a', 300), "a b c d e f g h i j k l"),
                10 => chance.Of("$top=", "$skip=", "$count=", "$skiptoken=", "$format=", "$compute=") + chance.Of("0", "1", "-1", "true", "99999999999", "AAAA", "json", "xml", "%00", "1e3"),
                _ => chance.Of("x=1", "$filter", "=", "&", "$top=1", "@p=1"),
            });
        }

        var query = string.Join('&', options);
        return "odata/v4/" + set + (chance.OneIn(8) ? chance.Of("/$count", "(01890a5d-ac96-774b-bcce-b302099a8057)", "/nothing", "('a')") : "") + "?" + (chance.OneIn(3) ? chance.Damage(query, Splinters) : query);
    }

    private List<string> Some(int most, Func<string> one) => [.. Enumerable.Range(0, 1 + chance.Next(most)).Select(_ => one())];

    private string Condition(int depth) => chance.Next(depth > 4 ? 12 : 20) switch
    {
        < 9 => Fits(chance.Of(Fitting)),
        9 => $"{Value(depth)} {chance.Of("eq", "ne", "gt", "ge", "lt", "le", "has")} {Value(depth)}",
        10 => $"{chance.Of("contains", "startswith", "endswith", "matchesPattern", "crm.matches", "crm.during")}({chance.Of(Paths)},{chance.Of(Literals)})",
        11 => chance.Of("true", "crm.mine(owner)", "urgent", "isof(firm)", "null"),
        < 16 => $"({Condition(depth + 1)}) {chance.Of("and", "or")} ({Condition(depth + 1)})",
        < 18 => $"not ({Condition(depth + 1)})",
        _ => $"{chance.Of("tags", "phones", chance.Of(Paths))}/{chance.Of("any", "all")}({chance.Of("t: t eq 'hot'", "d: d/title eq 'a'", "p: p/value eq '+49 30'", "p: " + Condition(depth + 1), "")})",
    };

    private string Fits((string[] Paths, string[] Literals) kind) => chance.Next(4) switch
    {
        0 => $"{chance.Of(kind.Paths)} in ({string.Join(',', Some(4, () => chance.Of(kind.Literals)))})",
        1 when kind == Fitting[0] => $"{chance.Of("contains", "startswith", "endswith")}({chance.Of(kind.Paths)},{chance.Of(kind.Literals)})",
        _ => $"{chance.Of(kind.Paths)} {chance.Of("eq", "ne", "gt", "ge", "lt", "le")} {chance.Of(kind.Literals)}",
    };

    private string Value(int depth) => chance.Next(depth > 2 ? 2 : 4) switch
    {
        0 => chance.Of(Paths),
        1 => chance.Of(Literals),
        2 => $"{chance.Of("tolower", "year", "month", "date", "length", "trim", "round", "hour", "substring", "concat", "cast", "indexof")}({Value(depth + 1)})",
        _ => $"{Value(depth + 1)} {chance.Of("add", "sub", "mul", "div", "mod")} {Value(depth + 1)}",
    };
}
