using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Crm.Sdk.Tests.Expressions;

public sealed class ExpressionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 23, 30, 0, TimeSpan.Zero);

    private static readonly Guid Owner = Guid.CreateVersion7();

    private static readonly EntityDefinition Company = Entity("company", Field("name", Fields.Text), Field("country", Fields.Text));

    private static readonly EntityDefinition Deal = Entity(
        "deal",
        Field("title", Fields.Text),
        Field("count", Fields.Integer),
        Field("rate", Fields.Decimal),
        Field("budget", Fields.Money),
        Field("urgent", Fields.YesNo),
        Field("due", Fields.Date),
        Field("met_at", Fields.DateTime),
        Field("kind", Fields.Choice) with { Choices = [new ChoiceDefinition("new", "Brand new"), new ChoiceDefinition("old", "Old")] },
        Field("tags", Fields.MultiChoice) with { Choices = [new ChoiceDefinition("a", "A"), new ChoiceDefinition("b", "B")] },
        Field("company", Fields.LookupType) with { Target = "company" },
        Field("owner", Fields.Owner),
        Field("nothing", Fields.Decimal),
        Field("secret", Fields.Text) with { IsHidden = true });

    private static readonly Dictionary<string, object?> Values = new()
    {
        ["title"] = "Große Nöte 😀",
        ["count"] = 7L,
        ["rate"] = 2.50m,
        ["budget"] = new Money(1000, "EUR"),
        ["urgent"] = true,
        ["due"] = new DateOnly(2026, 1, 31),
        ["met_at"] = new DateTimeOffset(2026, 3, 1, 23, 0, 0, TimeSpan.Zero),
        ["kind"] = "new",
        ["tags"] = ImmutableArray.Create("a"),
        ["owner"] = Owner,
        ["company.country"] = "DE",
    };

    private static ExpressionScope Scope { get; } = new(
        new MetadataSnapshot(1, new[] { Company, Deal }.ToFrozenDictionary(e => e.Name), []), Deal);

    [Theory]
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("10 - 4 - 3", "3")]
    [InlineData("-2 * -3", "6")]
    [InlineData("budget * rate / 100", "25")]
    [InlineData("10 / 3 * 3", "9.9999999999")]
    [InlineData("budget / 0", null)]
    [InlineData("budget + nothing", null)]
    [InlineData("budget + coalesce(nothing, 1)", "1001")]
    [InlineData("999999999999999999 * 2", null)]
    [InlineData("1000000000000000000 * 1000000000000000000", null)]
    [InlineData("round(2.5) + round(-2.5)", "0")]
    [InlineData("round(1.005, 2)", "1.01")]
    [InlineData("min(count, rate) + max(count, nothing)", "9.5")]
    [InlineData("title & \" / \" & count & nothing", "Große Nöte 😀 / 7")]
    [InlineData("rate & ''", "2.5")]
    [InlineData("empty & ''", null)]
    [InlineData("upper(title)", "GROSSE NÖTE 😀")]
    [InlineData("len(title)", "12")]
    [InlineData("right(title, 1) & left(title, 0)", "😀")]
    [InlineData("\"say \"\"hi\"\"\"", "say \"hi\"")]
    [InlineData("if(budget > 5000, 'big', budget > 500, 'middle', 'small')", "middle")]
    [InlineData("if(nothing > 1, 'a', 'b')", "b")]
    [InlineData("nothing = empty and nothing <> 1 and not (nothing < 1)", "True")]
    [InlineData("kind = 'Brand new'", "True")]
    [InlineData("kind in ('old', 'new') and kind not in ('old')", "True")]
    [InlineData("contains(tags, 'a') and not contains(tags, 'b')", "True")]
    [InlineData("contains(title, 'Nöte') and starts(title, 'Gr') and ends(title, '😀')", "True")]
    [InlineData("company.country = 'DE' or urgent is empty", "True")]
    [InlineData("company is empty and owner is not empty", "True")]
    [InlineData("budget_currency", "EUR")]
    [InlineData("add_months(due, 1)", "2026-02-28")]
    [InlineData("add_years(due, -1)", "2025-01-31")]
    [InlineData("due + 30", "2026-03-02")]
    [InlineData("today() - due", "294")]
    [InlineData("date(met_at)", "2026-03-01")]
    [InlineData("due < date('2026-02-01')", "True")]
    [InlineData("add_days(due, 9000000)", null)]
    [InlineData("year(due) * 100 + month(due) + weekday(due) / 10", "202601.6")]
    [InlineData("BUDGET", "1000")]
    public void It_gives_the_value(string text, string? expected)
    {
        Assert.True(Expression.TryParse(text, Scope, out var expression, out var error), error?.Message);

        var value = expression.Evaluate(p => p.ValueOf(Values.GetValueOrDefault(p.Text.Replace("_currency", "", StringComparison.Ordinal))), Now);

        Assert.Equal(expected, value switch
        {
            DateOnly date => date.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            decimal number => number.ToString("0.############", System.Globalization.CultureInfo.InvariantCulture),
            _ => value?.ToString(),
        });
    }

    [Theory]
    [InlineData("budgt * 2", 1, "no visible field 'budgt'")]
    [InlineData("1 + secret", 5, "no visible field 'secret'")]
    [InlineData("company.nowhere", 1, "company.nowhere")]
    [InlineData("budget + title", 8, "a number, a text")]
    [InlineData("if(budget, 1, 2)", 1, "if(condition, value, …, otherwise)")]
    [InlineData("if(urgent, 1, 'a')", 1, "if(")]
    [InlineData("title < 'b'", 7, "a text, a text")]
    [InlineData("kind = 'nwe'", 8, "no choice 'nwe'")]
    [InlineData("sqrt(4)", 1, "no function 'sqrt'")]
    [InlineData("System.Diagnostics.Process.Start('x')", 1, "no function")]
    [InlineData("(1 + 2", 7, "')' is missing")]
    [InlineData("1 2", 3, "'2' is not expected")]
    [InlineData("1 +", 4, "ends too early")]
    [InlineData("", 1, "ends too early")]
    [InlineData("'abc", 1, "no closing quote")]
    [InlineData("1.2.3", 1, "is no number")]
    [InlineData("count # 2", 7, "'#'")]
    [InlineData("date('soon') < due", 6, "is no date")]
    [InlineData("count is 5", 10, "'empty' is expected")]
    [InlineData("in", 1, "no visible field 'in'")]
    [InlineData("count not", 7, "'not' is not expected")]
    public void What_is_wrong_is_said_with_its_place(string text, int position, string message)
    {
        Assert.False(Expression.TryParse(text, Scope, out _, out var error));
        Assert.Equal(position, error.Position);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"At character {position}", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Hostile => new(
        new string('(', 3999),
        string.Concat(Enumerable.Repeat("not ", 900)) + "urgent",
        string.Concat(Enumerable.Repeat("-", 3990)) + "1",
        string.Join('+', Enumerable.Repeat("1", 2000)),
        string.Join('&', Enumerable.Repeat("title", 600)),
        string.Concat(Enumerable.Repeat("if(urgent,1,", 300)),
        new string('1', 4000),
        new string('x', 5000),
        "'\0'",
        "\ud83d\ude00");

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Hostile_texts_are_refused_without_exhausting_the_stack(string text)
    {
        Assert.False(Expression.TryParse(text, Scope, out _, out var error));
        Assert.InRange(error.Position, 1, Expression.MaxLength + 1);
    }

    [Fact]
    public void Half_a_character_is_no_text() => Assert.False(Expression.TryParse("'" + (char)0xd800 + "'", Scope, out _, out _));

    [Fact]
    public void What_is_stored_must_not_depend_on_the_day()
    {
        Assert.False(Expression.TryParse("today() - due", Scope with { AllowsNow = false }, out _, out var error));
        Assert.Contains("today()", error.Message, StringComparison.Ordinal);
        Assert.False(Expression.TryParse("company.name", Scope with { MaxLookups = 0 }, out _, out error));
        Assert.Contains("another record", error.Message, StringComparison.Ordinal);
    }

    private static EntityDefinition Entity(string name, params ImmutableArray<FieldDefinition> fields) =>
        new() { Name = name, Origin = "test", Label = Names.ToLabel(name), PluralLabel = Names.ToPlural(name), SetName = Names.ToPlural(name), Fields = fields };

    private static FieldDefinition Field(string name, FieldType type) => new() { Name = name, Type = type, Origin = "test", Label = Names.ToLabel(name) };
}
