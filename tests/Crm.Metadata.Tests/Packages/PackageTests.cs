using System.IO.Compression;
using System.Text;
using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Metadata.Tests;

public sealed class PackageTests
{
    private const string Customisation = """
        [
          {"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","fields":[
            {"name":"name","type":"text","label":"Name","required":true},
            {"name":"kind","type":"choice","choices":[{"name":"hall","label":"Hall: \"big\""},{"name":"yes","label":"no"}],"default":"hall"},
            {"name":"price","type":"decimal","scale":2,"minimum":0.50,"help":"Line one\n\n  indented: #2\nline three"},
            {"name":"owner_company","type":"lookup","target":"company"}]},
          {"change":"change_entity","entity":"company","label":"Customer","plural":"Customers"},
          {"change":"change_field","entity":"company","field":{"name":"website","label":"Site 😀\u2028","required":true}},
          {"change":"add_field","entity":"company","field":{"name":"x_score","type":"integer","label":"Score"}},
          {"change":"hide_field","entity":"company","field":"employees"},
          {"change":"set_view","entity":"company","view":{"name":"best","label":"Best","columns":["name","x_score"],"filter":{"path":"x_score","operator":"greater","value":50},"sort":[{"path":"x_score","descending":true}]}},
          {"change":"set_form","entity":"opportunity","form":{"sections":[{"label":"","fields":["title","stage"]},{"label":"Money","fields":["budget"]}]}},
          {"change":"change_field","entity":"company","field":{"name":"rating","label":"Stars"}}
        ]
        """;

    private static MetadataLayers Customised { get; } = Samples.After(Customisation);

    [Fact]
    public void A_package_has_a_readable_file_for_each_thing()
    {
        var text = string.Concat(MetadataPackage.Files(Customised).OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => $"--- {f.Path}\n{f.Text}"));

