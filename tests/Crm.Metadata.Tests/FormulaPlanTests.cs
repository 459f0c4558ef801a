using Crm.Sdk;

namespace Crm.Metadata.Tests;

public sealed class FormulaPlanTests
{
    [Fact]
    public void A_formula_is_a_column_and_a_step_that_fills_it()
    {
        var plan = Samples.PlanJson("""[{"change":"add_field","entity":"company","field":{"name":"x_size","type":"formula","result":"text","formula":"if(employees > 250, \"it's big\", \"small\")"}}]""");

        Assert.Empty(plan.Errors);
        Assert.Equal(
            [
                """ALTER TABLE records."company" ADD COLUMN "x_size" text""",
                """
                UPDATE records."company" AS r SET "x_size" = left(CASE WHEN coalesce(r."employees"::numeric > 250::numeric, false) THEN 'it''s big' ELSE 'small' END, 255) WHERE r."x_size" IS DISTINCT FROM left(CASE WHEN coalesce(r."employees"::numeric > 250::numeric, false) THEN 'it''s big' ELSE 'small' END, 255)
                """,
            ],
            plan.Steps.Where(s => s.Sql is not null).Select(s => s.Sql));
        var field = plan.Snapshot.Entity("company").Field("x_size");
        Assert.True(field.IsReadOnly);
        Assert.Same(Fields.Text, field.Type);
    }

    [Theory]
    [InlineData("integer", "employees + wrong", "company.x_f", "At character 13")]
    [InlineData("integer", "name & '!'", "company.x_f", "gives a text")]
    [InlineData("decimal", "today() - date('2026-01-01')", "company.x_f", "today()")]
    [InlineData("decimal", "x_f + 1", "company.x_f", "company.x_f → company.x_f")]
    [InlineData("decimal", "x_g + 1", "company.x_f", "company.x_f → company.x_g → company.x_f")]
    [InlineData("lookup", "parent", "company.x_f", "cannot be calculated")]
    public void A_formula_that_cannot_work_is_refused_with_its_place(string result, string formula, string target, string message)
    {
        var other = formula.Contains("x_g", StringComparison.Ordinal) ? "x_f * 2" : "1";
        var pointed = result == "lookup" ? "\"company\"" : "null";
        var plan = Samples.PlanJson(
            $$"""
            [{"change":"add_field","entity":"company","field":{"name":"x_f","type":"formula","result":"{{result}}","target":{{pointed}},"formula":"{{formula}}"} },
             {"change":"add_field","entity":"company","field":{"name":"x_g","type":"formula","result":"decimal","formula":"{{other}}"} }]
            """);

        Assert.Contains(plan.Errors, e => e.Code == PlanCodes.Expression && e.Target == target && e.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_formula_cannot_take_over_a_field_with_values_and_takes_no_options_of_its_own()
    {
        var plan = Samples.PlanJson(
            """
            [{"change":"change_field","entity":"company","field":{"name":"employees","formula":"1"}},
             {"change":"add_field","entity":"company","field":{"name":"x_f","type":"formula","result":"integer","formula":"1","required":true,"default":5}}]
            """);

        Assert.Contains(plan.Errors, e => e is { Code: ErrorCodes.Type, Target: "company.employees" });
        Assert.Equal(2, plan.Errors.Count(e => e is { Code: PlanCodes.Option, Target: "company.x_f" }));
    }

    [Fact]
    public void A_field_a_formula_reads_cannot_be_hidden()
    {
        var layers = Samples.After("""[{"change":"add_field","entity":"company","field":{"name":"x_f","type":"formula","result":"integer","formula":"employees * 2"}}]""");

        var plan = Samples.PlanJson("""[{"change":"hide_field","entity":"company","field":"employees"}]""", layers);

        Assert.Contains(plan.Errors, e => e is { Code: PlanCodes.Expression, Target: "company.x_f" });
        Assert.Contains(WhereUsed.OfField(MetadataState.Of(layers), "company", "employees"), u => u is { Kind: "formula", Target: "company.x_f" });
        Assert.Empty(Samples.PlanJson("""[{"change":"hide_field","entity":"company","field":"x_f"},{"change":"hide_field","entity":"company","field":"employees"}]""", layers).Errors);
    }

    [Fact]
    public void A_formula_is_written_as_it_is_read()
    {
        const string changes = """[{"change":"add_field","entity":"company","field":{"name":"x_f","type":"formula","result":"integer","formula":"employees * 2"}}]""";

        var written = MetadataJson.Write(Samples.Read(changes))["changes"]!.ToJsonString();

        Assert.Equal("""[{"change":"add_field","entity":"company","field":{"name":"x_f","type":"formula","result":"integer","formula":"employees * 2"}}]""", written);
        var layers = Samples.After(changes);
        var json = MetadataJson.WriteEntity(MetadataState.Of(layers), layers.Effective("company"));
        Assert.Contains("\"type\":\"formula\",\"result\":\"integer\"", json.ToJsonString(), StringComparison.Ordinal);
    }
}
