using Crm.Records.Tests.Access;
using Crm.Sdk;

namespace Crm.Records.Tests.Duplicates;

public sealed class DuplicateTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>, IAsyncLifetime
{
    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    public async Task InitializeAsync()
    {
        await firm.ResetAsync();
        if (firm.Engine.Metadata.Current.Entity("company").Rules.IsEmpty)
        {
            await firm.Engine.ChangeAsync(
                """
                [{"change":"add_field","entity":"company","field":{"name":"x_phone","type":"phone","label":"Phone","country":"DE"}},
                 {"change":"add_field","entity":"company","field":{"name":"x_mails","type":"emails","label":"Mails"}},
                 {"change":"set_rule","entity":"company","rule":{"name":"phone","kind":"duplicate","label":"Same phone","fields":["x_phone"],"refuse":true}},
                 {"change":"set_rule","entity":"company","rule":{"name":"mails","kind":"duplicate","fields":["x_mails"]}},
                 {"change":"set_rule","entity":"company","rule":{"name":"named","kind":"duplicate","fields":["name","country"],"similarity":70}}]
                """);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("Bergmann & Söhne GmbH", "Bergmann und Sohne", true)]
    [InlineData("Müller Logistik GmbH", "MULLER LOGISTIK", true)]
    [InlineData("Müller Maschinenbau GmbH", "Maier Bau", false)]
    [InlineData("Hanse Kontor", "Hanse Kontor Schiffahrt und Spedition", false)]
    public async Task D_14_Names_that_are_spelt_alike_are_likely_the_same_when_the_other_field_is_the_same(string there, string made, bool isLike)
    {
        var country = Guid.CreateVersion7().ToString("N");
        var known = await Admin.SavedAsync(Values.Company(there, ("country", country)));
        Assert.True((await Admin.SaveAsync(Asking(made, ("country", "Elsewhere")))).Succeeded);
        var result = await Admin.SaveAsync(Asking(made, ("country", country.ToUpperInvariant())));
        Assert.Equal(!isLike, result.Succeeded);
        if (isLike)
        {
            var error = Assert.Single(result.Errors);
            Assert.Equal((ErrorCodes.PossibleDuplicate, new RecordRef("company", known.Id)), (error.Code, Assert.Single(error.Records)));
            Assert.Contains(there, error.Message, StringComparison.Ordinal);
            Assert.True((await Admin.SaveAsync(Asking(made, ("country", country)) with { AsksAboutDuplicates = false })).Succeeded);
        }
    }

    [Fact]
    public async Task D_14_A_phone_is_the_same_in_any_notation_and_its_rule_refuses_whoever_does_not_ask_too()
    {
        var known = await Admin.SavedAsync(Values.Company("Phones", ("x_phone", "0171 1234567")));
        var error = await Admin.RefusedOnceAsync(Values.Company("Others", ("x_phone", "+49 (171) 123-4567")));
        Assert.Equal((ErrorCodes.Duplicate, known.Id), (error.Code, Assert.Single(error.Records).Id));

        // What is there may be changed, and what is empty is like nothing.
        await Admin.SavedAsync(Values.Update(known, ("country", "DE")));
        await Admin.SavedAsync(Asking("Nameless one"));
        await Admin.SavedAsync(Asking("Nameless two"));
    }

    [Fact]
    public async Task D_14_Of_several_addresses_one_is_enough_and_records_made_together_are_compared_too()
    {
        var known = await Admin.SavedAsync(Values.Company("Mails", ("x_mails", new object?[] { "a@mails.example", "b@mails.example" })));
        var error = await Admin.RefusedOnceAsync(Asking("Others", ("x_mails", new object?[] { "c@mails.example", "B@Mails.example" })));
        Assert.Equal(known.Id, Assert.Single(error.Records).Id);

        var together = new[] { Values.Company("First", ("x_phone", "0172 1")), Values.Company("Second", ("x_phone", "0172 22")), Values.Company("Third", ("x_phone", "+49 172 22")) };
        var results = await Admin.SaveManyAsync(together, new SaveOptions(AllOrNothing: false));
        Assert.Equal([true, true, false], results.Select(r => r.Succeeded));
        Assert.Equal(together[1].Id, Assert.Single(results[2].Errors[0].Records).Id);
    }

    [Fact]
    public async Task Records_that_may_not_be_read_are_no_duplicates_and_names_that_may_not_be_read_are_not_told()
    {
        await Admin.SavedAsync(Values.Company("Concealed", ("x_phone", "0173 1234567")));
        await firm.GrantAsync("company", """{"name":"everyone","read":"all","fields":[{"name":"name","access":"read"}]}""");
        await firm.GrantAsync("company", """{"name":"everyone","read":"own"}""");
        var made = await firm.Bob.SavedAsync(Values.Company("Bob's", ("x_phone", "0173 1234567")));
        Assert.Empty(await Finder.FindAsync(Engine.User, "company"));
        await firm.ResetAsync();
        Assert.Contains(await Finder.FindAsync(Engine.User, "company"), s => s.Records.Contains(made.Id));

        await firm.Engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_phone","type":"phone","label":"Phone"}},{"change":"set_rule","entity":"deal","rule":{"name":"phone","kind":"duplicate","fields":["x_phone"],"refuse":true}}]""");
        var deal = await Admin.SavedAsync(Values.Deal(("title", "Told to nobody"), ("x_phone", "12345")));
        await firm.GrantAsync("deal", """{"name":"everyone","fields":[{"name":"title","access":"none"}]}""");
        await firm.Engine.ChangeAsync("""[{"change":"change_field","entity":"deal","field":{"name":"title","required":false}}]""");
        var error = await firm.Bob.RefusedOnceAsync(RecordChange.Create("deal", Values.Of(("x_phone", "12345"))));
        Assert.Equal(deal.Id, Assert.Single(error.Records).Id);
        Assert.DoesNotContain("Told", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task D_14_Duplicates_that_are_there_are_found_as_sets()
    {
        var country = Guid.CreateVersion7().ToString("N");
        var ids = new List<Guid>();
        foreach (var name in new[] { "Lexiqvolax Ltd", "Lexiqvolax", "LEXIQVOLAKS" })
        {
            ids.Add((await Admin.SavedAsync(Values.Company(name, ("country", country)))).Id);
        }

        ids.Add((await Admin.SavedAsync(Values.Company("Something else", ("country", country), ("x_mails", new object?[] { "set@one.example" })))).Id);
        var last = await Admin.SavedAsync(Values.Company("Another", ("country", country), ("x_mails", new object?[] { "SET@one.example" })));
        var sets = (await Finder.FindAsync(Engine.Admin, "company")).Where(s => s.Records.Intersect([.. ids, last.Id]).Any()).ToList();
        Assert.Equal(2, sets.Count);
        Assert.Equal(ids.Take(3).Order(), sets.Single(s => s.Rule == "named").Records.Order());
        Assert.Equal(new[] { ids[3], last.Id }.Order(), sets.Single(s => s.Rule == "mails").Records.Order());
        await Assert.ThrowsAsync<QueryException>(() => Finder.FindAsync(Engine.Admin, "ghost"));
    }

    [Theory]
    [InlineData("""{"name":"bad","kind":"duplicate","fields":[]}""", "needs a field")]
    [InlineData("""{"name":"bad","kind":"duplicate","fields":["country"],"similarity":5}""", "percentage")]
    [InlineData("""{"name":"bad","kind":"duplicate","fields":["created_at"]}""", "cannot compare")]
    [InlineData("""{"name":"bad","kind":"duplicate","fields":["ghost"]}""", "ghost")]
    public async Task A_rule_that_cannot_be_asked_is_no_rule(string rule, string why) =>
        Assert.Contains(why, await firm.Engine.RefusedAsync($$"""[{"change":"set_rule","entity":"company","rule":{{rule}}}]"""), StringComparison.Ordinal);

    private DuplicateFinder Finder => new(firm.Engine.With());

    private static RecordChange Asking(string name, params (string Name, object? Value)[] values) => Values.Company(name, values) with { AsksAboutDuplicates = true };
}
