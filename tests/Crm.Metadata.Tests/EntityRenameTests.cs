using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>An entity of the customer's gets another name: its table, and everything that names it, follow.</summary>
public sealed class EntityRenameTests : NodeTests
{
    private const string Start = """
        [{"change":"create_entity","name":"x_visit","label":"Visit","fields":[{"name":"title","type":"text","unique":true},{"name":"number","type":"auto_number","prefix":"V","width":3},
           {"name":"customer","type":"lookup","target":"company"},{"name":"worth","type":"decimal"},{"name":"phone","type":"phone"},{"name":"guests","type":"many_to_many","target":"company"},
           {"name":"before","type":"lookup","target":"x_visit"}],
          "views":[{"name":"all","label":"All","columns":["title","customer.name"]}]},
         {"change":"create_entity","name":"x_report","fields":[{"name":"title","type":"text"},{"name":"visit","type":"lookup","target":"x_visit"},{"name":"about","type":"any_lookup","targets":["company","x_visit"]},
           {"name":"worth","type":"formula","result":"decimal","formula":"visit.worth * 2"},{"name":"on_visit","type":"formula","result":"yes_no","formula":"about_entity = \"x_visit\""}]},
         {"change":"add_field","entity":"company","field":{"name":"x_any","type":"any_lookup"}},
         {"change":"add_field","entity":"company","field":{"name":"x_sum","type":"roll_up","result":"decimal","roll_up":{"entity":"x_visit","lookup":"customer","function":"sum","value":"worth"}}},
         {"change":"set_view","entity":"company","view":{"name":"visited","label":"Visited","columns":["name"],"filter":{"related":"x_visit","by":"customer","where":{"path":"worth","operator":"greater","value":5}}}},
         {"change":"set_view","entity":"x_report","view":{"name":"visits","label":"Of visits","columns":["title","visit.title"],"filter":{"path":"about","value":"x_visit:00000000-0000-0000-0000-000000000002"}}},
         {"change":"set_grant","entity":"x_visit","grant":{"name":"everyone","read":"all"}},
         {"change":"set_rule","entity":"x_visit","rule":{"name":"dear","kind":"required","condition":"worth > 100","fields":["customer"]}}]
        """;