        Approved.Check(text);
    }

    [Fact]
    public void The_same_definitions_give_the_same_bytes()
    {
        var again = Samples.After(Customisation);

        Assert.Equal(Export(Customised), Export(again));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_exported_and_imported_elsewhere_is_exported_the_same(bool isComplete)
    {
        var package = Export(Customised);

        var elsewhere = Import(Samples.Layers, package, isComplete);

        Assert.Equal(package, Export(elsewhere));
        Assert.False(ChangePlanner.Differ(Customised, elsewhere));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Importing_twice_changes_nothing(bool isComplete)
    {
        var once = Import(Samples.Layers, Export(Customised), isComplete);

        var draft = ChangePlanner.Plan(once, [Read(Export(Customised), isComplete)], DatabaseFeatures.Full);

        Assert.Empty(draft.Errors);
        Assert.Empty(draft.Steps);
        Assert.False(ChangePlanner.Differ(once, draft.After));
    }

    [Fact]
    public void What_a_package_does_not_mention_stays()
    {
        var mine = Samples.After("""
            [{"change":"change_entity","entity":"company","icon":"store"},
             {"change":"change_field","entity":"company","field":{"name":"website","help":"With https"}},
             {"change":"add_field","entity":"company","field":{"name":"x_mine","type":"text"}},
             {"change":"set_view","entity":"company","view":{"name":"mine","label":"Mine","columns":["name"]}}]
            """);

        var company = Import(mine, Export(Customised), isComplete: false).Effective("company");

        Assert.Equal(("store", "Customer"), (company.Icon, company.Label));
        Assert.Equal(("With https", true), (company.Field("website").Help, company.Field("website").IsRequired));
        Assert.False(company.Field("x_mine").IsHidden);
        Assert.Contains(company.Views, v => v.Name == "mine");
        Assert.Contains(company.Views, v => v.Name == "best");
    }

    [Fact]
    public void A_complete_package_takes_back_what_it_does_not_have_and_keeps_the_data()
    {
        var mine = Samples.After("""
            [{"change":"change_entity","entity":"company","icon":"store"},
             {"change":"change_field","entity":"company","field":{"name":"website","help":"With https"}},
             {"change":"add_field","entity":"company","field":{"name":"x_mine","type":"text"}},
             {"change":"create_entity","name":"x_mine","fields":[{"name":"name","type":"text"}]},
             {"change":"set_view","entity":"company","view":{"name":"mine","label":"Mine","columns":["name"]}}]
            """);
        var draft = ChangePlanner.Plan(mine, [Read(Export(Customised), isComplete: true)], DatabaseFeatures.Full);
        Assert.Empty(draft.Errors);

        var company = draft.Snapshot.Entity("company");

        Assert.Equal(Samples.Layers.Effective("company").Icon, company.Icon);
        Assert.Null(company.Field("website").Help);
        Assert.True(company.Field("x_mine").IsHidden);
        Assert.True(draft.Snapshot.Entity("x_mine").IsHidden);
        Assert.DoesNotContain(company.Views, v => v.Name == "mine");
        Assert.DoesNotContain(draft.Steps, s => s.Sql?.Contains("DROP", StringComparison.Ordinal) == true);
        Assert.Equal(["company.x_mine", "x_mine"], draft.Warnings.Select(w => w.Target).Order());
    }

    [Fact]
    public void A_plan_says_what_a_package_would_change()
    {
        var draft = ChangePlanner.Plan(Samples.Layers, [Read(Export(Customised), isComplete: false)], DatabaseFeatures.Full);

        Approved.Check(string.Join('\n', draft.Steps.Select(s => s.Text)) + "\n\n" + draft.Statements);
    }

    [Fact]
    public void A_package_for_a_module_that_is_missing_names_it()
    {
        var bare = Samples.Declare(MetadataLayers.None, PlatformShape.Module, PlatformShape.Shape);

        var draft = ChangePlanner.Plan(bare, [Read(Export(Customised), isComplete: false)], DatabaseFeatures.Full);

        Assert.Equal(["contacts", "sales"], draft.Errors.Where(e => e.Code == ErrorCodes.Module).Select(e => e.Message.Split('\'')[1]));
    }

    [Fact]
    public void An_import_is_checked_like_any_change()
    {
        var package = Zip(
            ("crm.yaml", "format: 1\n"),
            ("entities/company/fields/name.yaml", "type: integer\n"),
            ("entities/company/fields/score.yaml", "type: integer\n"),
            ("entities/company/fields/nowhere.yaml", "label: Lost\n"),
            ("entities/company/fields/created_at.yaml", "required: true\n"),
            ("entities/company/views/odd.yaml", "label: Odd\ncolumns:\n  - nothing\n"),
            ("entities/nobody/entity.yaml", "label: Lost\n"));

        var draft = ChangePlanner.Plan(Samples.Layers, [Read(package, isComplete: false)], DatabaseFeatures.Full);

        Assert.Equal(
            ["company.created_at", "company.name", "company.nowhere", "company.odd", "company.score", "nobody"],
            draft.Errors.Select(e => e.Target).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("label: &a Venue\nplural: *a", "entities/x_venue/entity.yaml:1", "Anchors")]
    [InlineData("label: Venue\nplural: *a", "entities/x_venue/entity.yaml", "alias")]
    [InlineData("label: !!binary QQ==", "entities/x_venue/entity.yaml:1", "Tags")]
    [InlineData("label: Venue\nlable: Venue", "entities/x_venue/entity.yaml:2", "lable")]
    [InlineData("label: Venue\nlabel: Venue", "entities/x_venue/entity.yaml:2", "twice")]
    [InlineData("label: Venue\nhidden: maybe", "entities/x_venue/entity.yaml:2", "hidden")]
    [InlineData("label: Venue\n---\nlabel: Other", "entities/x_venue/entity.yaml", "one document")]
    [InlineData("- a\n- b", "entities/x_venue/entity.yaml:1", "names")]
    [InlineData("label: [", "entities/x_venue/entity.yaml", "YAML")]
    [InlineData("fields:\n  - name\n  - gone", "entities/x_venue/entity.yaml:3", "gone")]
    public void What_cannot_be_read_names_file_and_line(string yaml, string place, string message)
    {
        var package = Zip(("crm.yaml", "format: 1"), ("entities/x_venue/entity.yaml", yaml), ("entities/x_venue/fields/name.yaml", "type: text"));

        var (change, errors) = MetadataPackage.Read(package, isComplete: false);

        Assert.Null(change);
        var error = Assert.Single(errors);
        Assert.StartsWith(place, error.Target, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Nesting_beyond_reason_is_refused()
    {
        var package = Zip(("crm.yaml", "format: 1"), ("entities/x_venue/entity.yaml", "label: " + new string('[', 5_000) + new string(']', 5_000)));

        Assert.Contains("nested", Assert.Single(MetadataPackage.Read(package, isComplete: false).Errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../crm.yaml", "leads out")]
    [InlineData("entities/../../etc/passwd", "leads out")]
    [InlineData("/etc/passwd", "leads out")]
    [InlineData("C:/windows/system.ini", "leads out")]
    [InlineData("..\\crm.yaml", "leads out")]
    [InlineData("entities/x_venue/run.sh", "does not belong")]
    [InlineData("entities/x_venue/fields/deep/name.yaml", "does not belong")]
    [InlineData("entities/Company/entity.yaml", "does not belong")]
    [InlineData("readme.txt", "does not belong")]
    public void A_file_in_a_strange_place_is_refused(string path, string message)
    {
        var error = Assert.Single(MetadataPackage.Read(Zip(("crm.yaml", "format: 1"), (path, "a: 1")), isComplete: false).Errors);

        Assert.Equal((ErrorCodes.BadRequest, path), (error.Code, error.Target));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_bombs_and_doubles_are_refused()
    {
        var link = Zip(zip =>
        {
            var entry = zip.CreateEntry("entities/company/form.yaml");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
        });
        var ratio = Zip(("crm.yaml", "format: 1"), ("entities/company/entity.yaml", new string(' ', 900_000)));
        var large = Zip(("crm.yaml", "format: 1"), ("entities/company/entity.yaml", new string(' ', 2_000_000)));
        var twice = Zip(("crm.yaml", "format: 1"), ("crm.yaml", "format: 1"));
        var many = Zip(zip =>
        {
            for (var i = 0; i <= PackageZip.MaxFiles; i++)
            {
                zip.CreateEntry($"entities/e{i}/entity.yaml", CompressionLevel.NoCompression);
            }
        });
        var text = Encoding.ASCII.GetBytes(new string('a', 1_000_000));
        var heavy = Zip(zip =>
        {
            for (var i = 0; i < 70; i++)
            {
                using var content = zip.CreateEntry($"entities/e{i}/entity.yaml", CompressionLevel.NoCompression).Open();
                content.Write(text);
            }
        });

        Assert.All(
            new (Stream Zip, string Message)[]
            {
                (link, "no links"), (ratio, "smaller than"), (large, "at most"), (twice, "two files"), (many, "files"), (heavy, "unpacked"),
                (new MemoryStream("PK no zip"u8.ToArray()), "no zip"), (Zip(), "no package"), (Zip(("crm.yaml", "format: 2")), "format 1"),
            },
            bad => Assert.Contains(bad.Message, Assert.Single(MetadataPackage.Read(bad.Zip, isComplete: false).Errors).Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_package_is_planned_stored_and_applied_in_the_database()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var node = await Node.StartAsync(database.ConnectionString);
        await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape());
        await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape());
        var package = Export(Customised.With(StableIds.Given(Customised.Custom, TimeProvider.System)));

        var plan = await node.Editor.PlanAsync([Read(package, isComplete: false)], Node.Admin);
        Assert.Empty(plan.Errors);
        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
        var again = await node.Editor.PlanAsync([Read(package, isComplete: true)], Node.Admin);

        Assert.Empty(applied.Errors);
        Assert.Empty(again.Steps);
        Assert.Equal(package, MetadataPackage.Export(node.Store.State));
        await node.InsertAsync("x_venue", "name, price", "'Hall', 7");
        Assert.Equal(1L, await node.ScalarAsync<long>("SELECT count(*) FROM records.x_venue WHERE price > 1"));
    }

    private static byte[] Export(MetadataLayers layers) => MetadataPackage.Export(MetadataState.Of(layers));

    private static MetadataChange.Import Read(byte[] package, bool isComplete) => Read(new MemoryStream(package), isComplete);

    private static MetadataChange.Import Read(Stream package, bool isComplete)
    {
        var (change, errors) = MetadataPackage.Read(package, isComplete);
        Assert.Empty(errors);
        return change!;
    }

    private static MetadataLayers Import(MetadataLayers layers, byte[] package, bool isComplete)
    {
        var draft = ChangePlanner.Plan(layers, [Read(package, isComplete)], DatabaseFeatures.Full);
        Assert.Empty(draft.Errors);
        return draft.After.At(layers.Version + 1);
    }

    private static MemoryStream Zip(params (string Path, string Text)[] files) => Zip(zip =>
    {
        foreach (var (path, text) in files)
        {
            using var content = zip.CreateEntry(path).Open();
            content.Write(Encoding.UTF8.GetBytes(text));
        }
    });

    private static MemoryStream Zip(Action<ZipArchive> fill)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            fill(zip);
        }

        stream.Position = 0;
        return stream;
    }
}
