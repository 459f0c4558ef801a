using System.Net.Http.Json;
using System.Text.Json;
using Crm.Host.Modules;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Crm.Host.Tests.Modules;

/// <summary>A module that is built in three versions; a customer changes things in between.</summary>
public sealed class ModuleUpgradeTests : IAsyncLifetime
{
    private readonly DirectoryInfo modules = Fixtures.Copy("good");
    private TestCrm crm = null!;
    private HttpClient admin = null!;

    private ModuleCatalogAccessor Catalog => crm.Services.GetRequiredService<ModuleCatalogAccessor>();

    private EntityDefinition Tool => crm.Metadata.Current.Entity("tool");

    private FieldDefinition Height => crm.Metadata.Current.Entity("bench").Field("height");

    public async Task InitializeAsync()
    {
        Install(1);
        crm = await TestCrm.StartAsync(new TestCrmOptions { ModulesDirectory = modules.FullName });
        admin = await crm.AdminClientAsync();
    }

    public async Task DisposeAsync()
    {
        await crm.DisposeAsync();
        modules.Delete(recursive: true);
    }

    [Fact]
    public async Task A_new_version_changes_what_the_customer_has_not_and_reports_the_rest()
    {
        await CustomiseAsync();
        var saw = await crm.Records.SaveAsync(RecordChange.Create("tool", new Dictionary<string, object?> { ["name"] = "Saw", ["size"] = "12", ["weight"] = 3, ["price"] = 9.5m }));
        Assert.True(saw.Succeeded);

        await UpgradeAsync(2);

        Assert.Equal(("2.0.0", ModuleStatus.Running), (Catalog.Current.Find("upgrade")!.Version, Catalog.Current.Find("upgrade")!.Status));
        // What nobody changed follows the module.
        Assert.Equal("Appliances", Tool.PluralLabel);
        Assert.Equal(Fields.Integer, Tool.Field("size").Type);
        Assert.True(Tool.Field("maker").IsRequired);
        Assert.Contains("robot", Tool.Field("kind").Choices.Select(c => c.Name));
        Assert.Equal(["name", "size", "mass"], Tool.Views.Single(v => v.Name == "all").Columns.AsEnumerable());
        // What the customer changed stays.
        Assert.Equal(("Instrument", "Format", "Load"), (Tool.Label, Tool.Field("size").Label, Tool.Field("mass").Label));
        Assert.Equal("My heavy ones", Tool.Views.Single(v => v.Name == "heavy").Label);
        Assert.Equal("mass * 2", Tool.Field("x_double").Formula);
        // What the module gave up stays as long as a formula needs it.
        Assert.False(Tool.Field("price").IsHidden);
        Assert.Equal("price * 1.19", Tool.Field("x_gross").Formula);
        var record = (await crm.Records.FindAsync("tool", saw.Record!.Id))!;
        Assert.Equal((12L, 3L, 9.5m), ((long)record["size"]!, (long)record["mass"]!, (decimal)record["price"]!));

        var notes = (await NotesAsync()).ToDictionary(n => Path(n), StringComparer.Ordinal);
        Assert.Equal(["fields/maker/required", "fields/price/hidden", "fields/size/label", "form", "label", "views/heavy"], notes.Keys.Order(StringComparer.Ordinal));
        var label = notes["label"];
        Assert.Equal(("1.0.0", "2.0.0", "Tool", "Appliance", "Instrument"), (Text(label, "from"), Text(label, "to"), Text(label, "before"), Text(label, "after"), Text(label, "yours")));
        Assert.Contains("Gross", Text(notes["fields/price/hidden"], "text"), StringComparison.Ordinal);
        Assert.Contains("Maker: 1", Text(notes["fields/maker/required"], "text"), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, notes["views/heavy"].GetProperty("before").ValueKind);
        // The form the customer laid out got the new field at its end.
        Assert.Equal(["name", "mass", "colour"], Tool.Form.Sections[0].Fields.AsEnumerable());

        // One is kept, one is taken; both are settled, also after a restart.
        using var kept = await admin.PostAsync($"/api/metadata/upgrades/{notes["views/heavy"].GetProperty("id").GetInt64()}/keep", null);
        Assert.True(kept.IsSuccessStatusCode);
        await crm.ChangeAsync(label.GetProperty("take").GetRawText());
        Assert.Equal("Appliance", Tool.Label);
        await crm.RestartAsync();
        admin = await crm.AdminClientAsync();
        Assert.Equal(["fields/maker/required", "fields/price/hidden", "fields/size/label", "form"], (await NotesAsync()).Select(Path).Order(StringComparer.Ordinal));
        Assert.Equal(6, (await NotesAsync("?all=true")).Count);
    }

