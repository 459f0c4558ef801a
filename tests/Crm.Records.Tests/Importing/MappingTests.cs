using System.Collections.Immutable;
using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Records.Tests.Importing;

public sealed class MappingTests
{
    private static readonly string[] Pipeline = ["opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date", "close_value"];

    [Fact]
    public void Headers_of_a_pipeline_are_guessed()
    {
        var guess = MappingGuess.Guess(Shapes.Opportunity, Pipeline);

        Assert.Equal(
            [("budget", "close_value"), ("close_date", "close_date"), ("company", "account"), ("engage_date", "engage_date"), ("owner", "sales_agent"), ("product", "product"), ("source_reference", "opportunity_id"), ("stage", "deal_stage")],
            guess.Fields.Select(f => (f.Key, f.Value.Column!)));
    }

    [Fact]
    public void Headers_of_companies_users_and_products_are_guessed()
    {
        var companies = MappingGuess.Guess(Shapes.Company, ["account", "sector", "year_established", "revenue", "employees", "office_location", "subsidiary_of"]);
        var users = MappingGuess.Guess(Shapes.User, ["sales_agent", "manager", "regional_office"]);
        var products = MappingGuess.Guess(Shapes.Product, ["product", "series", "sales_price"]);

        Assert.Equal(
            ["annual_revenue=revenue", "country=office_location", "employees=employees", "founded_year=year_established", "industry=sector", "name=account", "parent=subsidiary_of"],
            companies.Fields.Select(f => $"{f.Key}={f.Value.Column}"));
        Assert.Equal(["manager=manager", "name=sales_agent", "region=regional_office"], users.Fields.Select(f => $"{f.Key}={f.Value.Column}"));
        Assert.Equal(["name=product", "price=sales_price", "series=series"], products.Fields.Select(f => $"{f.Key}={f.Value.Column}"));
    }

    [Theory]
    [InlineData("Name;City;ZIP;Street Address;State", "billing_city=City,billing_postal_code=ZIP,billing_region=State,billing_street=Street Address,name=Name")]
    [InlineData("Billing City;Delivery City;City", "billing_city=Billing City,delivery_city=Delivery City")]
    [InlineData("Billing address;Delivery address - Town;Billing Country", "billing_country=Billing Country,billing_street=Billing address,delivery_city=Delivery address - Town")]
    [InlineData("rent;rent_currency", "rent=rent,rent_currency=rent_currency")]
    [InlineData("Rent;Currency", "rent=Rent,rent_currency=Currency")]
    [InlineData("latitude;place longitude", "place_latitude=latitude,place_longitude=place longitude")]
    public void Columns_go_to_parts_of_fields(string headers, string expected)
    {
        var guess = MappingGuess.Guess(Shapes.Venue, headers.Split(';'));

        Assert.Equal(expected, string.Join(',', guess.Fields.Select(f => $"{f.Key}={f.Value.Column}")));
        Assert.Empty(MappingCheck.Problems(Shapes.All, Shapes.Venue, headers.Split(';'), guess, ImportMode.Create, []));
    }

    [Fact]
    public void A_field_that_is_named_exactly_is_not_taken_by_a_synonym()
    {
        var guess = MappingGuess.Guess(Shapes.Company, ["sector", "Industry"]);

        Assert.Equal("Industry", guess.Fields["industry"].Column);
    }

    [Fact]
    public void System_fields_and_columns_nothing_fits_are_left_out() => Assert.Empty(MappingGuess.Guess(Shapes.Company, ["version", "shoe size"]).Fields);

    [Fact]
    public void A_mapping_survives_being_written_and_read()
    {
        const string json = """{"fields":{"industry":{"column":"sector","values":{"technolgy":"technology"},"unknown":"empty"},"relationship_type":{"value":"client"}},"culture":"de-DE","date_formats":["MM/dd/yyyy"]}""";

        Assert.Equal(json, ImportMapping.Parse(json).ToJson());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("null")]
    [InlineData("""{"fields":{"name":null}}""")]
    [InlineData("""{"fields":{"name":{"colum":"a"}}}""")]
    [InlineData("""{"fields":{"name":{"column":"a","unknown":"explode"}}}""")]
    public void What_is_no_mapping_is_refused(string json) => Assert.Equal(ImportCodes.Mapping, Assert.Throws<ImportFileException>(() => ImportMapping.Parse(json)).Code);

