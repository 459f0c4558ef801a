using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>A plan is taken back as a whole, whatever it was made of; where that cannot be, the plan says so before it is applied.</summary>
public sealed class UndoTests : NodeTests
{
    private const string Start = """
        [{"change":"add_field","entity":"company","field":{"name":"x_it","type":"text","max_length":40}},
         {"change":"add_field","entity":"company","field":{"name":"x_note","type":"email","help":"Old"}},
         {"change":"add_field","entity":"company","field":{"name":"x_source","type":"choice","choices":["web","fair"]}},
         {"change":"set_rule","entity":"company","rule":{"name":"note","kind":"required","condition":"X_IT is not empty","fields":["x_note"]}},
         {"change":"set_view","entity":"company","view":{"name":"its","label":"Its","columns":["name","x_it"],"filter":{"path":"x_it","value":"42"}}}]
        """;

    private const string Mixed = """
        [{"change":"rename_field","entity":"company","field":"x_it","to":"x_that"},
         {"change":"change_type","entity":"company","field":{"name":"x_that","type":"integer","minimum":1}},
         {"change":"rename_field","entity":"company","field":"x_note","to":"x_it"},
         {"change":"add_field","entity":"company","field":{"name":"x_more","type":"text"}},
         {"change":"change_field","entity":"company","field":{"name":"x_it","label":"Remark","help":null}},
         {"change":"change_field","entity":"company","field":{"name":"website","required":true}},
         {"change":"set_rule","entity":"company","rule":{"name":"note","kind":"required","condition":"x_that > 5","fields":["x_it","x_that"]}},
         {"change":"set_view","entity":"company","view":{"name":"its","label":"Those","columns":["name","x_that","x_more"],"filter":{"path":"x_more","value":"a"}}},
         {"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name","x_that","x_it"]}]}},
         {"change":"change_entity","entity":"company","label":"Account"}]
        """;

