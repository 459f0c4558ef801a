using System.Globalization;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Tests.Forms;

public sealed class FieldTextTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("en-GB", "21/11/2026", "2026-11-21")]
    [InlineData("en-US", "03/04/2026", "2026-04-03")]
    [InlineData("de-DE", "3.4.2026", "2026-04-03")]
    [InlineData("en-GB", "3/4/26", "2026-04-03")]
    [InlineData("en-GB", "21112026", "2026-11-21")]
    [InlineData("en-GB", "2026-11-21", "2026-11-21")]
    [InlineData("en-GB", "21 Nov 2026", "2026-11-21")]
    [InlineData("de-DE", "21. Dezember 2026", "2026-12-21")]
    [InlineData("en-GB", "21/11", "2026-11-21")]
    public void PLT_30_A_date_may_be_typed_day_first_in_every_culture(string culture, string typed, string expected) =>
        Assert.Equal(DateOnly.Parse(expected, CultureInfo.InvariantCulture), Read(culture, Fields.Date, FieldParts.Of(typed)));

    [Fact]
    public void Several_values_are_read_back_as_they_were_written_without_empty_rows()
    {
        var rows = SeveralRows.Write([("a", "030 901820"), ("b", ""), ("b", "0171 1234567")]);
        var value = Read("en-GB", Fields.Phones, rows);
        Assert.Equal([("a", "030 901820"), ("b", "0171 1234567")], SeveralRows.Read(Text("en-GB").Write(Field(Fields.Phones), value)));
        Assert.Null(Read("en-GB", Fields.Phones, SeveralRows.Write([("a", " ")])));
        Assert.Equal(FieldParts.Empty, SeveralRows.Write([]));
        Assert.Contains("Row 3", Refuse("en-GB", Fields.Phones, rows.With("2.value", "no number")), StringComparison.Ordinal);
        // A draft says what rows are left; those of the record behind them are gone.
        Assert.Equal([("a", "030 901820")], SeveralRows.Read(rows.With(SeveralRows.Count, "1")));
        Assert.Equal(SeveralType.MaxValues + 1, SeveralRows.Read(FieldParts.Empty.With(SeveralRows.Count, "999999999")).Count());
        Assert.Empty(SeveralRows.Read(FieldParts.Empty.With(SeveralRows.Count, "-1")));
    }

    [Theory]
    [InlineData("31/02/2026")]
    [InlineData("11/21/2026")]
    [InlineData("soon")]
    public void A_date_that_does_not_exist_is_refused(string typed) => Assert.Contains("date", Refuse("en-US", Fields.Date, FieldParts.Of(typed)), StringComparison.Ordinal);

    [Theory]
    [InlineData("en-US")]
    [InlineData("en-GB")]
    [InlineData("de-DE")]
    [InlineData("sv-SE")]
    [InlineData("ja-JP")]
    public void A_date_is_read_back_as_it_was_written(string culture)
    {
        var field = Field(Fields.Date);
        var text = Text(culture);
        var date = new DateOnly(2026, 4, 3);
        Assert.True(text.TryRead(field, text.Write(field, date), out var value, out _));
        Assert.Equal(date, value);
    }

    [Theory]
    [InlineData("0930", "09:30")]
    [InlineData("930", "09:30")]
    [InlineData("9", "09:00")]
    [InlineData("2359", "23:59")]
    [InlineData("9:30 pm", "21:30")]
    [InlineData("12am", "00:00")]
    [InlineData("17h45", "17:45")]
    [InlineData("9.05", "09:05")]
    public void PLT_31_A_time_may_be_typed_as_bare_digits(string typed, string expected)
    {
        var field = Field(Fields.DateTime);
        var text = Text("en-GB");
        var parts = FieldParts.Empty.With(FieldParts.Date, "21/11/2026").With(FieldParts.Time, typed);
        Assert.True(text.TryRead(field, parts, out var value, out _));
        Assert.Equal(expected, text.Write(field, value)[FieldParts.Time]);
    }

    [Theory]
    [InlineData("24:00")]
    [InlineData("0975")]
    [InlineData("13pm")]
    [InlineData("now")]
    [InlineData("")]
    public void A_time_that_does_not_exist_is_refused(string typed) =>
        Refuse("en-GB", Fields.DateTime, FieldParts.Empty.With(FieldParts.Date, "21/11/2026").With(FieldParts.Time, typed));

    [Fact]
    public void A_moment_is_typed_in_the_time_zone_of_the_user()
    {
        var value = Read("en-GB", Fields.DateTime, FieldParts.Empty.With(FieldParts.Date, "21/07/2026").With(FieldParts.Time, "0930"));
        Assert.Equal(new DateTimeOffset(2026, 7, 21, 7, 30, 0, TimeSpan.Zero), value);
    }

    [Fact]
    public void A_moment_the_clocks_skip_becomes_the_next_that_exists()
    {
        var value = Read("en-GB", Fields.DateTime, FieldParts.Empty.With(FieldParts.Date, "29/03/2026").With(FieldParts.Time, "0230"));
        Assert.Equal(new DateTimeOffset(2026, 3, 29, 1, 30, 0, TimeSpan.Zero), value);
    }

    [Theory]
    [InlineData("en-GB", "1,054.5", "1054.5")]
    [InlineData("de-DE", "1.054,5", "1054.5")]
    [InlineData("de-DE", "1.5", "1.5")]
    [InlineData("de-DE", "1.054", "1054")]
    [InlineData("fr-FR", "1 054,5", "1054.5")]
    [InlineData("en-GB", "-3", "-3")]
    [InlineData("en-GB", ".5", "0.5")]
    public void A_number_is_read_as_the_user_writes_it(string culture, string typed, string expected) =>
        Assert.Equal(decimal.Parse(expected, CultureInfo.InvariantCulture), Read(culture, Fields.Decimal, FieldParts.Of(typed)));

    [Theory]
    [InlineData("1,05,4")]
    [InlineData("ten")]
    [InlineData("1.2.3")]
    public void A_number_that_is_none_is_refused(string typed) => Refuse("en-GB", Fields.Decimal, FieldParts.Of(typed));

    [Fact]
    public void An_amount_takes_the_currency_typed_with_it()
    {
        Assert.Equal(new Money(1054m, "USD"), Read("en-GB", Fields.Money, FieldParts.Empty.With(FieldParts.Amount, "1,054 usd").With(FieldParts.Currency, "EUR")));
        Assert.Equal(new Money(1054m, "GBP"), Read("en-GB", Fields.Money, FieldParts.Empty.With(FieldParts.Amount, "1054").With(FieldParts.Currency, "GBP")));
        Assert.Null(Read("en-GB", Fields.Money, FieldParts.Empty.With(FieldParts.Amount, "").With(FieldParts.Currency, "GBP")));
    }

    [Fact]
    public void A_percentage_may_carry_its_sign() => Assert.Equal(12.5m, Read("en-GB", Fields.Percent, FieldParts.Of("12.5 %")));

    internal static FieldText Text(string culture) =>
        new(new DisplayContext { Culture = CultureInfo.GetCultureInfo(culture), TimeZone = Berlin }, new FixedClock());

    internal static FieldDefinition Field(FieldType type, string name = "value") =>
        new() { Name = name, Type = type, Origin = Origins.Custom, Label = Names.ToLabel(name), Choices = [new ChoiceDefinition("a", "A"), new ChoiceDefinition("b", "B")] };

    private static object? Read(string culture, FieldType type, FieldParts parts)
    {
        Assert.True(Text(culture).TryRead(Field(type), parts, out var value, out var error), error?.Message);
        return value;
    }

    private static string Refuse(string culture, FieldType type, FieldParts parts)
    {
        Assert.False(Text(culture).TryRead(Field(type), parts, out _, out var error));
        return error.Message;
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    }
}
