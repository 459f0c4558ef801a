namespace Crm.Metadata.Tests;

/// <summary>Another name for an entity that many records point to: their pointers are made ready while everybody works on.</summary>
public sealed class BigEntityRenameTests : OnlineNodeTests
{
    private const string Rename = """[{"change":"rename_entity","entity":"x_visit","to":"x_call"}]""";
    private const string Visit = "00000000-0000-0000-0000-000000000002";

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await node.ChangeAsync("""
            [{"change":"create_entity","name":"x_visit","label":"Visit","fields":[{"name":"title","type":"text"},{"name":"code","type":"text","unique":true},{"name":"about","type":"any_lookup"}]},
             {"change":"add_field","entity":"company","field":{"name":"x_any","type":"any_lookup"}}]
            """);
        await node.ExecuteAsync($"""
            INSERT INTO records.company (id, created_at, modified_at, name, x_any_id, x_any_entity) VALUES
                ('00000000-0000-0000-0000-000000000001', now(), now(), 'Acme', '{Visit}', 'x_visit'), (gen_random_uuid(), now(), now(), 'Bolt', gen_random_uuid(), 'company'), (gen_random_uuid(), now(), now(), 'Cog', NULL, NULL);
            INSERT INTO records.x_visit (id, created_at, modified_at, title, code, about_id, about_entity) VALUES ('{Visit}', now(), now(), 'First', '7', '{Visit}', 'x_visit');
            """);
    }

    [Fact]
    public async Task Pointers_follow_while_everybody_works_and_the_name_comes_into_force_with_them()
    {
        var plan = await node.Editor.PlanAsync(Samples.Read(Rename), Node.Admin);
        Assert.Equal(["company", "x_call"], plan.Steps.Where(s => s.IsBackground).Select(s => s.Entity!).Order(StringComparer.Ordinal));
        Assert.All(plan.Steps.Where(s => s.IsBackground), s => Assert.Equal((StepLock.Brief, StepWork.Fill), (s.Lock, s.Work)));

        var waiting = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
        Assert.Empty(waiting.Errors);
        Assert.Equal("x_visit", Assert.Single(await node.Steps.ListAsync(), s => s.Id == waiting.Step).Entity);
        await WhileHeldAsync(async () =>
        {
            Assert.True(node.Store.Current.TryEntity("x_visit", out _));
            Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty, string.Join("\n", node.Consistency.Last!.Differences.Select(d => d.Message)));
            // Written and changed meanwhile, also where it was made ready already.
            await node.InsertAsync("company", "name, x_any_id, x_any_entity", $"'Dyn', '{Visit}', 'x_visit'");
            await node.ExecuteAsync("UPDATE records.company SET x_any_entity = CASE WHEN name = 'Bolt' THEN 'x_visit' ELSE 'company' END WHERE name IN ('Acme', 'Bolt')");
            await node.ExecuteAsync("UPDATE records.x_visit SET about_entity = 'company'");
            Assert.Equal(["company -", "company company", "company x_visit", "company x_visit", "own company"], await PointersAsync("x_visit"));
            // What it prepares holds only as long as the entity stays as it is.
            Assert.Equal("busy", Assert.Single((await node.ChangeAsync("""[{"change":"change_field","entity":"x_visit","field":{"name":"title","indexed":true}}]""")).Errors).Code);
        }, "NEW.part = 1");

        Assert.True(node.Store.Current.TryEntity("x_call", out var call));
        Assert.Equal("Visit", call.Label);
        Assert.Equal(["company -", "company company", "company x_call", "company x_call", "own company"], await PointersAsync("x_call"));
        await AssertCleanAsync();

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{node.Store.Current.Version}}}]""")).Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(["company -", "company company", "company x_visit", "company x_visit", "own company"], await PointersAsync("x_visit"));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Several_names_that_follow_each_other_and_another_type_of_a_renamed_entity_go_together()
    {
        await node.ChangeAsync("""[{"change":"create_entity","name":"x_report","fields":[{"name":"title","type":"text"}]}]""");
        await node.InsertAsync("company", "name, x_any_id, x_any_entity", "'Dyn', gen_random_uuid(), 'x_report'");

        var changed = await node.ChangeAsync("""
            [{"change":"rename_entity","entity":"x_report","to":"x_paper"},
             {"change":"rename_entity","entity":"x_visit","to":"x_report"},
             {"change":"rename_field","entity":"x_report","field":"code","to":"number"},
             {"change":"change_type","entity":"x_report","field":{"name":"number","type":"integer"}}]
            """);
        Assert.Empty(changed.Errors);
        await WhileHeldAsync(() => node.ExecuteAsync("UPDATE records.x_visit SET code = '8'"), "NEW.part = 1");

        Assert.Equal(["company -", "company company", "company x_paper", "company x_report", "own x_report"], await PointersAsync("x_report"));
        Assert.Equal(8, await node.ScalarAsync<long>("SELECT number FROM records.x_report"));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Stopped_in_the_middle_the_entity_keeps_its_name_and_can_be_renamed_again()
    {
        var id = (await node.ChangeAsync(Rename)).Step!.Value;

        await WhileHeldAsync(async () => Assert.True(await node.Steps.CancelAsync(id)), "true", table: "records.company");

        Assert.Equal(MetadataStepState.Cancelled, Assert.Single(await node.Steps.ListAsync()).State);
        Assert.True(node.Store.Current.TryEntity("x_visit", out _));
        Assert.Equal(["company -", "company company", "company x_visit", "own x_visit"], await PointersAsync("x_visit"));
        await AssertCleanAsync();

        await node.Steps.RetryAsync(id);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(["company -", "company company", "company x_call", "own x_call"], await PointersAsync("x_call"));
        await AssertCleanAsync();
    }

    [Theory]
    [InlineData("NEW.done > 0", true)]
    [InlineData("NEW.state = 'done'", false)]
    public async Task A_host_that_is_killed_in_the_middle_leaves_the_rest_to_another(string moment, bool isOwnSession)
    {
        Assert.NotNull((await node.ChangeAsync(Rename)).Step);

        await WhileHeldAsync(() => KillAsync(isOwnSession), moment, isKilled: true);

        await using var other = await Node.StartAsync(database.ConnectionString);
        other.Store.Runner.OnlineRows = 1;
        Assert.True(other.Store.Current.TryEntity("x_visit", out _));
        Assert.True((await other.Consistency.RunAsync()).Differences.IsEmpty, string.Join("\n", other.Consistency.Last!.Differences.Select(d => d.Message)));
        await other.StepRunner.RunPendingAsync();
        Assert.True(other.Store.Current.TryEntity("x_call", out _));
        Assert.Equal(["company -", "company company", "company x_call", "own x_call"], await PointersAsync("x_call"));
        Assert.True((await node.AtAsync(other.Store.Current.Version)).TryEntity("x_call", out _));
        await AssertCleanAsync();
    }

    private Task<IReadOnlyList<string>> PointersAsync(string entity) =>
        node.ListAsync($"SELECT 'company ' || coalesce(x_any_entity, '-') FROM records.company UNION ALL SELECT 'own ' || coalesce(about_entity, '-') FROM records.{entity} ORDER BY 1");
}
