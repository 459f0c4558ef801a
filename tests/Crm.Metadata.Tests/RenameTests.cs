using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>What somebody wrote about a field follows it to its new name.</summary>
public sealed class RenameTests : NodeTests
{
    private const string Uses = """
        [{"change":"add_field","entity":"opportunity","field":{"name":"x_net","type":"formula","result":"decimal","formula":"AMOUNT * 2 - if(amount_currency = \"amount\", amount, 0)"}},
         {"change":"add_field","entity":"opportunity","field":{"name":"x_over","type":"formula","result":"decimal","formula":"x_net + amount"}},
         {"change":"add_field","entity":"company","field":{"name":"x_sum","type":"roll_up","result":"decimal","roll_up":{"entity":"opportunity","lookup":"customer","function":"sum","value":"amount * 1","condition":"amount > 5 and customer is not empty"}}},
         {"change":"add_field","entity":"company","field":{"name":"x_last","type":"roll_up","result":"text","roll_up":{"entity":"opportunity","lookup":"customer","function":"last","value":"title","order_by":"amount"}}},
         {"change":"create_entity","name":"x_visit","fields":[{"name":"title","type":"text"},{"name":"about","type":"lookup","target":"opportunity"},
           {"name":"worth","type":"formula","result":"decimal","formula":"about.amount + 1"},{"name":"amount","type":"decimal"},{"name":"own","type":"formula","result":"decimal","formula":"amount + 1"}]},
         {"change":"set_view","entity":"x_visit","view":{"name":"all","columns":["title","about.amount","amount"]}},
         {"change":"change_field","entity":"opportunity","field":{"name":"amount","label":"Worth"}},
         {"change":"set_rule","entity":"opportunity","rule":{"name":"dear","kind":"required","condition":"amount > 100","fields":["amount","customer"]}}]
        """;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Shape("amount", "customer", renamed: false))).Errors);
        Assert.Empty((await node.Editor.DeclareAsync(Partners, Partner("amount"))).Errors);
        Assert.Empty((await node.ChangeAsync(Uses)).Errors);
    }

    [Fact]
    public async Task A_new_version_of_a_module_takes_the_customers_formulas_rules_and_roll_ups_along()
    {
        await node.ExecuteAsync(
            """
            INSERT INTO records.company (id, created_at, modified_at, name) VALUES ('00000000-0000-0000-0000-000000000001', now(), now(), 'Acme');
            INSERT INTO records.opportunity (id, created_at, modified_at, title, number, stage, amount, customer_id, x_net) VALUES (gen_random_uuid(), now(), now(), 'Deal', 'N1', 'prospect', 7, '00000000-0000-0000-0000-000000000001', 99);
            """);

        var declared = await node.Editor.DeclareAsync(Samples.Sales, Shape("value", "buyer", renamed: true));

        Assert.Empty(declared.Errors);
        var opportunity = node.Store.Current.Entity("opportunity");
        Assert.Equal("value * 2 - if(value_currency = \"amount\", value, 0)", opportunity.Field("x_net").Formula);
        Assert.Equal("x_net + value", opportunity.Field("x_over").Formula);
        Assert.Equal("value / 2", opportunity.Field("half").Formula);
        Assert.Equal("Worth", opportunity.Field("value").Label);
        var rule = Assert.Single(opportunity.Rules);
        Assert.Equal("value > 100", rule.Condition);
        Assert.Equal(["value", "buyer"], rule.Fields.AsEnumerable());
        var company = node.Store.Current.Entity("company");
        Assert.Equal(new RollUpDefinition("opportunity", "buyer", RollUpFunction.Sum, "value * 1", "value > 5 and buyer is not empty"), company.Field("x_sum").RollUp);
        Assert.Equal(new RollUpDefinition("opportunity", "buyer", RollUpFunction.Last, "title", OrderBy: "value"), company.Field("x_last").RollUp);
        var visit = node.Store.Current.Entity("x_visit");
        Assert.Equal(("about.value + 1", "amount + 1"), (visit.Field("worth").Formula, visit.Field("own").Formula));
        Assert.Equal(["title", "about.value", "amount"], visit.Views.Single(v => v.Name == "all").Columns.AsEnumerable());
        // Nothing means anything else than before, so that nothing is calculated anew.
        Assert.Equal(99, await node.ScalarAsync<decimal>("SELECT x_net FROM records.opportunity WHERE value = 7"));

        // Who still says the old name is told where.
        Assert.Contains(
            (await node.Editor.DeclareAsync(Partners, Partner("amount"))).Errors,
            e => e is { Code: PlanCodes.Expression, Target: "opportunity.half" } && e.Message.Contains("amount", StringComparison.Ordinal));
        Assert.Empty((await node.Editor.DeclareAsync(Partners, Partner("value"))).Errors);
    }

    [Fact]
    public async Task A_field_of_the_customers_takes_along_what_was_written_about_it_and_can_be_renamed_back()
    {
        Assert.Empty((await node.ChangeAsync("""[{"change":"rename_field","entity":"opportunity","field":"x_net","to":"x_a"},{"change":"rename_field","entity":"x_visit","field":"amount","to":"net_amount"}]""")).Errors);
        Assert.Equal("x_a + amount", node.Store.Current.Entity("opportunity").Field("x_over").Formula);
        Assert.Equal("net_amount + 1", node.Store.Current.Entity("x_visit").Field("own").Formula);

        var one = await node.ChangeAsync("""[{"change":"rename_field","entity":"x_visit","field":"about","to":"regarding"}]""");
        Assert.Equal("regarding.amount + 1", node.Store.Current.Entity("x_visit").Field("worth").Formula);
        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{one.Version}}}]""")).Errors);
        Assert.Equal("about.amount + 1", node.Store.Current.Entity("x_visit").Field("worth").Formula);
    }

    [Fact]
    public async Task The_plan_says_what_reads_a_field_of_another_record()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_rate","type":"integer"}},{"change":"add_field","entity":"opportunity","field":{"name":"x_rated","type":"formula","result":"integer","formula":"customer.x_rate"}}]""");

        foreach (var change in new[] { """{"change":"rename_field","entity":"company","field":"x_rate","to":"x_share"}""", """{"change":"change_type","entity":"company","field":{"name":"x_rate","type":"decimal"}}""", """{"change":"hide_field","entity":"company","field":"x_rate"}""" })
        {
            var plan = await node.Editor.PlanAsync(Samples.Read($"[{change}]"), Node.Admin);
            Assert.Equal(change.Contains("hide", StringComparison.Ordinal), !plan.Errors.IsEmpty);
            Assert.True(plan.Errors.All(e => e.Target == "opportunity.x_rated"));
            if (plan.CanApply)
            {
                Assert.Contains(plan.Uses, u => u is { Kind: "formula", Of: "company.x_rate", Target: "opportunity.x_rated" });
            }
        }
    }

    private static ModuleInfo Partners { get; } = new("partners", "Partners", "sales");

    private static DeclaredShape Shape(string amount, string customer, bool renamed)
    {
        var builder = new MetadataBuilder("sales");
        builder.Entity("opportunity", entity => entity
            .Label("Opportunity", "Opportunities")
            .Field("title", Fields.Text, f => f.Required())
            .Field("number", Fields.AutoNumber, f => f.Number("OPP", 5, 100))
            .Field(amount, Fields.Money, f => Named(f, "amount"))
            .Field(customer, Fields.Lookup("company"), f => Named(f, "customer"))
            .Stages("stage", s => s.Stage("prospect", "Prospect", 10).Won("order", "Order").Lost("lost", "Lost")));
        return builder.Build();

        void Named(IFieldBuilder field, string former)
        {
            if (renamed)
            {
                field.RenamedFrom(former);
            }
        }
    }

    private static DeclaredShape Partner(string amount)
    {
        var builder = new MetadataBuilder("partners");
        builder.Extend("opportunity", entity => entity.Field("half", Fields.Decimal, f => f.Formula(amount + " / 2")));
        return builder.Build();
    }
}
