using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Host.Pages.Designer;
using Crm.Sdk;

namespace Crm.Host.Tests.Forms;

public sealed class ExpressionOptionTests
{
    private static readonly EntityDefinition Company = Entity("company", FieldTextTests.Field(Fields.Text, "country"), FieldTextTests.Field(Fields.Money, "revenue"));

    private static readonly EntityDefinition Deal = Entity(
        "deal",
        FieldTextTests.Field(Fields.Text, "title"),
        FieldTextTests.Field(Fields.Json, "data"),
        FieldTextTests.Field(Fields.Date, "due") with { IsHidden = true },
        FieldTextTests.Field(Fields.Lookup("company"), "company") with { Target = "company" });

    private static readonly MetadataSnapshot Snapshot = new(1, new[] { Company, Deal }.ToFrozenDictionary(e => e.Name), []);

    [Fact]
    public void Fields_looked_up_fields_and_functions_are_offered_that_the_expression_may_name()
    {
        var formula = new ExpressionScope(Snapshot, Deal) { AllowsNow = false, MaxLookups = 1 };
        var texts = ExpressionOption.All(formula).Select(o => o.Text).ToList();
        Assert.Equal(["title", "company", "company.country", "company.revenue", "company.revenue_currency"], texts.Take(5));
        Assert.Contains("round()", texts);
        Assert.DoesNotContain("today()", texts);
        Assert.DoesNotContain("data", texts);
        Assert.DoesNotContain("due", texts);
        Assert.Contains("today()", ExpressionOption.All(new ExpressionScope(Snapshot, Deal)).Select(o => o.Text));
        Assert.DoesNotContain(ExpressionOption.All(formula with { MaxLookups = 0 }), o => o.Text.Contains('.', StringComparison.Ordinal));
    }

    [Fact]
    public void Every_function_is_explained_and_goes_on_between_its_brackets()
    {
        var options = ExpressionOption.All(new ExpressionScope(Snapshot, Company));
        foreach (var function in Expression.Functions)
        {
            var option = Assert.Single(options, o => o.Text == function.Name + "()");
            Assert.Equal(function.Usage == option.Text ? option.Text.Length : option.Text.Length - 1, option.Caret);
            Assert.NotNull(DesignerTexts.Find("Function_" + function.Name));
        }
    }

    [Fact]
    public void What_begins_with_the_typed_word_comes_first()
    {
        var options = ExpressionOption.All(new ExpressionScope(Snapshot, Deal));
        Assert.Equal("company", ExpressionOption.Find(options, "comp")[0].Text);
        Assert.Equal("company.country", ExpressionOption.Find(options, "country")[0].Text);
        Assert.Equal("company.country", Assert.Single(ExpressionOption.Find(options, "company › cou")).Text);
        Assert.Equal(["ceil()", "floor()", "round()"], ExpressionOption.Find(options, "rounded").Select(o => o.Text));
        Assert.Empty(ExpressionOption.Find(options, "nothing of that kind"));
    }

    [Fact]
    public void A_field_that_is_not_applied_yet_can_be_named()
    {
        var draft = new FieldDraft { Label = "Score", Type = "integer" };
        var entity = FieldDraft.With(Company, [draft, new FieldDraft(), new FieldDraft { Label = "Country", Name = "country" }]);
        Assert.Equal(["country", "revenue", "score"], entity.Fields.Select(f => f.Name));
        Assert.True(Expression.TryParse("score * 2", new ExpressionScope(Snapshot, entity), out var expression, out _));
        Assert.Equal(ExpressionType.Number, expression.Type);
    }

    private static EntityDefinition Entity(string name, params ImmutableArray<FieldDefinition> fields) =>
        new() { Name = name, Origin = "test", Label = Names.ToLabel(name), PluralLabel = name, SetName = name, Fields = fields };
}
