using System.Collections.Immutable;

namespace Crm.Sdk.Tests;

public sealed class FieldTypeTests
{
    public static TheoryData<string, object, object?> Accepted => new()
    {
        { "text", "  Acme ", "Acme" },
        { "text", 42L, "42" },
        { "text", "   ", null },
        { "long_text", "one\r\ntwo  ", "one\ntwo" },
        { "email", "Ann.Lee@EXAMPLE.com", "Ann.Lee@example.com" },
        { "phone", " +49 (30) 901820-12 ", "+49 (30) 901820-12" },
        { "url", "example.com/path", "https://example.com/path" },
        { "url", "http://example.com", "http://example.com" },
        { "integer", "1,234", 1234L },
        { "integer", 7.0d, 7L },
        { "integer", 12m, 12L },
        { "decimal", "12.345", 12.35m },
        { "decimal", "-12.345", -12.35m },
        { "percent", "50 %", 50m },
        { "yes_no", "Yes", true },
        { "yes_no", 0L, false },
        { "date", "2017-03-01", new DateOnly(2017, 3, 1) },
        { "date", "01/03/2017", new DateOnly(2017, 3, 1) },
        { "date", "1.3.2017", new DateOnly(2017, 3, 1) },
        { "date_time", "2026-11-21T10:30:00+01:00", new DateTimeOffset(2026, 11, 21, 9, 30, 0, TimeSpan.Zero) },
        { "money", 1054L, new Money(1054m, "EUR") },
        { "money", "1,054.005 usd", new Money(1054.01m, "USD") },
        { "money", "USD 1000", new Money(1000m, "USD") },
        { "choice", "second", "second" },
        { "choice", "FIRST choice", "first" },
        { "stage", "Open", "open" },
    };

    public static TheoryData<string, object, string> Refused => new()
    {
        { "text", new string('x', 256), ErrorCodes.Length },
        { "text", "two\nlines", ErrorCodes.Type },
        { "text", "nul\0byte", ErrorCodes.Type },
        { "text", true, ErrorCodes.Type },
        { "email", "not an address", ErrorCodes.Type },
        { "email", "a@b", ErrorCodes.Type },
        { "email", "Ann <ann@example.com>", ErrorCodes.Type },
        { "email", "a@example.com\r\nBcc: b@example.com", ErrorCodes.Type },
        { "phone", "call me", ErrorCodes.Type },
        { "phone", "49+30", ErrorCodes.Type },
        { "url", "javascript:alert(1)", ErrorCodes.Type },
        { "url", "data:text/html,x", ErrorCodes.Type },
        { "url", "https://exa mple.com", ErrorCodes.Type },
        { "integer", "12.5", ErrorCodes.Type },
        { "integer", 1e30d, ErrorCodes.Type },
        { "integer", double.NaN, ErrorCodes.Type },
        { "decimal", "abc", ErrorCodes.Type },
        { "decimal", 101m, ErrorCodes.Range },
        { "yes_no", "maybe", ErrorCodes.Type },
        { "date", "2017-02-30", ErrorCodes.Type },
        { "date", 20170301L, ErrorCodes.Type },
        { "date_time", "2026-11-21T10:30:00", ErrorCodes.Type },
        { "money", "12 EURO", ErrorCodes.Type },
        { "money", "ten", ErrorCodes.Type },
        { "choice", "third", ErrorCodes.Unknown },
        { "multi_choice", "first;third", ErrorCodes.Unknown },
        { "stage", "gone", ErrorCodes.Unknown },
        { "lookup", "not-an-id", ErrorCodes.Type },
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Input_becomes_the_value_that_is_stored(string type, object input, object? expected)
    {
        Assert.True(Sdk.Fields.All[type].TryNormalize(FieldOf(type), input, out var value, out var error), error?.Message);
        Assert.Equal(expected, value);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Input_that_cannot_be_stored_is_refused_with_a_code_and_the_label(string type, object input, string code)
    {
        Assert.False(Sdk.Fields.All[type].TryNormalize(FieldOf(type), input, out _, out var error));
        Assert.Equal(code, error.Code);
        Assert.Contains("Sample", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_year_is_shown_without_separators_and_other_numbers_with()
    {
        var culture = System.Globalization.CultureInfo.GetCultureInfo("en-GB");
        Assert.Equal("12,345", Sdk.Fields.Integer.Format(FieldOf("integer"), 12_345L, culture));
        Assert.Equal("1996", Sdk.Fields.Integer.Format(FieldOf("integer") with { Minimum = 1000, Maximum = 2999 }, 1996L, culture));
    }

    [Fact]
    public void Every_value_survives_its_columns()
    {
        (string Type, object Value)[] values =
        [
            ("text", "x"), ("integer", 5L), ("decimal", 1.5m), ("money", new Money(9.99m, "USD")), ("yes_no", true),
            ("date", new DateOnly(2026, 1, 2)), ("lookup", Guid.CreateVersion7()),
        ];
        foreach (var (name, value) in values)
        {
            var type = Sdk.Fields.All[name];
            var columns = new object?[type.Columns.Length];
            type.ToColumns(value, columns);
            Assert.Equal(value, type.FromColumns(columns));
            type.ToColumns(null, columns);
            Assert.Null(type.FromColumns(columns));
        }
    }

    [Fact]
    public void Multi_choice_keeps_each_choice_once_in_the_order_given()
    {
        var type = Sdk.Fields.MultiChoice;
        Assert.True(type.TryNormalize(FieldOf("multi_choice"), "second, first; second", out var value, out _));
        var chosen = Assert.IsType<ImmutableArray<string>>(value);
        Assert.Equal(["second", "first"], chosen.AsEnumerable());
        Assert.True(type.AreEqual(chosen, ImmutableArray.Create("second", "first")));
        Assert.False(type.AreEqual(chosen, ImmutableArray.Create("first", "second")));

        var columns = new object?[1];
        type.ToColumns(value, columns);
        Assert.Equal(["second", "first"], Assert.IsType<ImmutableArray<string>>(type.FromColumns(columns)).AsEnumerable());
    }

    [Fact]
    public void An_amount_without_currency_takes_the_one_of_the_field()
    {
        var field = FieldOf("money") with { Currency = "CHF" };
        Assert.True(field.Type.TryNormalize(field, new Dictionary<string, object?> { ["amount"] = "12" }, out var value, out _));
        Assert.Equal(new Money(12m, "CHF"), value);
    }

    [Theory]
    [InlineData("choice")]
    [InlineData("multi_choice")]
    [InlineData("stage")]
    [InlineData("lookup")]
    [InlineData("auto_number")]
    public void A_definition_without_the_options_its_type_needs_has_problems(string type)
    {
        var field = new FieldDefinition { Name = "sample", Label = "Sample", Origin = Origins.Custom, Type = Sdk.Fields.All[type] };
        Assert.NotEmpty(field.Type.Problems(field));
    }

    private static FieldDefinition FieldOf(string type) => new()
    {
        Name = "sample",
        Label = "Sample",
        Origin = Origins.Custom,
        Type = Sdk.Fields.All[type],
        Maximum = type == "decimal" ? 100 : null,
        Choices = [new("first", "First choice"), new("second", "Second choice")],
        Stages = new StagesDefinition([new("open", "Open", StageKind.Open, 10)], []),
    };
}
