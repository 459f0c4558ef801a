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
        { "time", "930", new TimeOnly(9, 30) },
        { "time", "9", new TimeOnly(9, 0) },
        { "time", "9h", new TimeOnly(9, 0) },
        { "time", "9.30 pm", new TimeOnly(21, 30) },
        { "time", "12 am", new TimeOnly(0, 0) },
        { "time", "235959", new TimeOnly(23, 59, 59) },
        { "time", "09:30:15.1234567", new TimeOnly(9, 30, 15) },
        { "time", new TimeOnly(9, 30, 15, 400), new TimeOnly(9, 30, 15) },
        { "duration", 90L, 90L },
        { "duration", "1:30", 5400L },
        { "duration", "-0:00:45", -45L },
        { "duration", "90 min", 5400L },
        { "duration", "1h 30m", 5400L },
        { "duration", "1.5h", 5400L },
        { "duration", "2 days", 172_800L },
        { "duration", "PT1H30M", 5400L },
        { "duration", "-PT1M", -60L },
        { "duration", TimeSpan.FromMinutes(1.5), 90L },
        { "rating", "4", 4L },
        { "rating", 0L, null },
        { "colour", "#36C", "#3366cc" },
        { "colour", "A1b2C3", "#a1b2c3" },
        { "geolocation", "52.52000849, 13.404954", new GeoPoint(52.520008m, 13.404954m) },
        { "geolocation", new GeoPoint(-90m, 180m), new GeoPoint(-90m, 180m) },
        { "geolocation", Parts(("latitude", 1L), ("longitude", "2.5")), new GeoPoint(1m, 2.5m) },
        { "geolocation", Parts(("latitude", null), ("longitude", "")), null },
        { "address", Parts(("street", " Main St 1\r\nBack door "), ("city", "Berlin"), ("country", "de")), new Address("Main St 1\nBack door", null, "Berlin", null, "DE") },
        { "address", new Address(City: "Paris"), new Address(City: "Paris") },
        { "address", Parts(("street", " "), ("city", null)), null },
        { "rich_text", "<p>Hello <b>you</b></p>", "<p>Hello <strong>you</strong></p>" },
        { "rich_text", "<p> </p><br>", null },
        { "json", " {\"b\": [1, 2.50],\"a\":null} ", "{\"b\":[1,2.50],\"a\":null}" },
        { "json", Parts(("a", new List<object?> { 1L, "é", true, null })), "{\"a\":[1,\"é\",true,null]}" },
        { "json", "null", null },
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
        { "time", "2400", ErrorCodes.Type },
        { "time", "9:60", ErrorCodes.Type },
        { "time", "13 pm", ErrorCodes.Type },
        { "time", "soon", ErrorCodes.Type },
        { "time", ":", ErrorCodes.Type },
        { "time", 930L, ErrorCodes.Type },
        { "duration", "long", ErrorCodes.Type },
        { "duration", "1:99", ErrorCodes.Type },
        { "duration", "1h 5", ErrorCodes.Type },
        { "duration", "PT", ErrorCodes.Type },
        { "duration", "P99999999999D", ErrorCodes.Type },
        { "duration", "-", ErrorCodes.Type },
        { "duration", 1e18d, ErrorCodes.Type },
        { "rating", 6L, ErrorCodes.Range },
        { "rating", -1L, ErrorCodes.Range },
        { "rating", "2.5", ErrorCodes.Type },
        { "colour", "red; background:url(x)", ErrorCodes.Length },
        { "colour", "#12345", ErrorCodes.Type },
        { "colour", "#ggg", ErrorCodes.Type },
        { "geolocation", "91, 0", ErrorCodes.Type },
        { "geolocation", "52.5", ErrorCodes.Type },
        { "geolocation", Parts(("latitude", 1L), ("longitude", null)), ErrorCodes.Type },
        { "address", "Main St 1, Berlin", ErrorCodes.Type },
        { "address", Parts(("town", "Berlin")), ErrorCodes.Type },
        { "address", Parts(("city", "Ber\nlin")), ErrorCodes.Type },
        { "address", Parts(("postal_code", new string('1', 21))), ErrorCodes.Length },
        { "tags", true, ErrorCodes.Type },
        { "tags", new List<object?> { "a,b" }, ErrorCodes.Type },
        { "tags", new string('x', 51), ErrorCodes.Length },
        { "tags", string.Join(',', Enumerable.Range(1, 51)), ErrorCodes.Length },
        { "rich_text", new string('x', 100_001), ErrorCodes.Length },
        { "rich_text", new string('&', 30_000), ErrorCodes.Length },
        { "json", "{", ErrorCodes.Type },
        { "json", "{\"a\":1,\"a\":2}", ErrorCodes.Type },
        { "json", "[\"\\u0000\"]", ErrorCodes.Type },
        { "json", "[\"\\ud800\"]", ErrorCodes.Type },
        { "json", "{\"\\ud800\":1}", ErrorCodes.Type },
        { "json", "[1e999]", ErrorCodes.Type },
        { "json", new string('[', 40) + new string(']', 40), ErrorCodes.Type },
        { "json", "\"" + new string('x', 100_000) + "\"", ErrorCodes.Length },
        { "user", "nobody", ErrorCodes.Type },
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
            ("date", new DateOnly(2026, 1, 2)), ("lookup", Guid.CreateVersion7()), ("time", new TimeOnly(9, 30)), ("duration", 90L), ("rating", 3L),
            ("geolocation", new GeoPoint(1.5m, -2m)), ("address", new Address(City: "Berlin")), ("json", "{}"), ("user", Guid.CreateVersion7()),
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
    public void Tags_that_differ_in_case_only_are_one()
    {
        var type = Sdk.Fields.Tags;
        Assert.True(type.TryNormalize(FieldOf("tags"), " VIP,press  kit; vip ,,", out var value, out _));
        Assert.Equal(["VIP", "press kit"], Assert.IsType<ImmutableArray<string>>(value).AsEnumerable());
        Assert.True(type.AreEqual(value, ImmutableArray.Create("VIP", "press kit")));

        var columns = new object?[1];
        type.ToColumns(value, columns);
        Assert.True(type.AreEqual(value, type.FromColumns(columns)));
    }

    [Fact]
    public void JSON_is_compared_by_what_it_means()
    {
        Assert.True(Sdk.Fields.Json.AreEqual("{\"a\":1,\"b\":[1.0]}", "{\"b\": [1], \"a\": 1}"));
        Assert.False(Sdk.Fields.Json.AreEqual("[1,2]", "[2,1]"));
        Assert.False(Sdk.Fields.Json.AreEqual("[]", null));
    }

    [Fact]
    public void An_address_given_in_part_keeps_its_other_parts()
    {
        var completed = Sdk.Fields.Address.Complete(Parts(("city", "Paris"), ("region", null)), new Address("Main St 1", "10115", "Berlin", "Berlin", "DE"));
        Assert.True(Sdk.Fields.Address.TryNormalize(FieldOf("address"), completed, out var value, out _));
        Assert.Equal(new Address("Main St 1", "10115", "Paris", null, "DE"), value);
        Assert.Equal("Main St 1, 10115 Paris, DE", value?.ToString());
    }

    [Fact]
    public void A_rating_takes_as_many_stars_as_its_field_says()
    {
        var field = FieldOf("rating") with { Maximum = 10 };
        Assert.True(field.Type.TryNormalize(field, 10L, out _, out _));
        Assert.Empty(field.Type.Problems(field));
        Assert.NotEmpty(field.Type.Problems(field with { Maximum = 11 }));
        Assert.NotEmpty(field.Type.Problems(field with { Minimum = 1 }));
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

    private static Dictionary<string, object?> Parts(params (string Part, object? Value)[] parts) => parts.ToDictionary(p => p.Part, p => p.Value);

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
