using Npgsql;

namespace Crm.Metadata.Tests;

/// <summary>The session of a host ends at each statement of a plan, one after the other: afterwards all is as before, or all as planned.</summary>
public sealed class KilledPlanTests : NodeTests
{
    private const string Start = """
        [{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}},
         {"change":"create_entity","name":"x_place","fields":[{"name":"name","type":"text","unique":true},{"name":"firm","type":"lookup","target":"company"}]},
         {"change":"add_field","entity":"company","field":{"name":"x_about","type":"any_lookup"}}]
        """;

    private const string Columns = "name, employees, x_code, sector, x_about_id, x_about_entity";

    private const string Values = "'Acme', 21, 'A1', 'retail', gen_random_uuid(), 'x_place'";

    private const string Changes = """
        [{"change":"create_entity","name":"x_hall","fields":[{"name":"name","type":"text","unique":true},{"name":"firm","type":"lookup","target":"company"}]},
         {"change":"add_field","entity":"company","field":{"name":"x_hall","type":"lookup","target":"x_hall"}},
         {"change":"add_field","entity":"company","field":{"name":"x_double","type":"formula","result":"integer","formula":"employees * 2"}},
         {"change":"rename_field","entity":"company","field":"x_code","to":"x_number"},
         {"change":"rename_entity","entity":"x_place","to":"x_site"},
         {"change":"change_field","entity":"company","field":{"name":"name","unique":true}},
         {"change":"merge_choices","entity":"company","field":"sector","from":"retail","into":"software"},
         {"change":"change_field","entity":"company","field":{"name":"employees","label":"Staff"}}]
        """;

    /// <summary>Ends the session that runs the n-th statement of those that change tables, definitions or steps; numbers are given out for good, also by what is rolled back.</summary>
    private const string Killer = """
        CREATE SEQUENCE crm.kill_count;
        CREATE TABLE crm.kill_at (n bigint);
        INSERT INTO crm.kill_at VALUES (0);
        CREATE FUNCTION crm.kill_now() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('crm.kill_count') = (SELECT n FROM crm.kill_at) THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        END $$;
        CREATE FUNCTION crm.kill_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM crm.kill_now(); RETURN NEW; END $$;
        CREATE FUNCTION crm.kill_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM crm.kill_now(); END $$;
        CREATE TRIGGER kill_version BEFORE UPDATE ON crm.metadata_version FOR EACH ROW EXECUTE FUNCTION crm.kill_row();
        CREATE TRIGGER kill_history AFTER INSERT ON crm.metadata_history FOR EACH ROW EXECUTE FUNCTION crm.kill_row();
        CREATE TRIGGER kill_step BEFORE INSERT OR UPDATE ON crm.metadata_step FOR EACH ROW EXECUTE FUNCTION crm.kill_row();
        CREATE TRIGGER crm_kill_records BEFORE UPDATE ON records.company FOR EACH ROW EXECUTE FUNCTION crm.kill_row();
        CREATE CONSTRAINT TRIGGER kill_commit AFTER INSERT ON crm.metadata_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm.kill_row();
        CREATE EVENT TRIGGER kill_ddl ON ddl_command_start EXECUTE FUNCTION crm.kill_ddl();
        """;

    [Theory]
    [InlineData(10_000)]
    [InlineData(1)]
    public async Task A_host_killed_at_any_step_leaves_all_of_the_old_or_all_of_the_new_and_it_goes_on(int onlineRows)
    {
        await node.ChangeAsync(Start);
        await node.InsertAsync("company", Columns, Values);
        var before = node.Store.Current.Version;
        await node.ExecuteAsync(Killer);
        var kills = 0;
        for (var at = 1; ; at++)
        {
            await using var host = await Node.StartAsync(database.ConnectionString);
            host.Store.Runner.OnlineRows = onlineRows;
            await node.ExecuteAsync($"SELECT setval('crm.kill_count', 1, false); UPDATE crm.kill_at SET n = {at.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
            var isKilled = await IsKilledAsync(host);
            await node.ExecuteAsync("UPDATE crm.kill_at SET n = 0");
            kills += isKilled ? 1 : 0;

            // The next start sees one or the other.
            await using var next = await Node.StartAsync(database.ConnectionString);
            if (next.Store.Current.Version == before)
            {
                Assert.True(isKilled);
                Assert.False(next.Store.Current.TryEntity("x_hall", out _));
                Assert.Equal("A1 retail x_place 0", await next.ScalarAsync<string>("SELECT concat_ws(' ', x_code, sector, x_about_entity, (SELECT count(*) FROM records.x_place)) FROM records.company"));
                await AssertConsistentAsync(next);
                if ((await next.Steps.ListAsync()).IsEmpty)
                {
                    continue;
                }

                // It waits for what is being prepared for it, and comes into force with that.
            }

            next.Store.Runner.OnlineRows = onlineRows;
            await next.StepRunner.RunPendingAsync();
            Assert.Equal(before + 1, next.Store.Current.Version);
            Assert.Equal("A1 software 42 x_site 0", await next.ScalarAsync<string>("SELECT concat_ws(' ', x_number, sector, x_double, x_about_entity, (SELECT count(*) FROM records.x_site)) FROM records.company"));
            Assert.All(await next.Steps.ListAsync(), s => Assert.Equal(MetadataStepState.Done, s.State));
            Assert.Equal("Staff", next.Store.Current.Entity("company").Field("employees").Label);
            await AssertConsistentAsync(next);
            if (!isKilled)
            {
                break;
            }

            // Once more from the beginning, one statement further.
            await node.ExecuteAsync("DROP EVENT TRIGGER kill_ddl; DROP SCHEMA crm CASCADE; DROP SCHEMA records CASCADE");
            await using var anew = await Node.StartAsync(database.ConnectionString);
            await anew.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape());
            await anew.ChangeAsync(Start);
            await anew.InsertAsync("company", Columns, Values);
            before = anew.Store.Current.Version;
            await anew.ExecuteAsync(Killer);
        }

        Assert.True(kills > 12, $"{kills} statements");
    }

    /// <summary>Applies the plan and does what it leaves for later; says whether the session ended meanwhile.</summary>
    private static async Task<bool> IsKilledAsync(Node host)
    {
        try
        {
            var plan = await host.Editor.PlanAsync(Samples.Read(Changes), Node.Admin);
            Assert.Empty(plan.Errors);
            Assert.Empty((await host.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: plan.Confirm))).Errors);
            await host.StepRunner.RunPendingAsync();
            return false;
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.AdminShutdown)
        {
            return true;
        }
    }

    private static async Task AssertConsistentAsync(Node host)
    {
        var report = await host.Consistency.RunAsync();
        Assert.True(report.Differences.IsEmpty, string.Join("\n", report.Differences.Select(d => d.Message)));
    }
}
