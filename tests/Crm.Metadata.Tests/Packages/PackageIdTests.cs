using System.IO.Compression;
using System.Text;
using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>A package knows what it is about by stable ids: a field under another name is the same field.</summary>
public sealed class PackageIdTests : NodeTests
{
    private const string Made = """
        [{"change":"add_field","entity":"company","field":{"name":"x_limit","type":"text","label":"Limit"}},
         {"change":"add_field","entity":"company","field":{"name":"x_double","type":"formula","result":"integer","formula":"x_size * 2"}},
         {"change":"add_field","entity":"company","field":{"name":"x_size","type":"integer"}},
         {"change":"set_view","entity":"company","view":{"name":"limits","label":"Limits","columns":["name","x_limit"],"sort":[{"path":"x_limit"}]}},
         {"change":"create_entity","name":"x_venue","fields":[{"name":"title","type":"text"},{"name":"host","type":"lookup","target":"company"}]},
         {"change":"set_view","entity":"x_venue","view":{"name":"all","label":"All","columns":["title","host.x_limit"]}}]
        """;

    private static MetadataLayers Source { get; } = Given(Samples.After(Made, Contacts()));

    [Fact]
    public async Task A_field_renamed_and_converted_at_the_source_is_renamed_and_converted_at_the_target_with_its_values()
    {
        await ImportAsync(Export(Source));
        await node.InsertAsync("company", "name, x_limit, x_size", "'Acme', '42', 7");
        var source = Given(Samples.After(
            """
            [{"change":"rename_field","entity":"company","field":"x_limit","to":"x_credit"},{"change":"rename_field","entity":"company","field":"x_size","to":"x_limit"},
             {"change":"change_type","entity":"company","field":{"name":"x_credit","type":"integer","minimum":1}},
             {"change":"add_field","entity":"company","field":{"name":"x_size","type":"text"}},{"change":"rename_field","entity":"x_venue","field":"title","to":"heading"}]
            """,
            Source));

        var plan = await ImportAsync(Export(source));

        Assert.Equal(3, plan.Steps.Count(s => s.Sql?.Contains("RENAME COLUMN", StringComparison.Ordinal) == true));
        Assert.Equal("42 7", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_credit, x_limit, x_size) FROM records.company"));
        var company = node.Store.Current.Entity("company");
        Assert.Equal((Fields.Integer, 1, "Limit", "x_limit * 2"), (company.Field("x_credit").Type, company.Field("x_credit").Minimum, company.Field("x_credit").Label, company.Field("x_double").Formula));
        Assert.Equal(["heading", "host.x_credit"], node.Store.Current.Entity("x_venue").Views.Single(v => v.Name == "all").Columns.AsEnumerable());
        Assert.Equal(Export(source), MetadataPackage.Export(node.Store.State));
        Assert.Empty((await node.Editor.PlanAsync([Read(Export(source), isComplete: true)], Node.Admin)).Steps);
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task The_same_field_made_on_both_sides_is_one_from_the_first_import_on()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_limit","type":"text","label":"Ours"}}]""");
        await node.InsertAsync("company", "name, x_limit", "'Acme', '42'");
        var ours = node.Store.State.Layers.Custom.Entity("company").Field("x_limit")!.Id;

        var plan = await ImportAsync(Export(Source));

        Assert.Contains(plan.Warnings, w => w is { Code: PlanCodes.Exists, Target: "company.x_limit" } && w.Message.Contains("made here and where the package comes from", StringComparison.Ordinal));
        var theirs = node.Store.State.Layers.Custom.Entity("company").Field("x_limit")!;
        Assert.Equal(("Limit", Source.Custom.Entity("company").Field("x_limit")!.Id), (theirs.Label, theirs.Id));
        Assert.NotEqual(ours, theirs.Id);
        Assert.Empty((await node.Editor.PlanAsync([Read(Export(Source), isComplete: false)], Node.Admin)).Steps);

