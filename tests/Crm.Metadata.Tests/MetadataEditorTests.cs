using Crm.Sdk;
using Npgsql;

namespace Crm.Metadata.Tests;

public sealed class MetadataEditorTests : NodeTests
{
    [Fact]
    public async Task The_users_table_is_there_from_the_start()
    {
        Assert.Equal(Origins.Platform, node.Store.Current.Entity("user").Origin);
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(*) FROM records.\"user\""));
        Assert.True(node.Store.Current.TrySet("users", out _));
    }

    [Fact]
    public async Task PLT_36_A_planned_entity_is_a_table_and_metadata_after_it_was_applied()
    {
        var version = node.Store.Current.Version;

        var result = await node.ChangeAsync("""
            [{"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","fields":[
              {"name":"name","type":"text","label":"Name","required":true},{"name":"company","type":"lookup","target":"company"},
              {"name":"rent","type":"money"},{"name":"kinds","type":"multi_choice","choices":["Concert"]},{"name":"number","type":"auto_number","prefix":"V","width":3}]}]
            """);

        Assert.Empty(result.Errors);
        Assert.Equal(version + 1, result.Version);
        Assert.Equal(version + 1, node.Store.Current.Version);
        Assert.Equal("Venue", node.Store.Current.Entity("x_venue").Label);
        await node.InsertAsync("x_venue", "name, rent, rent_currency, kinds", "'Hall', 10, 'EUR', '{Concert}'");
        Assert.True(await node.ScalarAsync<bool>("SELECT is_active AND version = 1 FROM records.x_venue"));
        Assert.Equal("Ada", await node.ScalarAsync<string>($"SELECT user_name FROM crm.metadata_history WHERE version = {result.Version}"));
        var problem = await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync("x_venue", "company_id", "gen_random_uuid()"));
        Assert.Equal("x_venue__company_id_f", problem.ConstraintName);
    }

    [Fact]
    public async Task Every_kind_of_change_can_be_applied_and_is_there_after_a_restart()
    {
        await node.ChangeAsync("""
            [
              {"change":"create_entity","name":"x_a","fields":[{"name":"name","type":"text"},{"name":"state","type":"stage","stages":[{"name":"one"},{"name":"two","kind":"won"}],"moves":[{"from":"one","to":"two"}]}]},
              {"change":"change_entity","entity":"company","label":"Account","search":["name","website"]},
              {"change":"add_field","entity":"company","field":{"name":"x_size","type":"choice","choices":[{"name":"s","label":"Small"},{"name":"l","label":"Large","colour":"#123456"}],"default":"s"}},
              {"change":"change_field","entity":"company","field":{"name":"website","unique":true,"required":true,"help":"With https"}},
              {"change":"hide_field","entity":"company","field":"revenue"},
              {"change":"set_view","entity":"company","view":{"name":"small","label":"Small ones","columns":["name","x_size"],"filter":{"path":"x_size","in":["s",null]},"sort":[{"path":"name"}]}},
              {"change":"remove_view","entity":"company","view":"inactive"},
              {"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name","x_size"]}]}},
              {"change":"hide_entity","entity":"x_a"}
            ]
            """);

        await using var other = await Node.StartAsync(database.ConnectionString);

        Assert.Equal(node.Store.Current.Version, other.Store.Current.Version);
        Assert.Equal(MetadataJson.WriteMetadata(node.Store.State).ToJsonString(), MetadataJson.WriteMetadata(other.Store.State).ToJsonString());
        var company = other.Store.Current.Entity("company");
        Assert.Equal("Account", company.Label);
        Assert.True(company.Field("revenue").IsHidden);
        Assert.True(other.Store.Current.Entity("x_a").IsHidden);
        Assert.Equal(["name", "x_size"], company.Views.Single(v => v.Name == "small").Columns.AsEnumerable());
    }

    [Fact]
    public async Task What_was_hidden_comes_back_with_its_data()
    {
        await node.InsertAsync("company", "name, website", "'Acme', 'https://acme.example'");
        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"website"},{"change":"hide_entity","entity":"company"}]""");

        await node.ChangeAsync("""[{"change":"show_field","entity":"company","field":"website"},{"change":"show_entity","entity":"company"}]""");

        Assert.False(node.Store.Current.Entity("company").IsHidden);
        Assert.False(node.Store.Current.Entity("company").Field("website").IsHidden);
        Assert.Equal("https://acme.example", await node.ScalarAsync<string>("SELECT website FROM records.company"));
    }

    [Fact]
    public async Task A_plan_tells_what_the_records_say()
    {
        await node.InsertAsync("company", "name, sector, employees", "'Acme', 'medical', 5");
        await node.InsertAsync("company", "name, sector, employees", "'Acme', 'retail', 500");
        await node.InsertAsync("company", "name", "'A rather long name'");

        var plan = await node.Editor.PlanAsync(
            Samples.Read("""
            [
              {"change":"change_field","entity":"company","field":{"name":"name","unique":true,"max_length":10}},
              {"change":"change_field","entity":"company","field":{"name":"sector","required":true,"choices":["retail","software"]}},
              {"change":"change_field","entity":"company","field":{"name":"employees","maximum":100}},
              {"change":"add_field","entity":"company","field":{"name":"x_code","type":"text","required":true}}
            ]
            """),
            Node.Admin);

        Assert.Equal(["unique:company.name", "in_use:company.sector"], plan.Errors.Select(e => $"{e.Code}:{e.Target}"));
        Assert.Contains("'Acme'", plan.Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("(medical): 1.", plan.Errors[1].Message, StringComparison.Ordinal);
        Assert.Equal(
            ["length:company.name", "range:company.employees", "required:company.sector", "required:company.x_code"],
            plan.Warnings.Select(w => $"{w.Code}:{w.Target}").Order(StringComparer.Ordinal));
        Assert.Contains("Code: 3.", plan.Warnings.Single(w => w.Target == "company.x_code").Message, StringComparison.Ordinal);
        Assert.Empty(plan.Steps);
    }

    [Fact]
    public async Task Steps_carry_the_number_of_records_and_who_waits()
    {
        await node.InsertAsync("company", "name", "'Acme'");

        var plan = await node.Editor.PlanAsync(
            Samples.Read("""
            [
              {"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}},
              {"change":"change_field","entity":"company","field":{"name":"name","unique":true}},
              {"change":"create_entity","name":"x_venue","fields":[{"name":"name","type":"text"}]}
            ]
            """),
            Node.Admin);

        Assert.Equal(1, plan.Steps.Single(s => s.Sql?.Contains("ADD COLUMN", StringComparison.Ordinal) == true).Rows);
        Assert.Equal(StepLock.Writes, plan.Steps.Single(s => s.Sql?.Contains("company__name_u", StringComparison.Ordinal) == true).Lock);
        Assert.All(plan.Steps.Where(s => s.Entity == "x_venue"), s => Assert.Null(s.Rows));
        var json = MetadataJson.Write(plan);
        Assert.Equal(plan.Id, json["id"]!.GetValue<Guid>());
        Assert.Equal("brief", json["steps"]!.AsArray().Single(s => s!["sql"]?.GetValue<string>().Contains("ADD COLUMN", StringComparison.Ordinal) == true)!["lock"]!.GetValue<string>());
    }

    [Fact]
    public async Task Only_administrators_plan_and_apply()
    {
        var clerk = new Actor(Guid.CreateVersion7(), "Clerk", IsAdministrator: false);
        var changes = Samples.Read("""[{"change":"hide_entity","entity":"company"}]""");

        Assert.Equal("access", Assert.Single((await node.Editor.PlanAsync(changes, clerk)).Errors).Code);
        var plan = await node.Editor.PlanAsync(changes, Node.Admin);
        Assert.Equal("access", Assert.Single((await node.Editor.ApplyAsync(plan.Id, clerk)).Errors).Code);
        Assert.Equal("not_found", Assert.Single((await node.Editor.ApplyAsync(Guid.CreateVersion7(), Node.Admin)).Errors).Code);
        Assert.False(node.Store.Current.Entity("company").IsHidden);
    }

    [Fact]
    public async Task Of_two_plans_applied_at_once_one_wins_and_the_other_has_to_be_made_again()
    {
        await using var other = await Node.StartAsync(database.ConnectionString);
        var one = await node.Editor.PlanAsync(Samples.Read("""[{"change":"add_field","entity":"company","field":{"name":"x_one","type":"text"}}]"""), Node.Admin);
        var two = await other.Editor.PlanAsync(Samples.Read("""[{"change":"add_field","entity":"company","field":{"name":"x_two","type":"text"}}]"""), Node.Admin);

        var results = await Task.WhenAll(node.Editor.ApplyAsync(one.Id, Node.Admin), other.Editor.ApplyAsync(two.Id, Node.Admin));

        var loser = Assert.Single(results, r => !r.Succeeded);
        Assert.Equal("conflict", Assert.Single(loser.Errors).Code);
        var winner = Assert.Single(results, r => r.Succeeded);
        Assert.Equal(one.Version + 1, winner.Version);
        Assert.Equal(1, await node.ScalarAsync<long>("SELECT count(*) FROM information_schema.columns WHERE table_name = 'company' AND column_name LIKE 'x!_%' ESCAPE '!'"));
        Assert.Equal("conflict", Assert.Single((await node.Editor.ApplyAsync(results[0].Succeeded ? one.Id : two.Id, Node.Admin)).Errors).Code);
    }

    [Fact]
    public async Task Two_hosts_see_each_others_changes_and_any_host_applies_a_plan()
    {
        await using var other = await Node.StartAsync(database.ConnectionString);
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"create_entity","name":"x_here","fields":[{"name":"name","type":"text"}]}]"""), Node.Admin);

        var applied = await other.Editor.ApplyAsync(plan.Id, Node.Admin);
        Assert.True((await node.AtAsync(applied.Version)).TryEntity("x_here", out _));

        var back = await node.ChangeAsync("""[{"change":"create_entity","name":"x_there","fields":[{"name":"name","type":"text"}]}]""");
        Assert.True((await other.AtAsync(back.Version)).TryEntity("x_there", out _));
    }

    [Fact]
    public async Task A_host_that_lost_its_connection_catches_up()
    {
        await using var other = await Node.StartAsync(database.ConnectionString);
        await node.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'");

        var applied = await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""");

        Assert.Equal("Account", (await other.AtAsync(applied.Version)).Entity("company").Label);
    }

    [Fact]
    public async Task A_host_killed_while_it_applies_leaves_nothing_behind()
    {
        await node.InsertAsync("company", "name", "'Acme'");
        var plan = await node.Editor.PlanAsync(
            Samples.Read("""[{"change":"create_entity","name":"x_venue","fields":[{"name":"name","type":"text"}]},{"change":"add_field","entity":"company","field":{"name":"x_one","type":"text"}}]"""), Node.Admin);
        await using var blocker = new NpgsqlConnection(database.ConnectionString);
        await blocker.OpenAsync();
        await using var reading = await blocker.BeginTransactionAsync();
        await new NpgsqlCommand("LOCK TABLE records.company IN ACCESS SHARE MODE", blocker, reading).ExecuteNonQueryAsync();

        // The table of x_venue is made or about to be made; ADD COLUMN waits for the reader.
        var applying = node.Editor.ApplyAsync(plan.Id, Node.Admin);
        while (await KillWaitingAsync(blocker) == 0)
        {
            await Task.Yield();
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => applying);
        await reading.RollbackAsync();

        Assert.Equal(plan.Version, await node.ScalarAsync<long>("SELECT version FROM crm.metadata_version"));
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.x_venue')::text"));
        await using var other = await Node.StartAsync(database.ConnectionString);
        Assert.False(other.Store.Current.TryEntity("x_venue", out _));
        Assert.Empty((await other.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
    }

    [Fact]
    public async Task A_table_in_use_is_not_waited_for_for_ever()
    {
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"add_field","entity":"company","field":{"name":"x_one","type":"text"}}]"""), Node.Admin);
        await using var blocker = new NpgsqlConnection(database.ConnectionString);
        await blocker.OpenAsync();
        await using (var reading = await blocker.BeginTransactionAsync())
        {
            await new NpgsqlCommand("LOCK TABLE records.company IN ACCESS SHARE MODE", blocker, reading).ExecuteNonQueryAsync();

            Assert.Equal("busy", Assert.Single((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors).Code);
        }

        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
    }

    [Fact]
    public async Task Doubles_saved_after_the_plan_are_reported_and_nothing_is_changed()
    {
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_field","entity":"company","field":{"name":"name","unique":true}}]"""), Node.Admin);
        await node.InsertAsync("company", "name", "'Acme'");
        await node.InsertAsync("company", "name", "'Acme'");

        var result = await node.Editor.ApplyAsync(plan.Id, Node.Admin);

        Assert.Equal("unique", Assert.Single(result.Errors).Code);
        Assert.False(node.Store.Current.Entity("company").Field("name").IsUnique);
    }

    [Fact]
    public async Task A_module_start_with_nothing_new_raises_no_version()
    {
        var version = node.Store.Current.Version;

        var result = await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape());

        Assert.Equal((version, false, true), (result.Version, result.Changed, result.Succeeded));
        Assert.Equal(version, node.Store.Current.Version);
    }

    [Fact]
    public async Task Hosts_that_start_together_declare_a_module_once()
    {
        await using var other = await Node.StartAsync(database.ConnectionString);

        var results = await Task.WhenAll(node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape()), other.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape()));

        Assert.All(results, r => Assert.Empty(r.Errors));
        Assert.Single(results, r => r.Changed);
        var version = results.Max(r => r.Version);
        Assert.True((await node.AtAsync(version)).TryEntity("opportunity", out _));
        Assert.True((await other.AtAsync(version)).TryEntity("opportunity", out _));
    }

    [Fact]
    public async Task A_renamed_field_keeps_its_data()
    {
        await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape(e => e
            .Field("worth", Fields.Money).Field("partner", Fields.Lookup("company")).Field("code", Fields.Text, f => f.Unique()).Field("serial", Fields.AutoNumber, f => f.Number("S", 2))));
        await node.InsertAsync("company", "name, worth, worth_currency, code", "'Acme', 12.5, 'CHF', 'A1'");
        await node.ExecuteAsync("INSERT INTO crm.counter (entity, field, next) VALUES ('company', 'serial', 17)");

        var result = await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape(e => e
            .Field("value", Fields.Money, f => f.RenamedFrom("worth"))
            .Field("ally", Fields.Lookup("company"), f => f.RenamedFrom("partner"))
            .Field("sign", Fields.Text, f => f.Unique().RenamedFrom("code"))
            .Field("counter", Fields.AutoNumber, f => f.Number("S", 2).RenamedFrom("serial"))));

        Assert.Empty(result.Errors);
        Assert.Equal("12.5 CHF A1", await node.ScalarAsync<string>("SELECT concat_ws(' ', value, value_currency, sign) FROM records.company"));
        Assert.Equal(17, await node.ScalarAsync<long>("SELECT next FROM crm.counter WHERE entity = 'company' AND field = 'counter'"));
        Assert.Equal("company__sign_u", (await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync("company", "sign", "'A1'"))).ConstraintName);
        Assert.Equal("company__ally_id_f", (await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync("company", "ally_id", "gen_random_uuid()"))).ConstraintName);
        Assert.False((await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape(e => e
            .Field("value", Fields.Money, f => f.RenamedFrom("worth"))
            .Field("ally", Fields.Lookup("company"), f => f.RenamedFrom("partner"))
            .Field("sign", Fields.Text, f => f.Unique().RenamedFrom("code"))
            .Field("counter", Fields.AutoNumber, f => f.Number("S", 2).RenamedFrom("serial"))))).Changed);
    }

    [Fact]
    public async Task A_refused_module_leaves_no_trace()
    {
        var builder = new MetadataBuilder("bad");
        builder.Entity("thing", e => e.Field("at", Fields.Lookup("planet")));

        var result = await node.Editor.DeclareAsync(new ModuleInfo("bad", "Bad"), builder.Build());

        Assert.Equal("unknown_entity", Assert.Single(result.Errors).Code);
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.thing')::text"));
    }

    [Fact]
    public async Task Quick_search_has_its_trigram_index() =>
        Assert.Contains("fold(name) gin_trgm_ops", await node.ScalarAsync<string>("SELECT indexdef FROM pg_indexes WHERE indexname = 'company__name_t'"), StringComparison.Ordinal);

    private static async Task<int> KillWaitingAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            "SELECT count(pg_terminate_backend(pid))::int FROM pg_locks WHERE NOT granted AND relation = 'records.company'::regclass AND mode = 'AccessExclusiveLock'", connection);
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
