using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>The country of the installation: what phone numbers without a calling code belong to where their field names none.</summary>
public sealed class PhoneCountryTests : NodeTests
{
    private const string Germany = """[{"change":"change_settings","phone_country":"DE"}]""";
    private const string None = """[{"change":"change_settings","phone_country":null}]""";

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await node.ChangeAsync("""
            [{"change":"add_field","entity":"company","field":{"name":"x_phone","type":"phone","label":"Phone"}},
             {"change":"add_field","entity":"company","field":{"name":"x_phones","type":"phones","label":"Phones"}},
             {"change":"add_field","entity":"company","field":{"name":"x_vienna","type":"phone","label":"Vienna","country":"AT"}}]
            """);
        await node.InsertAsync("company", "name, x_phone, x_phone__k, x_phones, x_vienna, x_vienna__k", """'Acme', '0171 1234567', '01711234567', '[{"kind":"work","value":"030 901820"}]', '01 5880', '+4315880'""");
        await node.StepRunner.RunPendingAsync();
    }

    [Fact]
    public async Task Keys_of_fields_without_a_country_follow_and_fields_with_their_own_stay()
    {
        var plan = await node.Editor.PlanAsync(Samples.Read(Germany), Node.Admin);
        Assert.Contains("DE", plan.Steps[0].Text, StringComparison.Ordinal);
        Assert.Equal([("company", 1L), ("company", 1L)], plan.Steps.Where(s => s.Sql is not null).Select(s => (s.Entity!, s.Rows!.Value)));
        Assert.All(plan.Steps.Where(s => s.Sql is not null), s => Assert.True(s.IsBackground));
        Assert.Null(plan.NoUndo);

        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("+491711234567 +4930901820 +4315880", await KeysAsync());
        Assert.Equal(("DE", true), (Field("x_phone").Country, Field("x_phone").IsCountryOfInstallation));
        Assert.Equal(("AT", false), (Field("x_vienna").Country, Field("x_vienna").IsCountryOfInstallation));
        await AssertSoundAsync();

        // What is read of a field can be sent back, and does not become its own.
        var json = MetadataJson.WriteEntity(node.Store.State, node.Store.Current.Entity("company"))["fields"]!.AsArray();
        Assert.Null(json.Single(f => f!["name"]!.GetValue<string>() == "x_phone")!["country"]);
        Assert.Equal("DE", MetadataJson.WriteMetadata(node.Store.State)["settings"]!["phone_country"]!.GetValue<string>());

        await node.ChangeAsync(None);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("01711234567 030901820 +4315880", await KeysAsync());
        Assert.Null(Field("x_phone").Country);
        await AssertSoundAsync();
    }

    [Fact]
    public async Task A_field_can_have_no_country_whatever_the_installation_has()
    {
        await node.ChangeAsync(Germany);
        Assert.Empty((await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_phone","country":"ZZ"}}]""")).Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("01711234567 +4930901820 +4315880", await KeysAsync());
        var json = MetadataJson.WriteEntity(node.Store.State, node.Store.Current.Entity("company"))["fields"]!.AsArray();
        Assert.Equal("ZZ", json.Single(f => f!["name"]!.GetValue<string>() == "x_phone")!["country"]!.GetValue<string>());

        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_phone","country":null}}]""");
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("+491711234567 +4930901820 +4315880", await KeysAsync());
        await AssertSoundAsync();
        // The installation has one, or has none by having nothing.
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_settings","phone_country":"ZZ"}]"""), Node.Admin);
        Assert.Equal(PlanCodes.Option, Assert.Single(plan.Errors).Code);
    }

    [Fact]
    public async Task It_is_a_version_like_every_change_and_can_be_taken_back()
    {
        await node.ChangeAsync(Germany);
        var version = node.Store.Current.Version;
        var difference = Assert.Single((await node.History.CompareAsync(version - 1, version))!.Value);
        Assert.Equal(("settings", "{\"phone_country\":\"DE\"}"), (difference.Kind, difference.After));

        await node.ChangeAsync($$"""[{"change":"revert","version":{{version}}}]""");
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("01711234567 030901820 +4315880", await KeysAsync());

        // Changed again since, it is not taken back behind anybody's back.
        await node.ChangeAsync(Germany);
        await node.ChangeAsync("""[{"change":"change_settings","phone_country":"AT"}]""");
        var plan = await node.Editor.PlanAsync(Samples.Read($$"""[{"change":"revert","version":{{node.Store.Current.Version - 1}}}]"""), Node.Admin);
        Assert.Equal(ErrorCodes.Conflict, Assert.Single(plan.Errors).Code);

        // Another host starts with it.
        await using var other = await Node.StartAsync(database.ConnectionString);
        Assert.Equal("AT", other.Store.Current.Entity("company").Field("x_phone").Country);
        await other.StepRunner.RunPendingAsync();
        Assert.Equal("+431711234567 +4330901820 +4315880", await KeysAsync());
        await AssertSoundAsync();
    }

    [Fact]
    public async Task Two_notations_of_one_number_in_a_unique_field_stop_its_step_and_are_named()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_line","type":"phone","unique":true}}]""");
        await node.InsertAsync("company", "name, x_line, x_line__k", "'A', '030 901820', '030901820'");
        await node.InsertAsync("company", "name, x_line, x_line__k", "'B', '+49 30 901820', '+4930901820'");

        await node.ChangeAsync(Germany);
        await node.StepRunner.RunPendingAsync();
        var failed = Assert.Single(await node.Steps.ListAsync(), s => s.State == MetadataStepState.Failed);
        Assert.Contains("'+4930901820'", failed.Error, StringComparison.Ordinal);

        await node.ExecuteAsync("DELETE FROM records.company WHERE name = 'B'");
        Assert.True(await node.Steps.RetryAsync(failed.Id));
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("+4930901820", await node.ScalarAsync<string>("SELECT x_line__k FROM records.company WHERE name = 'A'"));
    }

    [Theory]
    [InlineData("Germany")]
    [InlineData("de")]
    [InlineData("XX")]
    public async Task A_country_nobody_knows_is_refused(string country)
    {
        var plan = await node.Editor.PlanAsync(Samples.Read($$"""[{"change":"change_settings","phone_country":"{{country}}"}]"""), Node.Admin);
        Assert.Equal((PlanCodes.Option, "settings.phone_country"), (Assert.Single(plan.Errors).Code, plan.Errors[0].Target));
    }

    [Fact]
    public async Task The_same_country_again_changes_nothing()
    {
        await node.ChangeAsync(Germany);
        Assert.Empty((await node.Editor.PlanAsync(Samples.Read(Germany), Node.Admin)).Steps);
        Assert.Empty((await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_settings"}]"""), Node.Admin)).Steps);
    }

    [Fact]
    public async Task It_travels_in_packages()
    {
        await node.ChangeAsync(Germany);
        var package = MetadataPackage.Export(node.Store.State);
        Assert.Empty((await PlanAsync(package, isComplete: true)).Steps);

        await node.ChangeAsync(None);
        var without = MetadataPackage.Export(node.Store.State);
        foreach (var isComplete in new[] { false, true })
        {
            var plan = await PlanAsync(package, isComplete);
            Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
            Assert.Equal("DE", Field("x_phone").Country);
            // One that says nothing of it leaves it alone, unless it is all there is to say.
            Assert.Empty((await PlanAsync(without, isComplete: false)).Steps);
            var back = await PlanAsync(without, isComplete: true);
            Assert.Empty((await node.Editor.ApplyAsync(back.Id, Node.Admin)).Errors);
            Assert.Null(Field("x_phone").Country);
        }

        Assert.Equal(without, MetadataPackage.Export(node.Store.State));
    }

    private FieldDefinition Field(string name) => node.Store.Current.Entity("company").Field(name);

    private async Task<ChangePlan> PlanAsync(byte[] package, bool isComplete)
    {
        using var zip = new MemoryStream(package);
        var (change, errors) = MetadataPackage.Read(zip, isComplete);
        Assert.Empty(errors);
        return await node.Editor.PlanAsync([change!], Node.Admin);
    }

    private Task<string?> KeysAsync() => node.ScalarAsync<string>("SELECT concat_ws(' ', x_phone__k, x_phones__k[1], x_vienna__k) FROM records.company");

    private async Task AssertSoundAsync() => Assert.Empty((await node.Consistency.RunAsync()).Differences);
}