    [Theory]
    [InlineData("""{"fields":{}}""", null)]
    [InlineData("""{"fields":{"nothing":{"column":"account"}}}""", "nothing")]
    [InlineData("""{"fields":{"version":{"column":"account"}}}""", "version")]
    [InlineData("""{"fields":{"name":{"column":"other"}}}""", "name")]
    [InlineData("""{"fields":{"name":{"column":"account","value":"x"}}}""", "name")]
    [InlineData("""{"fields":{"name":{}}}""", "name")]
    [InlineData("""{"fields":{"name":{"template":"{account"}}}""", "name")]
    [InlineData("""{"fields":{"name":{"template":"{other}"}}}""", "name")]
    [InlineData("""{"fields":{"name":{"value":{"a":1}}}}""", "name")]
    [InlineData("""{"fields":{"industry":{"column":"account","unknown":"create"}}}""", "industry")]
    [InlineData("""{"fields":{"parent":{"column":"account","by":"nothing"}}}""", "parent")]
    [InlineData("""{"fields":{"name":{"column":"account"}},"culture":"xx-YYYY-zz"}""", "culture")]
    [InlineData("""{"fields":{"name":{"column":"account"}},"time_zone":"Mars/Olympus"}""", "time_zone")]
    public void A_mapping_that_cannot_work_is_refused_before_a_row_is_read(string json, string? field)
    {
        var problems = MappingCheck.Problems(Shapes.All, Shapes.Company, ["account"], ImportMapping.Parse(json), ImportMode.Create, []);

        Assert.Contains(problems, p => p.Field == field);
    }

    [Fact]
    public void Updating_needs_match_fields_that_are_mapped()
    {
        var mapping = ImportMapping.Parse("""{"fields":{"name":{"column":"account"}}}""");

        Assert.NotEmpty(MappingCheck.Problems(Shapes.All, Shapes.Company, ["account"], mapping, ImportMode.Update, []));
        Assert.NotEmpty(MappingCheck.Problems(Shapes.All, Shapes.Company, ["account"], mapping, ImportMode.Upsert, ["country"]));
        Assert.Empty(MappingCheck.Problems(Shapes.All, Shapes.Company, ["account"], mapping, ImportMode.Upsert, ["name"]));
    }

    [Theory]
    [InlineData("{product} – {account}", "GTX Pro – Isdom", "GTX Pro –")]
    [InlineData("{product}[ – {account}]", "GTX Pro – Isdom", "GTX Pro")]
    [InlineData("{{{product|lower}}} [[{product|slug}]]", "{gtx pro} [gtx-pro]", "{gtx pro} [gtx-pro]")]
    [InlineData("{product|user_name}{product|upper}", "gtx.proGTX PRO", "gtx.proGTX PRO")]
    public void Templates_are_filled(string template, string full, string without)
    {
        var parsed = TextTemplate.Parse(template);

        Assert.Equal(full, parsed.Fill(column => column == "product" ? "GTX Pro" : "Isdom"));
        Assert.Equal(without, parsed.Fill(column => column == "product" ? "GTX Pro" : ""));
        Assert.Equal("", parsed.Fill(_ => ""));
    }

    [Fact]
    public void A_row_is_mapped_with_values_replaced_and_references_named()
    {
        var mapper = Mapper(
            """
            {"fields":{
              "title":{"template":"{product}[ – {account}]"},
              "product":{"column":"product","values":{"GTXPro":"GTX Pro"}},
              "company":{"column":"account"},
              "stage":{"column":"deal_stage","values":{"Won":"order"}},
              "budget":{"column":"close_value"},
              "engage_date":{"column":"engage_date"}}}
            """);

        var row = mapper.Map(new ImportRow(1, 2, ["X1", "Ann", "GTXPro", "Isdom", "Won", "2016-10-25", "", "4514"], IsShort: false));

        Assert.Empty(row.Issues);
        Assert.Equal("GTX Pro – Isdom", row.Values["title"]);
        Assert.Equal("order", row.Values["stage"]);
        Assert.Equal(new DateOnly(2016, 10, 25), row.Values["engage_date"]);
        Assert.Equal([("company", "Isdom"), ("product", "GTX Pro")], row.References.Select(r => (r.Plan.Key, r.Name)));
    }

