namespace Crm.Sdk.Tests;

public sealed class NamesTests
{
    [Theory]
    [InlineData("venue")]
    [InlineData("x_venue")]
    [InlineData("a1_b2")]
    public void Plain_snake_case_names_are_accepted(string name)
    {
        Assert.Null(Names.EntityProblem(name));
        Assert.Null(Names.FieldProblem(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("Venue")]
    [InlineData("1venue")]
    [InlineData("ve nue")]
    [InlineData("venue_")]
    [InlineData("ve__nue")]
    [InlineData("pg_venue")]
    [InlineData("größe")]
    [InlineData("select\"; drop table")]
    [InlineData("__proto__")]
    [InlineData("constructor")]
    [InlineData("prototype")]
    [InlineData("a_name_that_goes_on_for_much_too_long")]
    public void Names_that_could_break_a_table_are_refused(string? name)
    {
        Assert.NotNull(Names.EntityProblem(name));
        Assert.NotNull(Names.FieldProblem(name));
    }

    [Theory]
    [InlineData("id")]
    [InlineData("version")]
    [InlineData("owner")]
    [InlineData("created_at")]
    [InlineData("xmin")]
    public void A_field_cannot_take_the_name_of_a_system_field(string name) =>
        Assert.NotNull(Names.FieldProblem(name));

    [Theory]
    [InlineData("company", "companies")]
    [InlineData("contact", "contacts")]
    [InlineData("day", "days")]
    [InlineData("branch", "branches")]
    [InlineData("tax", "taxes")]
    public void Plurals_are_English(string name, string plural) => Assert.Equal(plural, Names.ToPlural(name));

    [Theory]
    [InlineData("close_date", "Close date")]
    [InlineData("x_rating", "Rating")]
    public void Labels_are_made_from_names(string name, string label) => Assert.Equal(label, Names.ToLabel(name));

    [Theory]
    [InlineData("Größe (m²)", "grosse_m")]
    [InlineData("2nd Venue", "nd_venue")]
    [InlineData("  Café  Bar ", "cafe_bar")]
    [InlineData("日本", "")]
    public void Names_are_made_from_labels(string label, string name) => Assert.Equal(name, Names.FromLabel(label));
}
