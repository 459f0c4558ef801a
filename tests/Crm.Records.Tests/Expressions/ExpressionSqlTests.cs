using Crm.Metadata;
using Crm.Sdk;
using Npgsql;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Expressions;

/// <summary>The database computes what the evaluator computes.</summary>
public sealed class ExpressionSqlTests(Engine engine) : IClassFixture<Engine>
{
    private static readonly string[] Expressions =
    [
        "budget * ratio / 3", "budget / count", "budget - count * 1.5", "-ratio", "10 / 3 * count", "999999999999999999 * count", "ratio / 0.0000000001",
        "round(ratio, 2)", "round(-2.5) + round(ratio)", "abs(ratio) + floor(ratio) + ceil(ratio)", "min(count, ratio)", "max(count, budget, chance)",
        "title & ' / ' & count & ratio & due", "'' & notes", "upper(title)", "lower(title)", "trim(title & '  ')", "len(title)", "left(title, 3)", "right(title, count)", "left(title, -1)",
        "text(ratio)", "text(due)", "contains(title, 'ö')", "contains(notes, '%')", "starts(title, 'Gr')", "ends(title, '''')", "contains(tags, 'a')", "contains(tags, title)",
        "if(budget > 100, 'big', urgent, 'urgent', 'small')", "if(urgent, count, empty)", "coalesce(count, ratio, 5)", "coalesce(kind, stage)",
        "urgent", "not urgent", "urgent and budget > 1", "urgent or count is empty", "urgent = empty", "urgent <> true",
        "kind = 'new'", "kind <> 'new'", "kind in ('new', 'old')", "kind not in ('old')", "stage = 'Lead' and company is empty", "owner = created_by", "budget_currency <> 'EUR'",
        "count < ratio", "count >= 5", "not (count > 3)", "budget = 100", "count in (1, 7)", "due <= date('2026-02-28')", "due in (date('2026-01-31'))",
        "add_days(due, count)", "due - 1", "due + 0.9", "add_months(due, 1)", "add_months(due, count * 1000)", "add_years(due, count)", "add_years(due, -5000)", "add_days(due, budget * 100000)",
        "due - date('2025-12-24')", "year(due) + month(due) + day(due) + weekday(due)", "weekday(add_days(due, 1))", "date(met_at)", "date(met_at) - due",
    ];

    [Fact]
    public async Task The_database_gives_what_the_evaluator_gives()
    {
        Record[] deals =
        [
            await engine.Records.SavedAsync(Values.Deal()),
            await engine.Records.SavedAsync(Values.Deal(
                ("title", "Große Nöte's \\ 😀 x"), ("budget", 123.45m), ("budget_currency", "USD"), ("count", 7), ("ratio", 2.5m), ("urgent", true), ("due", "2026-01-31"),
                ("met_at", "2026-02-28T23:59:59.999Z"), ("kind", "new"), ("tags", new[] { "a", "b" }), ("notes", "100 % 'ok' \\"))),
            await engine.Records.SavedAsync(Values.Deal(
                ("title", "a"), ("budget", 1_000_000), ("count", -3), ("ratio", -0.0001m), ("urgent", false), ("due", "0001-01-01"), ("kind", "old"), ("tags", new[] { "b" }))),
            await engine.Records.SavedAsync(Values.Deal(("title", "İıſß"), ("budget", 0), ("count", 0), ("ratio", 100m), ("due", "9999-12-31"), ("met_at", "2024-02-29T00:00:00Z"))),
        ];
        var snapshot = engine.Metadata.Current;
        var entity = snapshot.Entity("deal");
        var writer = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix));

        var differences = new List<string>();
        foreach (var text in Expressions)
        {
            Assert.True(Expression.TryParse(text, new ExpressionScope(snapshot, entity), out var expression, out var error), error?.Message);
            foreach (var deal in deals)
            {
                var ours = expression.Evaluate(p => p.ValueOf(deal[p.Field.Name]), default);
                var theirs = await AskAsync($"SELECT {writer.Write(expression)} FROM records.deal AS r WHERE r.id = '{deal.Id}'");
                if (!Equals(ours, theirs))
                {
                    differences.Add($"{text} of '{deal["title"]}': evaluator {ours ?? "empty"}, database {theirs ?? "empty"}");
                }
            }
        }

        Assert.Empty(differences);
    }

    private async Task<object?> AskAsync(string sql)
    {
        await using var connection = await engine.Database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return await reader.IsDBNullAsync(0) ? null : reader.GetDataTypeName(0) == "date" ? reader.GetFieldValue<DateOnly>(0) : reader.GetValue(0);
    }
}
