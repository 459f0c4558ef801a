using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Choices, stages and tags that become one, stages that become two, and indexes an administrator asks for.</summary>
public sealed class ChoiceTests : NodeTests
{
    private const string MergeSector = """[{"change":"merge_choices","entity":"company","field":"sector","from":"retail","into":"software"}]""";

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape())).Errors);
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(1)]
    public async Task Two_choices_become_one_and_who_names_the_one_means_the_other(int onlineRows)
    {
        node.Store.Runner.OnlineRows = onlineRows;
        await node.ChangeAsync("""
            [{"change":"add_field","entity":"company","field":{"name":"x_points","type":"formula","result":"integer","formula":"if(sector = \"software\", 2, 1)"}},
             {"change":"add_field","entity":"company","field":{"name":"x_shop","type":"formula","result":"yes_no","formula":"sector = \"Retail\""}},
             {"change":"set_rule","entity":"company","rule":{"name":"small","kind":"options","condition":"employees < 10","fields":["sector"],"options":["retail","medical"]}}]
            """);
        await node.InsertAsync("company", "name, sector, x_points, x_shop", "'A', 'retail', 1, true");
        await node.InsertAsync("company", "name, sector, x_points, x_shop", "'B', 'software', 2, false");
        await node.InsertAsync("company", "name, sector, x_points, x_shop", "'C', 'medical', 1, false");
        await node.StepRunner.RunPendingAsync();

        var plan = await node.Editor.PlanAsync(Samples.Read(MergeSector), Node.Admin);
        Assert.Contains(plan.Warnings, w => w.Message.Contains("1 ", StringComparison.Ordinal) && w.Message.Contains("Retail", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, s => s is { IsDestructive: true, CanUndo: false } && s.IsBackground == (onlineRows == 1));
        Assert.Equal(["retail"], plan.Confirm.AsEnumerable());
        Assert.Contains(plan.Uses, u => u is { Kind: "filter", Target: "opportunity.open" });
        Assert.Equal("confirm", Assert.Single((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors).Code);
        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: plan.Confirm));
        Assert.Empty(applied.Errors);
        await node.StepRunner.RunPendingAsync();

        Assert.Equal(["A software 2 t", "B software 2 t", "C medical 1 f"], await node.ListAsync("SELECT concat_ws(' ', name, sector, x_points, x_shop) FROM records.company ORDER BY name"));
        var company = node.Store.Current.Entity("company");
        var sector = company.Field("sector");
        Assert.Equal(["software", "medical"], sector.Choices.Select(c => c.Name));
        Assert.Equal(new MergedChoice("retail", "Retail", "software"), Assert.Single(sector.Merged));
        // Other systems, filters and files go on naming it; history knows what it was called.
        Assert.True(sector.Type.TryNormalize(sector, "retail", out var written, out _) && sector.Type.TryNormalize(sector, "Retail", out var shown, out _) && (string)shown! == "software");
        Assert.Equal(("software", "Retail"), (written, sector.Type.Format(sector, "retail", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(["software", "medical"], Assert.Single(company.Rules).Options.AsEnumerable());
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);

        var back = await node.Editor.PlanAsync([new MetadataChange.Revert(applied.Version)], Node.Admin);
        Assert.Equal("read_only", Assert.Single(back.Errors).Code);
        Assert.NotNull((await node.History.ListAsync(null, 1))[0].NoRevert);

        // And into a third one: what named the first means the third.
        Assert.Empty((await ApplyAsync("""[{"change":"merge_choices","entity":"company","field":"sector","from":"software","into":"medical"}]""")).Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(["medical"], await node.ListAsync("SELECT DISTINCT sector FROM records.company"));
        Assert.Equal("medical", node.Store.Current.Entity("company").Field("sector").NameNow("retail"));
    }

    [Fact]
    public async Task Lists_of_choices_and_tags_keep_their_order_and_nothing_is_there_twice()
    {
        await node.ChangeAsync("""
            [{"change":"add_field","entity":"company","field":{"name":"x_list","type":"multi_choice","choices":["a","b","c"],"default":["a","c"]}},
             {"change":"add_field","entity":"company","field":{"name":"x_tags","type":"tags"}},
             {"change":"add_field","entity":"company","field":{"name":"x_has","type":"formula","result":"yes_no","formula":"contains(x_list, \"a\")"}}]
            """);
        await node.InsertAsync("company", "name, x_list, x_tags", """'A', '{a,b,c}', '{Prio,other,urgent}'""");
        await node.InsertAsync("company", "name, x_list, x_tags", """'B', '{c,a}', '{x,prio}'""");
        await node.InsertAsync("company", "name, x_list, x_tags", """'C', '{c}', '{"it''s",x}'""");

        Assert.Empty((await ApplyAsync("""
            [{"change":"merge_choices","entity":"company","field":"x_list","from":"a","into":"b"},
             {"change":"merge_choices","entity":"company","field":"x_tags","from":"prio","into":"urgent"},
             {"change":"merge_choices","entity":"company","field":"x_tags","from":"it's","into":"its"}]
            """)).Errors);

        Assert.Equal(["A {b,c} {urgent,other} t", "B {c,b} {x,urgent} t", "C {c} {its,x} f"], await node.ListAsync("SELECT concat_ws(' ', name, x_list, x_tags, x_has) FROM records.company ORDER BY name"));
        var company = node.Store.Current.Entity("company");
        Assert.Equal(new object?[] { "b", "c" }, company.Field("x_list").Default);
        Assert.True(company.Field("x_tags").Type.TryNormalize(company.Field("x_tags"), "PRIO; urgent; new", out var tags, out _));
        Assert.Equal(["urgent", "new"], ((System.Collections.Immutable.ImmutableArray<string>)tags!).AsEnumerable());
    }

    [Fact]
    public async Task Stages_are_merged_with_their_moves_and_split_by_a_condition()
    {
        await node.ChangeAsync("""
            [{"change":"change_field","entity":"opportunity","field":{"name":"stage","moves":[{"from":"prospect","to":"offer"},{"from":"offer","to":"order"},{"from":"offer","to":"lost"},{"from":"prospect","to":"lost"}]}}]
            """);
        foreach (var (title, stage, budget) in new[] { ("A", "prospect", 5), ("B", "offer", 50), ("C", "offer", 5), ("D", "order", 50) })
        {
            await node.InsertAsync("opportunity", "title, stage, budget", $"'{title}', '{stage}', {budget.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
        }

        Assert.Empty((await ApplyAsync("""
            [{"change":"split_stage","entity":"opportunity","field":"stage","stage":"offer","to":{"name":"board","label":"Board decides","probability":70},"condition":"budget > 10"}]
            """)).Errors);

        Assert.Equal(["A prospect", "B board", "C offer", "D order"], await node.ListAsync("SELECT title || ' ' || stage FROM records.opportunity ORDER BY title"));
        var stages = node.Store.Current.Entity("opportunity").Field("stage").Stages!;
        Assert.Equal(["prospect", "offer", "board", "order", "lost"], stages.Stages.Select(s => s.Name));
        Assert.True(stages.Allows("board", "order") && stages.Allows("prospect", "board") && stages.Allows("offer", "board") && !stages.Allows("order", "board"));

        Assert.Empty((await ApplyAsync("""[{"change":"merge_choices","entity":"opportunity","field":"stage","from":"offer","into":"board"}]""")).Errors);
        Assert.Equal(["A prospect", "B board", "C board", "D order"], await node.ListAsync("SELECT title || ' ' || stage FROM records.opportunity ORDER BY title"));
        stages = node.Store.Current.Entity("opportunity").Field("stage").Stages!;
        Assert.Equal(["prospect", "board", "order", "lost"], stages.Stages.Select(s => s.Name));
        Assert.Equal(4, stages.Moves.Length);
        // The module's list of open offers means those of the new stage.
        var view = node.Store.Current.Entity("opportunity").Views.Single(v => v.Name == "open");
        Assert.NotNull(view.Filter);
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);
    }

    [Fact]
    public async Task What_was_merged_travels_in_a_package_and_is_done_where_it_arrives()
    {
        await ApplyAsync(MergeSector);
        var package = MetadataPackage.Export(node.Store.State);
        await using var other = await Crm.Sdk.Testing.TestDatabase.CreateAsync();
        await using var target = await Node.StartAsync(other.ConnectionString);
        await target.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape());
        await target.InsertAsync("company", "name, sector", "'A', 'retail'");

        using var zip = new MemoryStream(package);
        var (change, errors) = MetadataPackage.Read(zip, isComplete: false);
        Assert.Empty(errors);
        var plan = await target.Editor.PlanAsync([change!], Node.Admin);
        Assert.Empty(plan.Errors);
        Assert.Empty((await target.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);

        Assert.Equal("software", await target.ScalarAsync<string>("SELECT sector FROM records.company"));
        Assert.Empty((await target.Editor.PlanAsync([change!], Node.Admin)).Steps);
    }

    [Theory]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"name","from":"a","into":"b"}""", "type")]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"sector","from":"retail","into":"moon"}""", "unknown")]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"sector","from":"retail","into":"retail"}""", "unknown")]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"moon","from":"a","into":"b"}""", "unknown_field")]
    [InlineData("""{"change":"merge_choices","entity":"moon","field":"x","from":"a","into":"b"}""", "unknown_entity")]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"x_tags","from":"Prio","into":"prio"}""", "unknown")]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"x_tags","from":"a;b","into":"c"}""", "unknown")]
    [InlineData("""{"change":"split_stage","entity":"opportunity","field":"stage","stage":"offer","to":{"name":"lost"},"condition":"true"}""", "exists")]
    [InlineData("""{"change":"split_stage","entity":"opportunity","field":"stage","stage":"moon","to":{"name":"x"},"condition":"true"}""", "unknown")]
    [InlineData("""{"change":"split_stage","entity":"opportunity","field":"stage","stage":"offer","to":{"name":"x"},"condition":"title +"}""", "expression")]
    [InlineData("""{"change":"split_stage","entity":"opportunity","field":"stage","stage":"offer","to":{"name":"x"},"condition":"company.name = \"A\""}""", "expression")]
    [InlineData("""{"change":"split_stage","entity":"opportunity","field":"stage","stage":"offer","to":{"name":"x"},"condition":"title"}""", "expression")]
    [InlineData("""{"change":"split_stage","entity":"opportunity","field":"stage","stage":"offer","to":{"name":"It's"},"condition":"true"}""", "option")]
    [InlineData("""{"change":"split_stage","entity":"company","field":"sector","stage":"retail","to":{"name":"x"},"condition":"true"}""", "type")]
    [InlineData("""{"change":"change_field","entity":"company","field":{"name":"sector","merged":[{"name":"retail","into":"software"}]}}""", "option")]
    [InlineData("""{"change":"change_field","entity":"company","field":{"name":"website","merged":[{"name":"retail","into":"software"}]}}""", "option")]
    [InlineData("""{"change":"change_field","entity":"company","field":{"name":"x_story","indexed":true}}""", "option")]
    [InlineData("""{"change":"change_field","entity":"company","field":{"name":"x_tags","indexed":true}}""", "option")]
    public void What_cannot_be_merged_split_or_indexed_is_refused_with_the_reason(string change, string code)
    {
        var layers = Samples.After("""
            [{"change":"add_field","entity":"company","field":{"name":"x_tags","type":"tags"}},{"change":"add_field","entity":"company","field":{"name":"x_story","type":"long_text"}}]
            """);

        var draft = Samples.PlanJson($"[{change}]", layers);

        Assert.Contains(draft.Errors, e => e.Code == code);
        Assert.Empty(draft.Steps);
    }

    [Fact]
    public async Task A_choice_that_records_have_is_not_simply_removed_the_plan_says_how_many()
    {
        await node.InsertAsync("company", "name, sector", "'A', 'medical'");

        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_field","entity":"company","field":{"name":"sector","choices":["software","retail"]}}]"""), Node.Admin);

        var error = Assert.Single(plan.Errors);
        Assert.Equal(("in_use", "company.sector"), (error.Code, error.Target));
        Assert.Contains("1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_an_administrator_asks_for_is_made_while_others_write_and_dropped_again()
    {
        node.Store.Runner.OnlineRows = 1;
        await node.InsertAsync("company", "name", "'A'");
        const string there = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('records.company__employees_i')";

        var made = await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"employees","indexed":true}}]""");
        Assert.Empty(made.Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.True(await node.ScalarAsync<bool>(there));
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);

        // One that was left invalid by a server that stopped is made anew.
        await node.ExecuteAsync("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'records.company__employees_i'::regclass");
        await node.ExecuteAsync("UPDATE crm.metadata_step SET state = 'waiting'");
        await node.StepRunner.RunPendingAsync();
        Assert.True(await node.ScalarAsync<bool>(there));

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{made.Version}}}]""")).Errors);
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.company__employees_i')::text"));
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);
    }

    private async Task<ApplyResult> ApplyAsync(string changes)
    {
        var plan = await node.Editor.PlanAsync(Samples.Read(changes), Node.Admin);
        Assert.Empty(plan.Errors);
        return await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: plan.Confirm));
    }
}