    [Fact]
    public void An_empty_reference_is_a_warning_and_an_unknown_choice_an_error()
    {
        var mapper = Mapper("""{"fields":{"company":{"column":"account"},"stage":{"column":"deal_stage"}}}""");

        var row = mapper.Map(new ImportRow(1, 2, ["X1", "Ann", "", "", "Later", "", "", ""], IsShort: false));

        Assert.Contains(row.Issues, i => i is { IsError: false, Code: ImportCodes.Empty, Field: "company" });
        Assert.Contains(row.Issues, i => i is { IsError: true, Code: ErrorCodes.Unknown, Field: "stage", Value: "Later" });
    }

    [Fact]
    public void An_unknown_choice_is_left_empty_when_the_mapping_says_so()
    {
        var row = Mapper("""{"fields":{"stage":{"column":"deal_stage","unknown":"empty"}}}""").Map(new ImportRow(1, 2, ["", "", "", "", "Later", "", "", ""], IsShort: false));

        Assert.False(row.HasErrors);
        Assert.False(row.Values.ContainsKey("stage"));
        Assert.Contains(row.Issues, i => i.Code == ImportCodes.LeftEmpty);
    }

    [Theory]
    [InlineData("de-DE", "1.054,50", "1054.50")]
    [InlineData("fr-FR", "1 054,50", "1054.50")]
    [InlineData("ru-RU", "1\u00A0054,50", "1054.50")]
    [InlineData("en-US", "1,054.50", "1054.50")]
    public void Numbers_are_read_as_their_culture_writes_them(string culture, string text, string expected)
    {
        var row = Mapper("""{"culture":"CULTURE","fields":{"budget":{"column":"close_value"}}}""".Replace("CULTURE", culture, StringComparison.Ordinal)).Map(new ImportRow(1, 2, ["", "", "", "", "", "", "", text], IsShort: false));

        Assert.Equal(decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), row.Values["budget"]);
    }

    [Theory]
    [InlineData("{}", "25/10/2016")]
    [InlineData("{}", "2016-10-25")]
    [InlineData("{}", "25.10.2016")]
    [InlineData("{}", "2016-10-25 00:00:00")]
    [InlineData("""{"date_formats":["MM/dd/yyyy"]}""", "10/25/2016")]
    [InlineData("""{"culture":"en-US"}""", "10/25/2016")]
    [InlineData("""{"culture":"de-DE"}""", "25.10.2016")]
    public void Dates_are_read_in_several_ways(string options, string text)
    {
        var mapping = ImportMapping.Parse(options) with { Fields = ImmutableSortedDictionary<string, FieldMapping>.Empty.Add("engage_date", FieldMapping.Of("engage_date")) };

        var row = new RowMapper(Shapes.Opportunity, [.. Pipeline], mapping).Map(new ImportRow(1, 2, ["", "", "", "", "", text, "", ""], IsShort: false));

        Assert.Equal(new DateOnly(2016, 10, 25), row.Values["engage_date"]);
    }

    [Fact]
    public void Instants_without_an_offset_are_read_in_the_time_zone_of_the_mapping()
    {
        var row = Mapper("""{"time_zone":"Europe/Berlin","fields":{"called_at":{"column":"engage_date"}}}""").Map(new ImportRow(1, 2, ["", "", "", "", "", "2016-07-01 12:00", "", ""], IsShort: false));

        Assert.Equal(new DateTimeOffset(2016, 7, 1, 10, 0, 0, TimeSpan.Zero), row.Values["called_at"]);
    }

    [Fact]
    public void An_empty_cell_keeps_the_value_unless_the_mapping_clears_it()
    {
        var row = new ImportRow(1, 2, ["", "", "", "", "", "", "", ""], IsShort: false);

        Assert.False(Mapper("""{"fields":{"budget":{"column":"close_value"}}}""").Map(row).Values.ContainsKey("budget"));
        Assert.Null(Mapper("""{"empty":"clear","fields":{"budget":{"column":"close_value"}}}""").Map(row).Values["budget"]);
    }

    private static RowMapper Mapper(string json) => new(Shapes.Opportunity, [.. Pipeline], ImportMapping.Parse(json));
}
