using Crm.Sdk;

namespace Crm.Metadata.Tests;

public sealed class HistoryTests : NodeTests
{
    [Fact]
    public async Task Versions_are_listed_with_who_when_why_and_what()
    {
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_entity","entity":"company","label":"Account"}]"""), Node.Admin);
        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(" Sales says so "));

        var versions = await node.History.ListAsync(null, 10);

        Assert.Equal(applied.Version, versions[0].Version);
        Assert.Equal(("Ada", "Sales says so", null), (versions[0].UserName, versions[0].Comment, versions[0].NoRevert));
        Assert.Contains("label", Assert.Single(versions[0].Steps), StringComparison.Ordinal);
        Assert.Contains("module", versions[1].NoRevert, StringComparison.Ordinal);
        Assert.Equal(versions.Skip(1).Select(v => v.Version), (await node.History.ListAsync(applied.Version, 10)).Select(v => v.Version));
    }

    [Fact]
    public async Task Two_versions_are_compared_property_by_property()
    {
        var start = node.Store.Current.Version;
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text","label":"Code"}},{"change":"change_entity","entity":"company","label":"Account"}]""");
        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_code","label":"Customer code"}}]""");
        var end = (await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Customer"}]""")).Version;

        static IEnumerable<string> Text(IEnumerable<DefinitionDifference> differences) =>
            differences.Select(d => $"{d.Layer} {d.Name} {string.Join('.', d.Path)}: {d.Before} → {d.After}").Order(StringComparer.Ordinal);
        Assert.Equal(
            ["""custom company label: "Account" → "Customer" """.TrimEnd(), """custom company fields.x_code.label: "Code" → "Customer code" """.TrimEnd()],
            Text((await node.History.CompareAsync(start + 1, end))!.Value).OrderDescending(StringComparer.Ordinal));
        Assert.Equal("custom company :  → ", Assert.Single(Text((await node.History.CompareAsync(start, end))!.Value))[..20]);
        Assert.Null(await node.History.CompareAsync(start, end + 1));
        Assert.Null(await node.History.CompareAsync(end, start));
    }

    [Fact]
    public async Task A_version_is_reverted_exactly_and_later_ones_stay()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text","label":"Code"}},{"change":"set_view","entity":"company","view":{"name":"codes","columns":["name","x_code"]}}]""");
        var before = MetadataJson.WriteEntity(node.Store.State, node.Store.Current.Entity("company"));
        var undone = await node.ChangeAsync("""
            [{"change":"change_field","entity":"company","field":{"name":"x_code","label":"Number","unique":true,"help":"As printed"}},
             {"change":"change_field","entity":"company","field":{"name":"website","required":true}},
             {"change":"remove_view","entity":"company","view":"codes"},
             {"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name"]}]}},
             {"change":"hide_field","entity":"company","field":"revenue"}]
            """);
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""");

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{undone.Version}}}]""")).Errors);

        var after = MetadataJson.WriteEntity(node.Store.State, node.Store.Current.Entity("company"));
        Assert.Equal("Account", after["label"]!.GetValue<string>());
        foreach (var json in new[] { before, after })
        {
            // Of these the last change is about; everything else must be as it was.
            json.Remove("version");
            json.Remove("label");
            json.Remove("origins");
        }

        Assert.Equal(before.ToJsonString(), after.ToJsonString());
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.company__x_code_u')::text"));
    }

    [Fact]
    public async Task What_a_version_added_is_hidden_when_it_is_reverted_because_it_may_hold_data()
    {
        var added = await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}},{"change":"create_entity","name":"x_venue","fields":[{"name":"name","type":"text"}]}]""");
        await node.InsertAsync("company", "name, x_code", "'Acme', 'A1'");

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{added.Version}}}]""")).Errors);
        Assert.True(node.Store.Current.Entity("company").Field("x_code").IsHidden);
        Assert.True(node.Store.Current.Entity("x_venue").IsHidden);

        // Reverting the revert brings both back, with the data.
        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{node.Store.Current.Version}}}]""")).Errors);
        Assert.False(node.Store.Current.Entity("company").Field("x_code").IsHidden);
        Assert.False(node.Store.Current.Entity("x_venue").IsHidden);
        Assert.Equal("A1", await node.ScalarAsync<string>("SELECT x_code FROM records.company"));
    }

    [Fact]
    public async Task A_version_later_ones_depend_on_is_not_reverted_and_the_reasons_are_named()
    {
        var added = await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}},{"change":"change_entity","entity":"company","label":"Account"}]""");
        await node.ChangeAsync("""[{"change":"set_view","entity":"company","view":{"name":"coded","columns":["name"],"filter":{"path":"x_code","value":"A1"}}},{"change":"change_entity","entity":"company","label":"Customer"}]""");

        var plan = await node.Editor.PlanAsync(Samples.Read($$"""[{"change":"revert","version":{{added.Version}}}]"""), Node.Admin);

        Assert.Equal(["conflict:company", "in_use:company.x_code"], plan.Errors.Select(e => $"{e.Code}:{e.Target}").Order(StringComparer.Ordinal));
        Assert.Contains("label", plan.Errors.Single(e => e.Code == "conflict").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lost_data_modules_and_unknown_versions_are_not_reverted()
    {
        var module = node.Store.Current.Version;
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}}]""");
        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_code"}]""");
        var purge = await node.Editor.PlanAsync(Samples.Read("""[{"change":"purge_field","entity":"company","field":"x_code"}]"""), Node.Admin);
        var purged = await node.Editor.ApplyAsync(purge.Id, Node.Admin, new ApplyOptions(Confirm: ["x_code"]));

        foreach (var (version, code) in new[] { (module, ErrorCodes.ReadOnly), (purged.Version, ErrorCodes.ReadOnly), (999, ErrorCodes.NotFound) })
        {
            var plan = await node.Editor.PlanAsync(Samples.Read($$"""[{"change":"revert","version":{{version}}}]"""), Node.Admin);
            Assert.Equal(code, Assert.Single(plan.Errors).Code);
        }
    }

    [Fact]
    public async Task Who_changed_a_property_is_known_and_a_reset_is_a_version_that_can_be_taken_back()
    {
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Firm"},{"change":"change_field","entity":"company","field":{"name":"website","label":"Home page","required":true}}]""");
        var last = (await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""")).Version;

        var origins = PropertyOrigins.Of(node.Store.State, "company");
        var changes = await node.History.ChangesAsync("company", origins);

        Assert.Equal(["label: Ada 0", "fields/website/label: Ada 1", "fields/website/required: Ada 1"], origins.Select(o => $"{o.Key}: {changes[o].UserName} {last - changes[o].Version}"));
        var reset = await node.ChangeAsync("""[{"change":"reset","entity":"company","path":["fields","website"]}]""");
        Assert.Equal(("Website", false), (node.Store.Current.Entity("company").Field("website").Label, node.Store.Current.Entity("company").Field("website").IsRequired));
        Assert.Equal(["label"], PropertyOrigins.Of(node.Store.State, "company").Select(o => o.Key));
        await node.ChangeAsync($$"""[{"change":"revert","version":{{reset.Version}}}]""");
        Assert.Equal("Home page", node.Store.Current.Entity("company").Field("website").Label);
    }
}
