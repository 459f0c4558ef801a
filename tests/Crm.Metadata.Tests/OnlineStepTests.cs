using Npgsql;

namespace Crm.Metadata.Tests;

/// <summary>Changes of tables that count as big here from one record on.</summary>
public sealed class OnlineStepTests : NodeTests
{
    private const string UniqueName = """[{"change":"change_field","entity":"company","field":{"name":"name","unique":true}}]""";
    private const string IsValid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('records.company__name_u')";

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        node.Store.Runner.OnlineRows = 1;
        await node.InsertAsync("company", "name", "'Acme'");
    }

    [Fact]
    public async Task An_index_of_a_big_table_is_made_afterwards_while_others_write()
    {
        var plan = await node.Editor.PlanAsync(Samples.Read(UniqueName), Node.Admin);
        var step = plan.Steps.Single(s => s.Sql is not null);
        Assert.True(step.IsBackground);
        Assert.Equal(StepLock.None, step.Lock);
        Assert.StartsWith("CREATE UNIQUE INDEX CONCURRENTLY", step.Sql, StringComparison.Ordinal);

        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);
        Assert.True(node.Store.Current.Entity("company").Field("name").IsUnique);
        Assert.Equal(MetadataStepState.Waiting, Assert.Single(await node.Steps.ListAsync()).State);

        await node.StepRunner.RunPendingAsync();
        Assert.Equal(MetadataStepState.Done, Assert.Single(await node.Steps.ListAsync()).State);
        Assert.True(await node.ScalarAsync<bool>(IsValid));
    }

    [Fact]
    public async Task Work_on_big_tables_takes_one_core_and_sorts_little_at_once()
    {
        await node.ExecuteAsync("""
            CREATE TABLE crm.seen (setting text);
            CREATE FUNCTION crm.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO crm.seen SELECT name || ' ' || current_setting(name) FROM unnest(ARRAY['maintenance_work_mem', 'max_parallel_maintenance_workers', 'max_parallel_workers_per_gather']) AS name;
                RETURN NEW; END $$;
            CREATE TRIGGER see BEFORE UPDATE ON crm.metadata_step FOR EACH ROW WHEN (NEW.state = 'running') EXECUTE FUNCTION crm.see();
            """);
        await node.ChangeAsync(UniqueName);
        await node.StepRunner.RunPendingAsync();

        Assert.Equal(["maintenance_work_mem 8MB", "max_parallel_maintenance_workers 0", "max_parallel_workers_per_gather 0"], await node.ListAsync("SELECT DISTINCT setting FROM crm.seen ORDER BY 1"));
    }

    [Fact]
    public async Task A_host_killed_in_the_middle_of_a_step_leaves_it_to_another_one_which_cleans_up()
    {
        await node.ChangeAsync(UniqueName);
        await using var writer = new NpgsqlConnection(database.ConnectionString);
        await writer.OpenAsync();
        await using (var open = await writer.BeginTransactionAsync())
        {
            await new NpgsqlCommand("UPDATE records.company SET website = 'https://acme.example'", writer, open).ExecuteNonQueryAsync();
            // The index is there, not valid, and waits for the writer; then the session dies as it does with its host.
            var running = node.StepRunner.RunPendingAsync();
            while (await node.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock' AND to_regclass('records.company__name_u') IS NOT NULL") == 0)
            {
                await Task.Yield();
            }

            await node.ExecuteAsync("SELECT pg_terminate_backend(backend) FROM crm.metadata_step WHERE state = 'running'");
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => running);
            await open.CommitAsync();
        }

        Assert.False(await node.ScalarAsync<bool>(IsValid));
        Assert.Equal(MetadataStepState.Running, Assert.Single(await node.Steps.ListAsync()).State);

        await using var other = await Node.StartAsync(database.ConnectionString);
        await other.StepRunner.RunPendingAsync();
        Assert.True(await node.ScalarAsync<bool>(IsValid));
        Assert.Equal(MetadataStepState.Done, Assert.Single(await node.Steps.ListAsync()).State);
    }

    [Fact]
    public async Task A_step_is_cancelled_while_it_runs_and_tried_again_later()
    {
        await node.ChangeAsync(UniqueName);
        var id = Assert.Single(await node.Steps.ListAsync()).Id;
        await using var writer = new NpgsqlConnection(database.ConnectionString);
        await writer.OpenAsync();
        await using (var open = await writer.BeginTransactionAsync())
        {
            await new NpgsqlCommand("UPDATE records.company SET website = 'https://acme.example'", writer, open).ExecuteNonQueryAsync();
            var running = node.StepRunner.RunPendingAsync();
            while (await node.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'") == 0)
            {
                await Task.Yield();
            }

            Assert.True(await node.Steps.CancelAsync(id));
            await open.RollbackAsync();
            await running;
        }

        Assert.Equal(MetadataStepState.Cancelled, Assert.Single(await node.Steps.ListAsync()).State);
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.company__name_u')::text"));
        Assert.False(await node.Steps.CancelAsync(id));

        Assert.True(await node.Steps.RetryAsync(id));
        Assert.False(await node.Steps.RetryAsync(id));
        await node.StepRunner.RunPendingAsync();
        Assert.True(await node.ScalarAsync<bool>(IsValid));
    }

    [Fact]
    public async Task Doubles_saved_before_the_index_is_there_fail_the_step_with_the_value_and_leave_no_index()
    {
        await node.ChangeAsync(UniqueName);
        await node.InsertAsync("company", "name", "'Acme'");

        await node.StepRunner.RunPendingAsync();

        var failed = Assert.Single(await node.Steps.ListAsync());
        Assert.Equal(MetadataStepState.Failed, failed.State);
        Assert.Contains("Acme", failed.Error, StringComparison.Ordinal);
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.company__name_u')::text"));

        await node.ExecuteAsync("DELETE FROM records.company WHERE id = (SELECT id FROM records.company LIMIT 1)");
        await node.Steps.RetryAsync(failed.Id);
        await node.StepRunner.RunPendingAsync();
        Assert.True(await node.ScalarAsync<bool>(IsValid));
    }

    [Fact]
    public async Task A_table_with_work_to_be_done_is_not_changed_again_until_it_is_done_or_cancelled()
    {
        await node.ChangeAsync(UniqueName);
        const string more = """[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}}]""";

        var refused = await node.ChangeAsync(more);
        Assert.Equal("busy", Assert.Single(refused.Errors).Code);
        // Definitions alone wait for nothing.
        Assert.Empty((await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""")).Errors);

        await node.Steps.CancelAsync(Assert.Single(await node.Steps.ListAsync()).Id);
        Assert.Empty((await node.ChangeAsync(more)).Errors);
    }

    [Fact]
    public async Task What_a_later_version_took_back_is_not_made_any_more()
    {
        await node.ChangeAsync(UniqueName);
        var id = Assert.Single(await node.Steps.ListAsync()).Id;
        await node.Steps.CancelAsync(id);
        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"name","unique":false}}]""");

        await node.Steps.RetryAsync(id);
        await node.StepRunner.RunPendingAsync();

        Assert.Equal(MetadataStepState.Done, Assert.Single(await node.Steps.ListAsync()).State);
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.company__name_u')::text"));
    }

    [Fact]
    public async Task Of_two_hosts_one_does_the_steps_and_a_foreign_key_is_checked_afterwards()
    {
        await node.ChangeAsync("""
            [{"change":"add_field","entity":"company","field":{"name":"x_hall","type":"lookup","target":"x_hall"}},
             {"change":"create_entity","name":"x_hall","fields":[{"name":"name","type":"text"}]}]
            """);
        Assert.Equal(["index", "key"], await node.ListAsync("SELECT kind FROM crm.metadata_step ORDER BY id"));
        Assert.False(await node.ScalarAsync<bool>("SELECT convalidated FROM pg_constraint WHERE conname = 'company__x_hall_id_f'"));
        // What is written from now on is checked at once.
        await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync("company", "name, x_hall_id", "'B', gen_random_uuid()"));

        await using var other = await Node.StartAsync(database.ConnectionString);
        await Task.WhenAll(node.StepRunner.RunPendingAsync(), other.StepRunner.RunPendingAsync());
        await node.StepRunner.RunPendingAsync();

        Assert.All(await node.Steps.ListAsync(), s => Assert.Equal(MetadataStepState.Done, s.State));
        Assert.True(await node.ScalarAsync<bool>("SELECT convalidated FROM pg_constraint WHERE conname = 'company__x_hall_id_f'"));
        Assert.True(await node.ScalarAsync<bool>("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('records.company__x_hall_id_i')"));
    }

    [Fact]
    public async Task A_formula_of_a_big_table_is_filled_in_batches_that_go_on_where_they_stopped()
    {
        await node.ExecuteAsync("INSERT INTO records.company (id, created_at, modified_at, name, employees) SELECT gen_random_uuid(), now(), now(), 'Company ' || n, n FROM generate_series(1, 2500) n");
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_double","type":"formula","result":"integer","formula":"employees * 2"}}]""");
        // A run that stopped after the first batch.
        await node.ExecuteAsync("UPDATE crm.metadata_step SET position = (SELECT id FROM records.company ORDER BY id OFFSET 999 LIMIT 1)");

        await node.StepRunner.RunPendingAsync();

        Assert.Equal(1501, await node.ScalarAsync<long>("SELECT done FROM crm.metadata_step WHERE kind = 'fill'"));
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(*) FROM (SELECT * FROM records.company ORDER BY id OFFSET 1000) AS rest WHERE x_double IS DISTINCT FROM employees * 2"));
        Assert.Equal(1000, await node.ScalarAsync<long>("SELECT count(*) FROM (SELECT * FROM records.company ORDER BY id LIMIT 1000) AS skipped WHERE x_double IS NULL"));
    }
}