    private const string Rename = """[{"change":"rename_entity","entity":"x_visit","to":"x_call"}]""";

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await node.ChangeAsync(Start);
        await node.ExecuteAsync(
            """
            INSERT INTO records.company (id, created_at, modified_at, name, x_any_id, x_any_entity) VALUES
                ('00000000-0000-0000-0000-000000000001', now(), now(), 'Acme', '00000000-0000-0000-0000-000000000002', 'x_visit'),
                ('00000000-0000-0000-0000-000000000009', now(), now(), 'Bolt', '00000000-0000-0000-0000-000000000001', 'company');
            INSERT INTO records.x_visit (id, created_at, modified_at, title, customer_id, worth) VALUES ('00000000-0000-0000-0000-000000000002', now(), now(), 'First', '00000000-0000-0000-0000-000000000001', 7);
            INSERT INTO records.x_report (id, created_at, modified_at, title, about_id, about_entity) VALUES (gen_random_uuid(), now(), now(), 'Went well', '00000000-0000-0000-0000-000000000002', 'x_visit');
            INSERT INTO crm.counter VALUES ('x_visit', 'number', 5);
            """);
    }

    [Fact]
    public async Task Its_table_and_everything_that_names_it_follow_a_new_name_and_go_back_with_it()
    {
        var layers = LayerRows.Of(node.Store.State.Layers);
        var plan = await node.Editor.PlanAsync(Samples.Read(Rename), Node.Admin);
        Assert.Empty(plan.Errors);
        Assert.Null(plan.NoUndo);
        Assert.Contains(plan.Uses, u => u is { Kind: "lookup", Target: "x_report.visit" });
        Assert.Contains(plan.Warnings, w => w.Message.Contains("/x_calls", StringComparison.Ordinal));

        var renamed = await node.Editor.ApplyAsync(plan.Id, Node.Admin);

        Assert.Empty(renamed.Errors);
        var snapshot = node.Store.Current;
        Assert.False(snapshot.TryEntity("x_visit", out _));
        var call = snapshot.Entity("x_call");
        Assert.Equal(("Visit", "Visits", "x_calls"), (call.Label, call.PluralLabel, call.SetName));
        Assert.Equal(("dear", "everyone"), (Assert.Single(call.Rules).Name, Assert.Single(call.Grants).Role));
        var report = snapshot.Entity("x_report");
        Assert.Equal(("x_call", "about_entity = \"x_call\""), (report.Field("visit").Target, report.Field("on_visit").Formula));
        Assert.Equal(["company", "x_call"], report.Field("about").Targets.AsEnumerable());
        Assert.Equal("x_call", snapshot.Entity("company").Field("x_sum").RollUp!.Entity);
        Assert.Equal("x_call", Assert.IsType<Filter.Related>(snapshot.Entity("company").Views.Single(v => v.Name == "visited").Filter).Entity);
        Assert.Equal("x_call:00000000-0000-0000-0000-000000000002", Assert.IsType<Filter.Compare>(report.Views.Single(v => v.Name == "visits").Filter).Value);
        Assert.Equal("x_call", snapshot.Entity(call.Field("guests").Link!.Entity).Field("x_visit").Target);
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
        Assert.Equal("x_call company x_call 5", await node.ScalarAsync<string>(
            "SELECT concat_ws(' ', (SELECT string_agg(x_any_entity, ' ' ORDER BY name) FROM records.company), (SELECT about_entity FROM records.x_report), (SELECT next FROM crm.counter WHERE entity = 'x_call'))"));
        Assert.Empty(await node.ListAsync("SELECT conname FROM pg_constraint WHERE conname LIKE 'x\\_visit\\_\\_%' UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'x\\_visit\\_\\_%'"));

        var compared = await node.History.CompareAsync(renamed.Version - 1, renamed.Version);
        Assert.Contains(compared!.Value, d => d is { Name: "x_call", Path: ["name"], Before: "\"x_visit\"", After: "\"x_call\"" });
        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{renamed.Version}}}]""")).Errors);
        Assert.Equal(layers, LayerRows.Of(node.Store.State.Layers));
        Assert.Equal("x_visit", await node.ScalarAsync<string>("SELECT about_entity FROM records.x_report"));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task A_name_that_cannot_be_had_is_refused_and_the_other_named()
    {
        var refused = new (string Change, string Code, string Says)[]
        {
            ("""{"change":"rename_entity","entity":"company","to":"x_firm"}""", ErrorCodes.ReadOnly, "Contacts"),
            ("""{"change":"rename_entity","entity":"user","to":"x_user"}""", ErrorCodes.ReadOnly, "User"),
            ("""{"change":"rename_entity","entity":"x_visit","to":"x_report"}""", PlanCodes.Exists, "Report"),
            ("""{"change":"rename_entity","entity":"x_visit","to":"x_visit"}""", PlanCodes.Exists, "Visit"),
            ("""{"change":"rename_entity","entity":"x_visit","to":"call"}""", PlanCodes.Name, "x_"),
            ("""{"change":"rename_entity","entity":"x_visit","to":"x_Call"}""", PlanCodes.Name, "x_Call"),
            ("""{"change":"rename_entity","entity":"x_report","to":"x_a"},{"change":"rename_entity","entity":"x_visit","to":"x_b"},{"change":"rename_entity","entity":"x_b","to":"x_report"}""", ErrorCodes.Conflict, "x_report"),
            ("""{"change":"rename_entity","entity":"x_nothing","to":"x_call"}""", ErrorCodes.UnknownEntity, "x_nothing"),
        };
        foreach (var (change, code, says) in refused)
        {
            var plan = await node.Editor.PlanAsync(Samples.Read($"[{change}]"), Node.Admin);
            var error = Assert.Single(plan.Errors);
            Assert.Equal(code, error.Code);
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
        }

        // A set of the same name is another's address.
        await node.ChangeAsync("""[{"change":"change_entity","entity":"x_report","set":"x_calls"}]""");
        Assert.Contains((await node.Editor.PlanAsync(Samples.Read(Rename), Node.Admin)).Errors, e => e.Code == PlanCodes.Exists && e.Message.Contains("x_report", StringComparison.Ordinal));
    }

    [Fact]
    public void A_script_that_names_it_is_named_and_not_rewritten()
    {
        var layers = Samples.PlanJson(
            """
            [{"change":"create_entity","name":"x_visit","fields":[{"name":"title","type":"text"},{"name":"about","type":"any_lookup"}],
              "rules":[{"name":"ask","label":"Ask first","kind":"script","script":"if (record.about_entity === 'x_visit') refuse('about', 'No');","when":"validate"},
                       {"name":"other","kind":"script","script":"if (record.title === 'x_visits') refuse('title', 'No');","when":"validate"}]}]
            """,
            Samples.Layers).After;

        var draft = Samples.PlanJson(Rename, layers);

        Assert.Empty(draft.Errors);
        var warning = Assert.Single(draft.Warnings, w => w.Target?.StartsWith("x_call.", StringComparison.Ordinal) == true);
        Assert.Contains("Ask first", warning.Message, StringComparison.Ordinal);
        Assert.Contains("'x_visit'", draft.Snapshot.Entity("x_call").Rules.Single(r => r.Name == "ask").Script!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_goes_together_with_other_changes_and_is_taken_back_with_them_whatever_else_was_renamed_since()
    {
        await node.ChangeAsync("""[{"change":"change_field","entity":"x_visit","field":{"name":"worth","label":"Value"}}]""");
        var early = node.Store.Current.Version;
        var mixed = await node.ChangeAsync(
            """
            [{"change":"rename_entity","entity":"x_report","to":"x_sheet"},
             {"change":"rename_entity","entity":"x_sheet","to":"x_paper"},
             {"change":"rename_entity","entity":"x_visit","to":"x_report"},
             {"change":"rename_field","entity":"x_report","field":"title","to":"subject"},
             {"change":"change_field","entity":"x_report","field":{"name":"phone","unique":true}},
             {"change":"change_type","entity":"x_report","field":{"name":"subject","type":"long_text"}},
             {"change":"add_field","entity":"x_report","field":{"name":"paper","type":"lookup","target":"x_paper"}},
             {"change":"create_entity","name":"x_visit","fields":[{"name":"title","type":"text"}]}]
            """);
        Assert.Empty(mixed.Errors);
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
        Assert.Equal("First x_report", await node.ScalarAsync<string>("SELECT concat_ws(' ', (SELECT subject FROM records.x_report), (SELECT about_entity FROM records.x_paper))"));
        Assert.Equal(1, await node.ScalarAsync<long>("SELECT count(*) FROM crm.entity_rename WHERE entity = 'x_report' AND from_name = 'x_visit'"));

        // The new entity has the name that is to come back.
        Assert.Contains((await node.Editor.PlanAsync(Samples.Read($$"""[{"change":"revert","version":{{mixed.Version}}}]"""), Node.Admin)).Errors, e => e.Code == PlanCodes.Exists);
        await node.ChangeAsync("""[{"change":"rename_entity","entity":"x_visit","to":"x_new"}]""");
        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{mixed.Version}}}]""")).Errors);

        Assert.Equal("First x_visit", await node.ScalarAsync<string>("SELECT concat_ws(' ', (SELECT title FROM records.x_visit), (SELECT about_entity FROM records.x_report))"));
        Assert.True(node.Store.Current.Entity("x_new").IsHidden);
        // A name that went with its entity leads nowhere.
        await node.ChangeAsync("""[{"change":"purge_entity","entity":"x_new"}]""", "x_new");
        Assert.Equal("x_visit", (await node.History.EntityNowAsync("x_report"))?.Entity);
        Assert.Equal("", await node.ScalarAsync<string>("SELECT entity FROM crm.entity_rename WHERE to_name = 'x_new'"));
        // A version from before all renames is found by what was renamed.
        await node.StepRunner.RunPendingAsync();
        Assert.Empty((await node.ChangeAsync(Rename)).Errors);
        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{early}}}]""")).Errors);
        Assert.Equal("Worth", node.Store.Current.Entity("x_call").Field("worth").Label);
        Assert.Contains(await node.History.ChangesAsync("x_call", PropertyOrigins.Of(node.Store.State, "x_call")), c => c.Key.Path is ["views", ..]);
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task A_package_of_the_renamed_entity_is_followed_by_its_id_with_the_records()
    {
        await using var elsewhere = await Crm.Sdk.Testing.TestDatabase.CreateAsync();
        await using var other = await Node.StartAsync(elsewhere.ConnectionString);
        await other.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape());
        await ImportAsync();
        await other.InsertAsync("x_visit", "title", "'Kept'");
        await other.ChangeAsync("""[{"change":"change_entity","entity":"x_report","label":"Minutes"}]""");

        await node.ChangeAsync("""[{"change":"rename_entity","entity":"x_report","to":"x_paper"},{"change":"rename_entity","entity":"x_visit","to":"x_report"}]""");
        await ImportAsync();

        Assert.Equal("Kept", await other.ScalarAsync<string>("SELECT title FROM records.x_report"));
        Assert.Equal(MetadataPackage.Export(node.Store.State), MetadataPackage.Export(other.Store.State));
        Assert.Empty((await other.Consistency.RunAsync()).Differences);

        // Names that changed places cannot be followed at once.
        await node.ChangeAsync("""[{"change":"rename_entity","entity":"x_report","to":"x_middle"}]""");
        await node.ChangeAsync("""[{"change":"rename_entity","entity":"x_paper","to":"x_report"}]""");
        await node.ChangeAsync("""[{"change":"rename_entity","entity":"x_middle","to":"x_paper"}]""");
        Assert.Equal(2, (await PlanAsync()).Errors.Count(e => e.Code == ErrorCodes.Conflict));

        async Task ImportAsync()
        {
            var plan = await PlanAsync();
            Assert.Empty(plan.Errors);
            Assert.Empty((await other.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        }

        async Task<ChangePlan> PlanAsync()
        {
            using var zip = new MemoryStream(MetadataPackage.Export(node.Store.State));
            var (import, errors) = MetadataPackage.Read(zip, isComplete: true);
            Assert.Empty(errors);
            return await other.Editor.PlanAsync([import!], Node.Admin);
        }
    }

    [Fact]
    public async Task Work_on_its_table_that_is_not_done_stands_in_the_way()
    {
        node.Store.Runner.OnlineRows = 1;
        await node.ChangeAsync("""[{"change":"change_field","entity":"x_visit","field":{"name":"worth","indexed":true}}]""");

        var plan = await node.Editor.PlanAsync(Samples.Read(Rename), Node.Admin);
        Assert.Equal(ErrorCodes.Busy, Assert.Single((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors).Code);
        await node.StepRunner.RunPendingAsync();
        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        await node.StepRunner.RunPendingAsync();

        // What is put off afterwards is put off under the new name.
        await node.ChangeAsync("""[{"change":"rename_entity","entity":"x_call","to":"x_talk"},{"change":"change_field","entity":"x_talk","field":{"name":"phone","unique":true}}]""");
        await node.StepRunner.RunPendingAsync();
        Assert.All(await node.Steps.ListAsync(), s => Assert.Equal((MetadataStepState.Done, "x_talk"), (s.State, s.Entity)));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }
}
