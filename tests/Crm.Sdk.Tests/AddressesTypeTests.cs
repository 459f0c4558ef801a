using System.Globalization;

namespace Crm.Sdk.Tests;

public sealed class AddressesTypeTests
{
    private static readonly FieldDefinition Places = new() { Name = "places", Label = "Places", Origin = "test", Type = Fields.Addresses };

    public static TheoryData<object, string> Inputs => new()
    {
        { List(Row("invoice", ("city", "Ulm")), Row("work", ("street", "Weg 1"), ("country", "de"))), "Ulm (Invoice); Weg 1, DE (Work)" },
        { List(Row("Invoice", ("city", " Ulm "))), "Ulm (Invoice)" },
        { List(Row(null, ("city", "Ulm")), Row("home", ("city", "")), null), "Ulm (Work)" },
        { List(Row("home", ("city", "Ulm")), Row("home", ("city", "Ulm"))), "Ulm (Home)" },
        { Row("home", ("city", "Ulm")), "Ulm (Home)" },
        { ByKind(("delivery", Row(null, ("postal_code", "89073"), ("city", "Ulm"))), ("home", null)), "89073 Ulm (Delivery)" },
        { new object?[] { new KindAddress("other", new Address(City: "Ulm")) }.ToList(), "Ulm (Other)" },
        { Array.Empty<object?>(), "" },
    };

    public static TheoryData<object, string, string?> Refusals => new()
    {
        { List(Row("work", ("city", "Ulm")), Row("sea", ("city", "Ulm"))), ErrorCodes.Unknown, "[1].kind" },
        { List(Row("work", ("town", "Ulm"))), ErrorCodes.Type, "[0]" },
        { List(Row("work", ("city", new string('x', 101)))), ErrorCodes.Length, "[0]" },
        { "Weg 1, Ulm", ErrorCodes.Type, "[0]" },
        { true, ErrorCodes.Type, "[0]" },
        { Enumerable.Range(0, 21).Select(i => (object?)Row("work", ("city", i.ToString(CultureInfo.InvariantCulture)))).ToList(), ErrorCodes.Length, null },
    };

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Addresses_are_taken_in_every_form_and_stored_as_they_are(object input, string expected)
    {
        Assert.True(Fields.Addresses.TryNormalize(Places, input, out var value, out var error), error?.Message);
        Assert.Equal(expected, Fields.Addresses.Format(Places, value, CultureInfo.InvariantCulture));
        var columns = new object?[1];
        Fields.Addresses.ToColumns(value, columns);
        Assert.True(Fields.Addresses.AreEqual(value, Fields.Addresses.FromColumns(columns)));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_is_wrong_is_named_with_its_row(object input, string code, string? at)
    {
        Assert.False(Fields.Addresses.TryNormalize(Places, input, out _, out var error));
        Assert.Equal((code, at), (error.Code, error.At));
    }

    [Fact]
    public void Addresses_by_kind_change_the_parts_they_name_of_the_first_of_their_kind()
    {
        Assert.True(Fields.Addresses.TryNormalize(Places, List(Row("invoice", ("street", "Weg 1"), ("city", "Ulm")), Row("invoice", ("city", "Bonn")), Row("home", ("city", "Kiel"))), out var stored, out _));
        var input = Fields.Addresses.Complete(ByKind(("invoice", Row(null, ("city", "Köln"))), ("home", null), ("work", Row(null, ("city", "Jena")))), stored!);
        Assert.True(Fields.Addresses.TryNormalize(Places, input, out var value, out _));
        Assert.Equal("Weg 1, Köln (Invoice); Bonn (Invoice); Jena (Work)", Fields.Addresses.Format(Places, value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void The_choices_of_a_field_are_its_kinds_also_in_conditions()
    {
        var field = Places with { Choices = [new("depot", "Depot")] };
        Assert.True(Fields.Addresses.TryNormalize(field, List(Row("Depot", ("city", "Ulm"))), out var value, out _));
        Assert.Equal("Ulm (Depot)", Fields.Addresses.Format(field, value, CultureInfo.InvariantCulture));
        Assert.Equal("Ulm (depot)", Fields.Addresses.Format(Places, value, CultureInfo.InvariantCulture));
        Assert.Equal(["depot"], AddressesType.RowsOf(field).Field("kind").Choices.Select(c => c.Name));
        Assert.Same(AddressesType.RowsOf(field), AddressesType.RowsOf(field));
    }

    [Fact]
    public void A_pointer_to_any_record_leads_to_entities_but_not_into_addresses()
    {
        var any = Places with { Type = Fields.AnyLookup };
        Assert.True(any.LeadsTo("company"));
        Assert.False(any.LeadsTo(AddressesType.RowsOf(Places).Name));
        Assert.False((any with { Targets = ["contact"] }).LeadsTo("company"));
    }

    private static List<object?> List(params object?[] rows) => [.. rows];

    private static Dictionary<string, object?> ByKind(params (string Kind, object? Value)[] rows) => rows.ToDictionary(r => r.Kind, r => r.Value, StringComparer.Ordinal);

    private static Dictionary<string, object?> Row(string? kind, params (string Part, object? Value)[] parts)
    {
        var row = parts.ToDictionary(p => p.Part, p => p.Value, StringComparer.Ordinal);
        if (kind is not null)
        {
            row["kind"] = kind;
        }

        return row;
    }
}
