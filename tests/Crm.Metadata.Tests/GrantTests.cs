using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Grants follow what they are about, and roles are known by who grants them something.</summary>
public sealed class GrantTests : NodeTests
{
    private const string Grant = """{"change":"set_grant","entity":"company","grant":{"name":"everyone","read":"all","fields":[{"name":"x_pay","access":"none"}]}}""";
    private const string Field = """{"change":"add_field","entity":"company","field":{"name":"x_pay","type":"integer"}}""";

    [Fact]
    public async Task A_grant_follows_its_field_to_another_name_and_goes_with_it()
    {
        await node.ChangeAsync($"[{Field},{Grant}]");
        await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_pay","to":"x_salary"}]""");
        Assert.Equal(FieldAccess.None, Company.Grants.Single().Fields["x_salary"]);

        // Hidden and shown again, it is still kept from them.
        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_salary"}]""");
        await node.ChangeAsync("""[{"change":"show_field","entity":"company","field":"x_salary"}]""");
        Assert.Equal(FieldAccess.None, Company.Grants.Single().Fields["x_salary"]);

        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_salary"},{"change":"purge_field","entity":"company","field":"x_salary"}]""", "x_salary");
        await node.ChangeAsync($"[{Field.Replace("x_pay", "x_salary", StringComparison.Ordinal)}]");
        Assert.Empty(Company.Grants.Single().Fields);
    }

    [Fact]
    public async Task A_grant_is_taken_back_with_the_version_that_made_it()
    {
        await node.ChangeAsync($"[{Field}]");
        await node.ChangeAsync($"[{Grant}]");
        var version = node.Store.Current.Version;
        await node.ChangeAsync($$"""[{"change":"revert","version":{{version}}}]""");
        Assert.Empty(Company.Grants);
    }

    [Fact]
    public async Task A_role_that_a_module_grants_something_exists()
    {
        var shape = new MetadataBuilder("watch");
        shape.Entity("tower", e => e
            .Field("name", Fields.Text)
            .Visibility(Visibility.Private)
            .Grant(new GrantDefinition("night_guard") { Reaches = new GrantDefinition("x").Reaches.Add(AccessOperation.Read, Reach.All) }));
        Assert.Empty((await node.Editor.DeclareAsync(new ModuleInfo("watch", "Watch"), shape.Build())).Errors);
        Assert.Equal("Night guard", RoleNames.Of(node.Store.Current)["night_guard"]);
        var tower = node.Store.Current.Entity("tower");
        Assert.Equal((Visibility.Private, Reach.All), (tower.Visibility, tower.Grants.Single().ReachOf(AccessOperation.Read)));
    }

    [Fact]
    public async Task A_new_version_of_a_module_hides_no_records_from_those_who_work_with_them()
    {
        async Task DeclareAsync(Visibility? visibility)
        {
            var shape = new MetadataBuilder("watch");
            shape.Entity("tower", e => _ = visibility is { } said ? e.Field("name", Fields.Text).Visibility(said) : e.Field("name", Fields.Text));
            Assert.Empty((await node.Editor.DeclareAsync(new ModuleInfo("watch", "Watch"), shape.Build())).Errors);
        }

        await DeclareAsync(null);
        await DeclareAsync(Visibility.Private);
        Assert.Equal(Visibility.PublicWrite, node.Store.Current.Entity("tower").Visibility);
        await node.ChangeAsync("""[{"change":"change_entity","entity":"tower","visibility":null}]""");
        Assert.Equal(Visibility.Private, node.Store.Current.Entity("tower").Visibility);
    }

    private EntityDefinition Company => node.Store.Current.Entity("company");
}