        await ImportAsync(Export(Samples.After("""[{"change":"rename_field","entity":"company","field":"x_limit","to":"x_credit"}]""", Source)));
        Assert.Equal("42", await node.ScalarAsync<string>("SELECT x_credit FROM records.company"));
    }

    [Fact]
    public void A_package_without_ids_goes_by_names_and_leaves_the_ids_that_are_there()
    {
        var old = Export(Samples.After(Made, Contacts()));
        Assert.DoesNotContain(MetadataPackage.Files(Samples.After(Made, Contacts())), f => f.Text.Contains("id:", StringComparison.Ordinal));

        foreach (var isComplete in new[] { false, true })
        {
            var fresh = ChangePlanner.Plan(Contacts(), [Read(old, isComplete)], DatabaseFeatures.Full);
            Assert.Empty(fresh.Errors);
            var again = ChangePlanner.Plan(Source, [Read(old, isComplete)], DatabaseFeatures.Full);
            Assert.Empty(again.Errors);
            Assert.Empty(again.Steps);
            Assert.Equal(Export(Source), Export(again.After));
        }
    }

    [Theory]
    [InlineData("""[{"change":"add_field","entity":"company","field":{"name":"x_credit","type":"text"}}]""", "called so")]
    [InlineData("""[{"change":"rename_field","entity":"company","field":"x_limit","to":"x_t"},{"change":"rename_field","entity":"company","field":"x_size","to":"x_credit"}]""", "called so", "x_t")]
    public void A_name_that_something_else_has_here_is_refused_with_the_reason(string here, string reason, string from = "x_limit")
    {
        var target = Given(Samples.After(here, Source));
        var source = Samples.After("""[{"change":"rename_field","entity":"company","field":"x_limit","to":"x_credit"}]""", Source);
        if (from != "x_limit")
        {
            // The other one is not in the package.
            source = source.With(source.Custom.With(source.Custom.Entity("company") with { Fields = source.Custom.Entity("company").Fields.RemoveAll(f => f.Name is "x_size" or "x_double") }));
        }

        var error = Assert.Single(ChangePlanner.Plan(target, [Read(Export(source), isComplete: false)], DatabaseFeatures.Full).Errors);

        Assert.Equal((ErrorCodes.Conflict, "company." + from), (error.Code, error.Target));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_changed_places_and_ids_that_were_copied_are_refused_with_the_reason()
    {
        var swapped = new[] { ("x_limit", "x_t"), ("x_size", "x_limit"), ("x_t", "x_size") }.Aggregate(
            Source, (all, r) => Samples.After($$"""[{"change":"rename_field","entity":"company","field":"{{r.Item1}}","to":"{{r.Item2}}"}]""", all));
        var errors = ChangePlanner.Plan(Source, [Read(Export(swapped), isComplete: false)], DatabaseFeatures.Full).Errors;
        Assert.Equal(["company.x_limit", "company.x_size"], errors.Select(e => e.Target).Order(StringComparer.Ordinal));
        Assert.All(errors, e => Assert.Contains("change places", e.Message, StringComparison.Ordinal));

        var company = Source.Custom.Entity("company");
        var copied = Source.With(Source.Custom.With(company with { Fields = company.Fields.Add(company.Field("x_limit")! with { Name = "x_copy" }) }));
        var error = Assert.Single(ChangePlanner.Plan(Source, [Read(Export(copied), isComplete: false)], DatabaseFeatures.Full).Errors);
        Assert.Equal("company.x_copy", error.Target);
        Assert.Contains("'x_limit' and 'x_copy' have the same id", error.Message, StringComparison.Ordinal);

        var renamed = Source.With(Source.Custom.Without("x_venue").With(Source.Custom.Entity("x_venue") with { Name = "x_place" }));
        // A new name alone is followed.
        Assert.Equal(new EntityRename("x_venue", "x_place"), Assert.Single(ChangePlanner.Plan(Source, [Read(Export(renamed), isComplete: false)], DatabaseFeatures.Full).EntityRenames));
    }

    [Fact]
    public void An_id_that_is_none_names_file_and_line()
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, text) in new[] { ("crm.yaml", "format: 1"), ("entities/company/fields/x_a.yaml", "type: text\nid: mine") })
            {
                using var file = archive.CreateEntry(path).Open();
                file.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        zip.Position = 0;
        var error = Assert.Single(MetadataPackage.Read(zip, isComplete: false).Errors);

        Assert.Equal(("entities/company/fields/x_a.yaml:2", "'mine' is no id."), (error.Target, error.Message));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_package_follows_a_field_that_another_version_of_the_module_calls_otherwise(bool isTargetNewer)
    {
        var (older, newer) = (Module("amount", null), Module("worth", "amount"));
        var source = Samples.After(
            """
            [{"change":"change_field","entity":"company","field":{"name":"FIELD","label":"Value","required":true}},
             {"change":"add_field","entity":"company","field":{"name":"x_twice","type":"formula","result":"integer","formula":"FIELD * 2"}},
             {"change":"set_view","entity":"company","view":{"name":"rich","label":"Rich","columns":["name","FIELD"]}}]
            """.Replace("FIELD", isTargetNewer ? "amount" : "worth", StringComparison.Ordinal),
            isTargetNewer ? older : newer);

        var draft = ChangePlanner.Plan(isTargetNewer ? newer : older, [Read(Export(source), isComplete: true)], DatabaseFeatures.Full);

        Assert.Empty(draft.Errors);
        var (name, company) = (isTargetNewer ? "worth" : "amount", draft.Snapshot.Entity("company"));
        Assert.Equal(("Value", true, name + " * 2"), (company.Field(name).Label, company.Field(name).IsRequired, company.Field("x_twice").Formula));
        Assert.Equal(["name", name], company.Views.Single(v => v.Name == "rich").Columns.AsEnumerable());
        Assert.Empty(ChangePlanner.Plan(draft.After, [Read(Export(source), isComplete: true)], DatabaseFeatures.Full).Steps);
    }

    [Fact]
    public async Task What_was_made_before_there_were_ids_gets_one_made_of_its_names()
    {
        await node.ChangeAsync(Made);
        var made = node.Store.State.Layers.Custom;
        await node.ExecuteAsync("""
            UPDATE crm.definition SET body = (body - 'id') || jsonb_build_object('fields', (SELECT jsonb_agg(f - 'id' ORDER BY n) FROM jsonb_array_elements(body->'fields') WITH ORDINALITY AS x (f, n)))
            WHERE layer = 'custom' AND body ? 'fields'
            """);
        using var script = new StreamReader(typeof(PlatformScripts).Assembly.GetManifestResourceStream("Crm.Metadata.Sql.0173-stable-ids.sql")!);

        await node.ExecuteAsync(await script.ReadToEndAsync());

        var custom = (await node.Store.Runner.LoadAsync(default)).Custom;
        Assert.Equal(made.Entity("company").Fields.Select(f => f with { Id = null }), custom.Entity("company").Fields.Select(f => f with { Id = null }));
        Assert.Equal(8, custom.Entity("x_venue").Id!.Value.Version);
        var ids = custom.Entities.Values.SelectMany(e => e.Fields.Select(f => f.Id!.Value).Append(e.Id ?? Guid.Empty)).Where(i => i != Guid.Empty).ToList();
        Assert.Equal((6, 6), (ids.Count, ids.Distinct().Count()));
        Assert.Equal(StableIds.Of("custom", "company", new FieldShape("x_limit")), custom.Entity("company").Field("x_limit")!.Id);
    }

    private static MetadataLayers Contacts() => Samples.Declare(Samples.Declare(MetadataLayers.None, PlatformShape.Module, PlatformShape.Shape), Samples.Contacts, Samples.ContactsShape());

    private static MetadataLayers Module(string field, string? former) => Samples.Declare(
        Samples.Declare(MetadataLayers.None, PlatformShape.Module, PlatformShape.Shape),
        Samples.Contacts,
        Samples.ContactsShape(entity => entity.Field(field, Fields.Integer, f => _ = former is null ? f : f.RenamedFrom(former))));

    private static MetadataLayers Given(MetadataLayers layers) => layers.With(StableIds.Given(layers.Custom, TimeProvider.System));

    private static byte[] Export(MetadataLayers layers) => MetadataPackage.Export(MetadataState.Of(layers));

    private static MetadataChange.Import Read(byte[] package, bool isComplete)
    {
        var (change, errors) = MetadataPackage.Read(new MemoryStream(package), isComplete);
        Assert.Empty(errors);
        return change!;
    }

    private async Task<ChangePlan> ImportAsync(byte[] package)
    {
        var plan = await node.Editor.PlanAsync([Read(package, isComplete: false)], Node.Admin);
        Assert.Empty(plan.Errors);
        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        return plan;
    }
}
