namespace Crm.Metadata.Tests;

/// <summary>Values that follow from other records, on tables that count as big here from one record on.</summary>
public sealed class CalculationStepTests : NodeTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape())).Errors);
        await node.ExecuteAsync(
            """
            INSERT INTO records.company (id, created_at, modified_at, name, employees) SELECT gen_random_uuid(), now(), now(), 'Company ' || n, n FROM generate_series(1, 5) AS n;
            INSERT INTO records.opportunity (id, created_at, modified_at, title, number, stage, company_id)
            SELECT gen_random_uuid(), now(), now(), 'Deal', 'N' || c.name || n, 'prospect', c.id FROM records.company AS c, generate_series(1, 500) AS n;
            """);
    }

    [Fact]
    public async Task They_are_filled_in_batches_after_the_definitions_in_the_order_in_which_they_follow()
    {
        // Few companies, but what they add up comes later.
        node.Store.Runner.OnlineRows = 2000;
        const string changes = """
            [{"change":"add_field","entity":"opportunity","field":{"name":"x_size","type":"formula","result":"text","formula":"company.name & \"'ids'::uuid[]\""}},
             {"change":"add_field","entity":"opportunity","field":{"name":"x_staff","type":"formula","result":"integer","formula":"company.employees * 2"}},
             {"change":"add_field","entity":"company","field":{"name":"x_all","type":"roll_up","result":"integer","roll_up":{"entity":"opportunity","lookup":"company","function":"sum","value":"x_staff"}}}]
            """;
        var plan = await node.Editor.PlanAsync(Samples.Read(changes), Node.Admin);
        Assert.Equal(3, plan.Steps.Count(s => s.IsBackground));
        Assert.Contains(plan.Steps, s => s.IsBackground && s.Sql!.StartsWith("LOCK TABLE records.\"company\" IN SHARE MODE;", StringComparison.Ordinal));

        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(x_staff) + count(x_size) FROM records.opportunity"));
        await node.StepRunner.RunPendingAsync();

        Assert.All(await node.Steps.ListAsync(), s => Assert.Equal(MetadataStepState.Done, s.State));
        Assert.Equal(2500, await node.ScalarAsync<long>("SELECT count(*) FROM records.opportunity AS o JOIN records.company AS c ON c.id = o.company_id WHERE o.x_staff = c.employees * 2 AND o.x_size = c.name || '''ids''::uuid[]'"));
        Assert.Equal(15_000m, await node.ScalarAsync<decimal>("SELECT sum(x_all) FROM records.company"));
        Assert.All(await new CalculationDrift(node.Database, node.Store).CheckAsync(), d => Assert.Equal(0, d.Records));
    }

    [Fact]
    public async Task Another_formula_of_a_looked_up_record_fills_its_dependants_too()
    {
        await node.ChangeAsync(
            """
            [{"change":"add_field","entity":"company","field":{"name":"x_code","type":"formula","result":"text","formula":"lower(name)"}},
             {"change":"add_field","entity":"opportunity","field":{"name":"x_code","type":"formula","result":"text","formula":"company.x_code & \"!\""}}]
            """);
        Assert.Equal("company 1!,company 2!,company 3!,company 4!,company 5!", await node.ScalarAsync<string>("SELECT string_agg(DISTINCT x_code, ',' ORDER BY x_code) FROM records.opportunity"));

        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_code","formula":"upper(name)"}}]""");

        Assert.Equal("COMPANY 1!,COMPANY 2!,COMPANY 3!,COMPANY 4!,COMPANY 5!", await node.ScalarAsync<string>("SELECT string_agg(DISTINCT x_code, ',' ORDER BY x_code) FROM records.opportunity"));
    }
}
