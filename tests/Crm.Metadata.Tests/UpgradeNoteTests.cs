using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>What upgrades left to a person, as it is stored and settled.</summary>
public sealed class UpgradeNoteTests : NodeTests
{
    [Fact]
    public async Task A_note_is_open_until_somebody_keeps_what_they_have()
    {
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""");
        await DeclareAsync("1.1.0", e => e.Label("Organisation", "Organisations"));

        var note = Assert.Single(await node.Upgrades.ListAsync());

        Assert.Equal(("contacts", "1.0.0", "1.1.0", UpgradeKind.Kept, "company", "label"), (note.Module, note.FromVersion, note.ToVersion, note.Kind, note.Entity, Assert.Single(note.Path)));
        Assert.Equal(("\"Company\"", "\"Organisation\"", "\"Account\""), (note.Before, note.After, note.Yours));
        Assert.True(note.CanTake);
        Assert.Equal(("Account", "Organisations"), (node.Store.Current.Entity("company").Label, node.Store.Current.Entity("company").PluralLabel));

        Assert.False(await node.Upgrades.KeepAsync(note.Id, new Actor(Guid.CreateVersion7(), "Guest", IsAdministrator: false)));
        Assert.True(await node.Upgrades.KeepAsync(note.Id, Node.Admin));
        Assert.False(await node.Upgrades.KeepAsync(note.Id, Node.Admin));
        Assert.Empty(await node.Upgrades.ListAsync());
        Assert.Equal((UpgradeState.Kept, "Ada"), (Assert.Single(await node.Upgrades.ListAsync(all: true)).State, (await node.Upgrades.ListAsync(all: true))[0].DecidedBy));
    }

    [Fact]
    public async Task Taking_what_the_module_says_settles_a_note_and_taking_that_back_opens_it_again()
    {
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""");
        await DeclareAsync("1.1.0", e => e.Label("Organisation", "Organisations"));

        var taken = await node.ChangeAsync("""[{"change":"reset","entity":"company","path":["label"]}]""");

        Assert.Equal("Organisation", node.Store.Current.Entity("company").Label);
        Assert.Empty(await node.Upgrades.ListAsync());
        Assert.Equal(UpgradeState.Taken, Assert.Single(await node.Upgrades.ListAsync(all: true)).State);
        await node.ChangeAsync($$"""[{"change":"revert","version":{{taken.Version}}}]""");
        Assert.Equal("\"Account\"", Assert.Single(await node.Upgrades.ListAsync()).Yours);
    }

    [Fact]
    public async Task Several_upgrades_give_one_note_from_what_was_last_looked_at_and_none_when_the_module_goes_back()
    {
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""");
        await DeclareAsync("1.1.0", e => e.Label("Organisation", "Companies"));
        await DeclareAsync("1.2.0", e => e.Label("Business", "Companies"));

        var note = Assert.Single(await node.Upgrades.ListAsync());
        Assert.Equal(("1.0.0", "1.2.0", "\"Company\"", "\"Business\""), (note.FromVersion, note.ToVersion, note.Before, note.After));

        await DeclareAsync("1.3.0");
        Assert.Empty(await node.Upgrades.ListAsync(all: true));
    }

    [Fact]
    public async Task A_new_version_without_new_definitions_is_remembered_and_raises_no_version()
    {
        var version = node.Store.Current.Version;
        await DeclareAsync("1.0.1");
        Assert.Equal(version, node.Store.Current.Version);

        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""");
        await DeclareAsync("1.1.0", e => e.Label("Organisation", "Companies"));

        Assert.Equal("1.0.1", Assert.Single(await node.Upgrades.ListAsync()).FromVersion);
    }

    [Fact]
    public async Task What_records_lack_and_what_went_is_noted_and_the_start_goes_on()
    {
        await DeclareAsync("1.1.0", e => e.Field("fax", Fields.Phone).Field("code", Fields.Text));
        await node.InsertAsync("company", "name", "'Acme'");
        await node.ChangeAsync("""[{"change":"set_view","entity":"company","view":{"name":"faxes","label":"Faxes","columns":["name","fax"]}}]""");

        await DeclareAsync("1.2.0", e => e.Field("code", Fields.Text, f => f.Required()));

        var notes = (await node.Upgrades.ListAsync()).ToDictionary(n => n.Kind);
        Assert.Equal(["fields", "fax", "hidden"], notes[UpgradeKind.Gone].Path.AsEnumerable());
        Assert.Contains("“Faxes”", notes[UpgradeKind.Gone].Text, StringComparison.Ordinal);
        Assert.Contains("Records of Company without a value in Code: 1", notes[UpgradeKind.Records].Text, StringComparison.Ordinal);
        Assert.All(notes.Values, n => Assert.False(n.CanTake));

        // It comes back, and its note goes.
        await DeclareAsync("1.3.0", e => e.Field("fax", Fields.Phone).Field("code", Fields.Text, f => f.Required()));
        Assert.Equal([UpgradeKind.Records], (await node.Upgrades.ListAsync()).Select(n => n.Kind));
    }

    [Fact]
    public async Task Values_are_converted_into_a_new_type_and_those_that_cannot_be_keep_the_module_out()
    {
        await DeclareAsync("1.1.0", e => e.Field("code", Fields.Text));
        await node.InsertAsync("company", "name, code", "'Acme', '12'");
        await node.InsertAsync("company", "name, code", "'Bad', 'a dozen'");

        var refused = await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape(e => e.Field("code", Fields.Integer)), "1.2.0");

        Assert.Contains("a dozen", Assert.Single(refused.Errors).Message, StringComparison.Ordinal);
        Assert.Equal("1.1.0", await node.ScalarAsync<string>("SELECT version FROM crm.module WHERE id = 'contacts'"));
        await node.ExecuteAsync("UPDATE records.company SET code = '13' WHERE name = 'Bad'");
        await DeclareAsync("1.2.0", e => e.Field("code", Fields.Integer));
        Assert.Equal(25, await node.ScalarAsync<decimal>("SELECT sum(code) FROM records.company"));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await DeclareAsync("1.0.0");
    }

    private async Task DeclareAsync(string version, Action<IEntityBuilder>? more = null) =>
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape(more), version)).Errors);
}
