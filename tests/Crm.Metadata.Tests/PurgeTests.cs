namespace Crm.Metadata.Tests;

public sealed class PurgeTests : NodeTests
{
    [Fact]
    public async Task A_table_that_had_too_many_columns_says_so_before_PostgreSQL_does()
    {
        // Fields added and removed again and again: PostgreSQL counts their columns all the same.
        await node.ExecuteAsync("DO $$ BEGIN FOR i IN 1..1480 LOOP ALTER TABLE records.company ADD COLUMN gone integer; ALTER TABLE records.company DROP COLUMN gone; END LOOP; END $$");
        var columns = await node.ScalarAsync<long>("SELECT count(*) FROM pg_attribute WHERE attrelid = 'records.company'::regclass AND attnum > 0");
        for (; columns < 1500; columns++)
        {
            await node.ExecuteAsync("ALTER TABLE records.company ADD COLUMN gone integer; ALTER TABLE records.company DROP COLUMN gone");
        }

        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"add_field","entity":"company","field":{"name":"x_one","type":"text"}}]"""), Node.Admin);

        var error = Assert.Single(plan.Errors);
        Assert.Equal(("limit", "company"), (error.Code, error.Target));
        Assert.Contains("1,500", error.Message, StringComparison.Ordinal);
        Assert.Contains("restore", error.Message, StringComparison.Ordinal);
        // What needs no new column goes on.
        Assert.Empty((await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"website","label":"Page"}}]""")).Errors);
    }

    private const string Venue =
        """{"change":"create_entity","name":"x_venue","label":"Venue","fields":[{"name":"name","type":"text"},{"name":"rent","type":"money"},{"name":"number","type":"auto_number","prefix":"V","width":3}]}""";

    [Theory]
    [InlineData("""{"change":"purge_field","entity":"company","field":"website"}""", "read_only", "company.website")]
    [InlineData("""{"change":"purge_field","entity":"company","field":"owner"}""", "read_only", "company.owner")]
    [InlineData("""{"change":"purge_field","entity":"company","field":"moon"}""", "unknown_field", "company.moon")]
    [InlineData("""{"change":"purge_entity","entity":"company"}""", "read_only", "company")]
    [InlineData("""{"change":"purge_entity","entity":"x_moon"}""", "unknown_entity", "x_moon")]
    [InlineData("""{"change":"create_entity","name":"x_a","fields":[{"name":"name","type":"text"}]},{"change":"purge_entity","entity":"x_a"}""", "in_use", "x_a")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"text"}},{"change":"purge_field","entity":"company","field":"x_a"}""", "in_use", "company.x_a")]
    public void What_is_not_the_customers_or_still_shown_is_not_removed(string changes, string code, string target)
    {
        var draft = Samples.PlanJson($"[{changes}]");

        Assert.Contains(draft.Errors, e => e.Code == code && e.Target == target);
        Assert.Empty(draft.Steps);
    }

    [Fact]
    public async Task A_purged_field_takes_its_column_and_its_places_along_once_its_name_was_typed()
    {
        await node.ChangeAsync($$"""
            [{{Venue}},
             {"change":"set_view","entity":"x_venue","view":{"name":"prices","columns":["name","rent"],"sort":[{"path":"rent"}]} },
             {"change":"set_form","entity":"x_venue","form":{"sections":[{"label":"Money","fields":["name","rent"]}]} }]
            """);
        await node.InsertAsync("x_venue", "name, rent, rent_currency", "'Hall', 10, 'EUR'");
        await node.ChangeAsync("""[{"change":"set_form","entity":"x_venue","form":{"sections":[{"label":"Money","fields":["name"]}]}},{"change":"hide_field","entity":"x_venue","field":"rent"}]""");

        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"purge_field","entity":"x_venue","field":"rent"}]"""), Node.Admin);

        Assert.Empty(plan.Errors);
        Assert.Equal(["rent"], plan.Confirm.AsEnumerable());
        Assert.Contains("Rent is lost: 1.", Assert.Single(plan.Warnings).Message, StringComparison.Ordinal);
        Assert.Equal(["view:x_venue.prices", "sort:x_venue.prices"], plan.Uses.Select(u => $"{u.Kind}:{u.Target}"));
        var drop = Assert.Single(plan.Steps, s => s.IsDestructive);
        Assert.False(drop.CanUndo);
        Assert.Equal(1, drop.Rows);
        Assert.Equal("""ALTER TABLE records."x_venue" DROP COLUMN "rent", DROP COLUMN "rent_currency" """.TrimEnd(), drop.Sql);

        var untyped = Assert.Single((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        Assert.Equal(("confirm", "rent"), (untyped.Code, untyped.Target));
        Assert.Equal(10, await node.ScalarAsync<decimal>("SELECT rent FROM records.x_venue"));

        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions("Nobody used it", ["rent"]))).Errors);
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(*) FROM information_schema.columns WHERE table_name = 'x_venue' AND column_name LIKE 'rent%'"));
        Assert.Equal("Nobody used it", await node.ScalarAsync<string>("SELECT comment FROM crm.metadata_history ORDER BY version DESC LIMIT 1"));
        var venue = node.Store.Current.Entity("x_venue");
        Assert.False(venue.TryField("rent", out _));
        Assert.Equal(["name"], venue.Views.Single(v => v.Name == "prices").Columns.AsEnumerable());
        // The name is free again.
        Assert.Empty((await node.ChangeAsync("""[{"change":"add_field","entity":"x_venue","field":{"name":"rent","type":"text"}}]""")).Errors);
    }

    [Fact]
    public async Task A_purged_entity_takes_its_table_and_its_numbers_along()
    {
        await node.ChangeAsync($"[{Venue}]");
        await node.InsertAsync("x_venue", "name", "'Hall'");
        await node.ExecuteAsync("INSERT INTO crm.counter (entity, field, next) VALUES ('x_venue', 'number', 7)");
        await node.ChangeAsync("""[{"change":"hide_entity","entity":"x_venue"}]""");

        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"purge_entity","entity":"x_venue"}]"""), Node.Admin);
        Assert.Equal(["x_venue"], plan.Confirm.AsEnumerable());
        Assert.Equal(1, Assert.Single(plan.Steps, s => s.IsDestructive).Rows);
        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: ["x_venue"]))).Errors);

        Assert.False(node.Store.Current.TryEntity("x_venue", out _));
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.x_venue')::text"));
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(*) FROM crm.counter WHERE entity = 'x_venue'"));
        Assert.Empty((await node.ChangeAsync($"[{Venue}]")).Errors);
    }

    [Fact]
    public void An_entity_others_point_to_is_not_removed()
    {
        var layers = Samples.After($$"""[{{Venue}},{"change":"add_field","entity":"company","field":{"name":"x_hall","type":"lookup","target":"x_venue"} },{"change":"hide_entity","entity":"x_venue"}]""");

        var draft = Samples.PlanJson("""[{"change":"purge_entity","entity":"x_venue"}]""", layers);

        Assert.Contains("Company", Assert.Single(draft.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_a_field_is_used_is_told_with_paths_from_other_entities()
    {
        var state = MetadataState.Of(Samples.After("""[{"change":"change_entity","entity":"company","title":["name"],"search":["name"]}]"""));

        Assert.Equal(
            ["filter:opportunity.open", "form:company", "module:contacts", "view:company.default"],
            WhereUsed.OfField(state, "company", "sector").Select(u => $"{u.Kind}:{u.Target}").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["form:company", "module:contacts", "search:company", "title:company", "view:company.default", "view:company.default"],
            WhereUsed.OfField(state, "company", "name").Select(u => $"{u.Kind}:{u.Target}").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["filter:opportunity.open", "lookup:opportunity.company", "module:contacts", "module:sales"],
            WhereUsed.OfEntity(state, "company").Select(u => $"{u.Kind}:{u.Target}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_plan_says_how_long_an_index_takes_and_that_it_can_be_undone()
    {
        await node.InsertAsync("company", "name", "'Acme'");

        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_field","entity":"company","field":{"name":"name","unique":true}},{"change":"hide_field","entity":"company","field":"revenue"}]"""), Node.Admin);

        var index = plan.Steps.Single(s => s.Work == StepWork.Index);
        Assert.InRange(index.Estimate!.Value.TotalSeconds, 0.01, 0.1);
        Assert.Equal(TimeSpan.FromSeconds(0.01 + 2.5), (index with { Rows = 1_000_000 }).Estimate);
        Assert.All(plan.Steps, s => Assert.True(s.CanUndo));
        Assert.Contains(plan.Uses, u => u is { Kind: "form", Of: "company.revenue" });
        Assert.Empty(plan.Confirm);
    }
}
