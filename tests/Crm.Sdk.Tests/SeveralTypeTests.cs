using System.Collections.Immutable;
using System.Globalization;

namespace Crm.Sdk.Tests;

public sealed class SeveralTypeTests
{
    private static readonly FieldDefinition Phones = new() { Name = "phones", Label = "Phones", Origin = "test", Type = Fields.Phones, Country = "DE" };

    public static TheoryData<object, string> Inputs => new()
    {
        { "0171 1234567", "mobile 0171 1234567" },
        { "0171 1234567; 030 901820;", "mobile 0171 1234567|mobile 030 901820" },
        { Values(("work", "030 901820"), ("mobile", "0171 1234567")), "work 030 901820|mobile 0171 1234567" },
        { Values(("Work", " 030 901820 ")), "work 030 901820" },
        { Values((null, "030 901820"), ("home", ""), ("fax", null)), "mobile 030 901820" },
        { Values(("work", "030 901820"), ("work", "030 901820")), "work 030 901820" },
        { new object?[] { "030 901820", null, 110L }, "mobile 030 901820|mobile 110" },
        { new Dictionary<string, object?> { ["home"] = "030 901820", ["fax"] = null }, "home 030 901820" },
        { new object?[] { new KindValue("fax", "030 901820") }.ToList(), "fax 030 901820" },
        { Array.Empty<object?>(), "" },
    };

    public static TheoryData<object, string, string?> Refusals => new()
    {
        { Values(("work", "030 901820"), ("work", "no number")), ErrorCodes.Type, "[1].value" },
        { Values(("sea", "030 901820")), ErrorCodes.Unknown, "[0].kind" },
        { new object?[] { "030 901820", new object?[] { "x" } }, ErrorCodes.Type, "[1]" },
        { new object?[] { new Dictionary<string, object?> { ["kind"] = "work", ["number"] = "030 901820" } }, ErrorCodes.Type, "[0]" },
        { new object?[] { new Dictionary<string, object?> { ["kind"] = "work", ["value"] = true } }, ErrorCodes.Type, "[0]" },
        { new Dictionary<string, object?> { ["sea"] = "030 901820" }, ErrorCodes.Unknown, "[0].kind" },
        { true, ErrorCodes.Type, "[0]" },
        { Enumerable.Range(10, 21).Select(i => (object?)i.ToString(CultureInfo.InvariantCulture)).ToList(), ErrorCodes.Length, null },
    };

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Values_are_taken_in_every_form(object input, string expected)
    {
        Assert.True(Fields.Phones.TryNormalize(Phones, input, out var value, out var error), error?.Message);
        Assert.Equal(expected, value is ImmutableArray<KindValue> values ? string.Join('|', values.Select(v => v.Kind + " " + v.Value)) : "");
        var columns = new object?[1];
        Fields.Phones.ToColumns(value, columns);
        Assert.True(Fields.Phones.AreEqual(value, Fields.Phones.FromColumns(columns)));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_is_wrong_is_named_with_its_row(object input, string code, string? at)
    {
        Assert.False(Fields.Phones.TryNormalize(Phones, input, out _, out var error));
        Assert.Equal((code, at), (error.Code, error.At));
    }

    [Fact]
    public void Values_by_kind_replace_the_first_of_their_kind_and_leave_the_others()
    {
        Assert.True(Fields.Phones.TryNormalize(Phones, Values(("work", "030 1111"), ("work", "030 2222"), ("home", "030 3333")), out var stored, out _));
        var input = Fields.Phones.Complete(new Dictionary<string, object?> { ["work"] = "030 4444", ["home"] = null, ["fax"] = "030 5555" }, stored!);
        Assert.True(Fields.Phones.TryNormalize(Phones, input, out var value, out _));
        Assert.Equal("030 4444 (Work), 030 2222 (Work), 030 5555 (Fax)", Fields.Phones.Format(Phones, value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Keys_are_those_of_all_values_once()
    {
        Assert.True(Fields.Phones.TryNormalize(Phones, Values(("work", "0171 1234567"), ("mobile", "+49 171 1234567"), ("home", "030 901820")), out var value, out _));
        Assert.Equal(["+491711234567", "+4930901820"], Assert.IsType<string[]>(Assert.Single(Fields.Phones.Keys(Phones)).ColumnOf(Phones, value)));
    }

    [Fact]
    public void The_choices_of_a_field_are_its_kinds()
    {
        var field = Phones with { Choices = [new("sea", "On board")] };
        Assert.True(Fields.Phones.TryNormalize(field, Values(("On board", "030 901820")), out var value, out _));
        Assert.Equal("030 901820 (On board)", Fields.Phones.Format(field, value, CultureInfo.InvariantCulture));
        Assert.Equal("030 901820 (sea)", Fields.Phones.Format(Phones, value, CultureInfo.InvariantCulture));
    }

    private static List<object?> Values(params (string? Kind, string? Value)[] values) =>
        [.. values.Select(v => (object?)new Dictionary<string, object?> { ["kind"] = v.Kind, ["value"] = v.Value })];
}