    [Fact]
    public async Task A_version_that_does_not_fit_stays_out_with_its_reason_and_everything_else_starts()
    {
        var saw = await crm.Records.SaveAsync(RecordChange.Create("tool", new Dictionary<string, object?> { ["name"] = "Saw", ["size"] = "a hand" }));
        Assert.True(saw.Succeeded);

        // Its text cannot become a number, and for that reason the version stays out.
        await UpgradeAsync(2);
        var refused = Catalog.Current.Find("upgrade")!;
        Assert.Equal(ModuleStatus.Failed, refused.Status);
        Assert.Contains("a hand", refused.Reason, StringComparison.Ordinal);
        Assert.Equal("Tools", Tool.PluralLabel);

        // Nor can it become a lookup, whatever it says; also when a host begins with that version.
        Install(3);
        await crm.RestartAsync();
        admin = await crm.AdminClientAsync();
        refused = Catalog.Current.Find("upgrade")!;
        Assert.Equal(("3.0.0", ModuleStatus.Failed), (refused.Version, refused.Status));
        Assert.Contains("lookup", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(ModuleStatus.Running, Catalog.Current.Find("good")!.Status);
        Assert.Equal("a hand", (await crm.Records.FindAsync("tool", saw.Record!.Id))!["size"]);
        Assert.Empty(await NotesAsync());

        // Back to the version that fits, and everything works again.
        await UpgradeAsync(1);
        Assert.Equal(ModuleStatus.Running, Catalog.Current.Find("upgrade")!.Status);
        Assert.True((await crm.Records.SaveAsync(RecordChange.Update("tool", saw.Record.Id, new Dictionary<string, object?> { ["size"] = "12" }))).Succeeded);
        await UpgradeAsync(2);
        Assert.Equal(ModuleStatus.Running, Catalog.Current.Find("upgrade")!.Status);
    }

    [Fact]
    public async Task A_version_that_converts_two_big_tables_waits_while_the_one_before_goes_on_and_starts_by_itself()
    {
        await using var holder = new NpgsqlConnection(crm.ConnectionString);
        await holder.OpenAsync();
        await ExecuteAsync(holder, """
            INSERT INTO records.tool (id, created_at, modified_at, name, size, maker) SELECT gen_random_uuid(), now(), now(), 'Tool', n, 'Bolt' FROM generate_series(1, 10000) AS n;
            INSERT INTO records.bench (id, created_at, modified_at, name, height) SELECT gen_random_uuid(), now(), now(), 'Bench', n FROM generate_series(1, 10000) AS n;
            CREATE FUNCTION crm.hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $$;
            CREATE TRIGGER crm_hold_up BEFORE UPDATE ON crm.metadata_step FOR EACH ROW WHEN (NEW.done > 0) EXECUTE FUNCTION crm.hold_up();
            SELECT pg_advisory_lock(77);
            """);

        await UpgradeAsync(2);

        // The former version works on its records as before, and says what is coming.
        var former = Catalog.Current.Find("upgrade")!;
        Assert.Equal(("1.0.0", ModuleStatus.Running), (former.Version, former.Status));
        Assert.Contains("2.0.0", former.Reason, StringComparison.Ordinal);
        Assert.Equal(("Tools", Fields.Text, Fields.Text), (Tool.PluralLabel, Tool.Field("size").Type, Height.Type));
        Assert.True((await crm.Records.SaveAsync(RecordChange.Create("tool", new Dictionary<string, object?> { ["name"] = "Saw", ["size"] = "12" }))).Succeeded);
        Assert.True((await crm.Records.SaveAsync(RecordChange.Create("bench", new Dictionary<string, object?> { ["height"] = "95" }))).Succeeded);

        // A host that begins with the new files has no former version: its records can be read, and wait.
        await crm.RestartAsync();
        admin = await crm.AdminClientAsync();
        var waiting = (await admin.GetFromJsonAsync<JsonElement>("/api/modules")).GetProperty("value").EnumerateArray().Single(m => Text(m, "id") == "upgrade");
        Assert.Equal(("waiting", "2.0.0"), (Text(waiting, "status"), Text(waiting, "version")));
        Assert.Contains("prepared", Text(waiting, "reason"), StringComparison.Ordinal);
        Assert.False((await crm.Records.SaveAsync(RecordChange.Create("tool", new Dictionary<string, object?> { ["name"] = "Axe" }))).Succeeded);

        var runs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Catalog.Changed += next => _ = next.Find("upgrade")!.Status == ModuleStatus.Running && runs.TrySetResult();
        await ExecuteAsync(holder, "SELECT pg_advisory_unlock(77)");
        await runs.Task.WaitAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(("2.0.0", null), (Catalog.Current.Find("upgrade")!.Version, Catalog.Current.Find("upgrade")!.Reason));
        Assert.Equal(("Appliances", Fields.Integer, Fields.Integer), (Tool.PluralLabel, Tool.Field("size").Type, Height.Type));
        Assert.True((await crm.Records.SaveAsync(RecordChange.Create("tool", new Dictionary<string, object?> { ["name"] = "Axe", ["size"] = 7, ["maker"] = "Bolt" }))).Succeeded);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task CustomiseAsync() => crm.ChangeAsync(
        """
        {"change":"change_entity","entity":"tool","label":"Instrument"},
        {"change":"change_field","entity":"tool","field":{"name":"size","label":"Format"}},
        {"change":"change_field","entity":"tool","field":{"name":"weight","label":"Load"}},
        {"change":"add_field","entity":"tool","field":{"name":"x_gross","type":"formula","result":"decimal","label":"Gross","formula":"price * 1.19"}},
        {"change":"add_field","entity":"tool","field":{"name":"x_double","type":"formula","result":"integer","label":"Double","formula":"weight * 2"}},
        {"change":"set_view","entity":"tool","view":{"name":"heavy","label":"My heavy ones","columns":["name","weight"],"filter":{"path":"weight","operator":"greater","value":10}}},
        {"change":"set_form","entity":"tool","form":{"sections":[{"label":"Mine","fields":["name","weight"]}]}}
        """);

    private async Task UpgradeAsync(int version)
    {
        Install(version);
        await crm.Services.GetRequiredService<ModuleUpdates>().ReloadAsync(CancellationToken.None);
    }

    private void Install(int version)
    {
        var target = Directory.CreateDirectory(System.IO.Path.Combine(modules.FullName, "upgrade"));
        foreach (var file in new DirectoryInfo(System.IO.Path.Combine(Fixtures.Versions, version.ToString(System.Globalization.CultureInfo.InvariantCulture), "upgrade")).EnumerateFiles())
        {
            file.CopyTo(System.IO.Path.Combine(target.FullName, file.Name), overwrite: true);
        }
    }

    private async Task<List<JsonElement>> NotesAsync(string query = "") =>
        [.. (await admin.GetFromJsonAsync<JsonElement>("/api/metadata/upgrades" + query)).GetProperty("value").EnumerateArray()];

    private static string Path(JsonElement note) => string.Join('/', note.GetProperty("path").EnumerateArray().Select(p => p.GetString()));

    private static string? Text(JsonElement note, string property) => note.GetProperty(property).GetString();
}