    [Fact]
    public async Task A_plan_that_renames_retypes_and_changes_more_is_taken_back_whole()
    {
        await node.ChangeAsync(Start);
        await node.InsertAsync("company", "name, x_it, x_note", "'Acme', '42', 'a@b.de'");
        var before = MetadataJson.WriteEntity(node.Store.State, node.Store.Current.Entity("company"));
        var plan = await node.Editor.PlanAsync(Samples.Read(Mixed), Node.Admin);
        Assert.Empty(plan.Errors);
        Assert.Null(plan.NoUndo);
        var mixed = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
        Assert.Equal("42 a@b.de", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_that, x_it) FROM records.company"));
        await node.ExecuteAsync("UPDATE records.company SET x_that = 43, x_more = 'kept'");
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","icon":"star"}]""");

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{mixed.Version}}}]""")).Errors);

        Assert.Equal("43 a@b.de kept", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_it, x_note, x_more) FROM records.company"));
        Assert.True(node.Store.Current.Entity("company").Field("x_more").IsHidden);
        Assert.Equal("star", node.Store.Current.Entity("company").Icon);
        var after = MetadataJson.WriteEntity(node.Store.State, node.Store.Current.Entity("company"));
        foreach (var json in new[] { before, after })
        {
            // What came later stays, what the version added is hidden; everything else is as it was.
            var fields = json["fields"]!.AsArray();
            fields.Remove(fields.FirstOrDefault(f => f!["name"]!.GetValue<string>() == "x_more"));
            new[] { "version", "icon", "origins" }.ToList().ForEach(p => json.Remove(p));
        }

        Assert.Equal(before.ToJsonString(), after.ToJsonString());
        Assert.Empty((await node.Consistency.RunAsync()).Differences);

        // And what was taken back can be had again.
        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{node.Store.Current.Version}}}]""")).Errors);
        Assert.Equal("43 a@b.de kept", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_that, x_it, x_more) FROM records.company"));
        Assert.False(node.Store.Current.Entity("company").Field("x_more").IsHidden);
    }

    [Fact]
    public async Task A_package_that_renamed_a_field_is_taken_back_with_its_values()
    {
        await node.ChangeAsync(Start);
        await node.InsertAsync("company", "name, x_it", "'Acme', '42'");
        var renamed = Samples.After(
            """[{"change":"rename_field","entity":"company","field":"x_it","to":"x_that"},{"change":"add_field","entity":"company","field":{"name":"x_new","type":"text"}}]""", node.Store.State.Layers);
        var (import, _) = MetadataPackage.Read(new MemoryStream(MetadataPackage.Export(MetadataState.Of(renamed))), isComplete: false);
        var plan = await node.Editor.PlanAsync([import!], Node.Admin);
        Assert.Null(plan.NoUndo);
        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
        Assert.Equal("42", await node.ScalarAsync<string>("SELECT x_that FROM records.company"));

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{applied.Version}}}]""")).Errors);

        Assert.Equal("42", await node.ScalarAsync<string>("SELECT x_it FROM records.company"));
        Assert.Equal((false, true), (node.Store.Current.Entity("company").TryField("x_that", out _), node.Store.Current.Entity("company").Field("x_new").IsHidden));
    }

    [Theory]
    [InlineData("""{"change":"change_type","entity":"company","field":{"name":"x_note","type":"text"}},{"change":"change_entity","entity":"company","label":"Account"}""", "email")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_it","to":"x_that"},{"change":"add_field","entity":"company","field":{"name":"x_it","type":"text"}}""", "x_it")]
    [InlineData("""{"change":"merge_choices","entity":"company","field":"x_source","from":"web","into":"fair"},{"change":"change_entity","entity":"company","label":"Account"}""", "merged")]
    [InlineData("""{"change":"purge_field","entity":"company","field":"x_gone"},{"change":"change_entity","entity":"company","label":"Account"}""", "for good")]
    public async Task What_cannot_be_taken_back_says_so_before_it_is_applied(string changes, string reason)
    {
        await node.ChangeAsync(Start);
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_gone","type":"text"}}]""");
        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_gone"}]""");
        var plan = await node.Editor.PlanAsync(Samples.Read($"[{changes}]"), Node.Admin);

        Assert.Empty(plan.Errors);
        Assert.StartsWith("Once applied, this cannot be taken back as a whole: ", plan.NoUndo, StringComparison.Ordinal);
        Assert.Contains(reason, plan.NoUndo, StringComparison.Ordinal);
        Assert.Equal(plan.NoUndo, MetadataJson.Write(plan)["no_undo"]!.GetValue<string>());

        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: plan.Confirm));
        Assert.Empty(applied.Errors);
        Assert.NotEmpty((await node.Editor.PlanAsync([new MetadataChange.Revert(applied.Version)], Node.Admin)).Errors);
    }

    [Fact]
    public async Task A_version_from_before_there_were_ids_is_taken_back_by_its_changes()
    {
        await node.ChangeAsync(Start);
        await node.InsertAsync("company", "name, x_it, x_note", "'Acme', '42', 'a@b.de'");
        var mixed = await node.ChangeAsync(Mixed);
        Assert.True(await node.ScalarAsync<bool>("SELECT definitions::text LIKE '%\"id\": %' FROM crm.metadata_history ORDER BY version DESC LIMIT 1"));
        await node.ExecuteAsync("""UPDATE crm.metadata_history SET definitions = regexp_replace(definitions::text, '"id": "[0-9a-f-]{36}",? ?', '', 'g')::jsonb""");

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{mixed.Version}}}]""")).Errors);

        Assert.Equal("42 a@b.de", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_it, x_note) FROM records.company"));
        var company = node.Store.Current.Entity("company");
        Assert.Equal((Fields.Text, "X_IT is not empty", true), (company.Field("x_it").Type, company.Rules.Single().Condition, company.Field("x_more").IsHidden));
    }

    [Fact]
    public async Task A_field_that_was_renamed_again_later_is_named()
    {
        await node.ChangeAsync(Start);
        var first = await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_it","to":"x_that"},{"change":"change_entity","entity":"company","label":"Account"}]""");
        await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_that","to":"x_other"}]""");

        var error = Assert.Single((await node.Editor.PlanAsync([new MetadataChange.Revert(first.Version)], Node.Admin)).Errors);

        Assert.Equal((ErrorCodes.Conflict, "company"), (error.Code, error.Target));
        Assert.Contains("fields x_that", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_versions_are_compared_where_the_fields_of_a_rule_differ()
    {
        await node.ChangeAsync(Start);
        var start = node.Store.Current.Version;
        var renamed = await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_note","to":"x_remark"}]""");

        Assert.Contains((await node.History.CompareAsync(start, renamed.Version))!.Value, d => d.Path.SequenceEqual(["rules", "note", "fields"]));
    }
}
