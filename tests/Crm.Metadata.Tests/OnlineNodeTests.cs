using Crm.Sdk;
using Npgsql;

namespace Crm.Metadata.Tests;

/// <summary>Tables count as big from one record on.</summary>
public abstract class OnlineNodeTests : NodeTests
{
    private const string Leftovers = """
        SELECT attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'records'::regnamespace AND relkind = 'r' AND attname LIKE '%\_\_new' AND NOT attisdropped
        UNION ALL SELECT tgname::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'records'::regnamespace AND NOT tgisinternal AND tgname NOT LIKE 'crm\_%'
        UNION ALL SELECT proname::text FROM pg_proc WHERE proname LIKE '%\_\_new'
        UNION ALL SELECT relname::text FROM pg_class WHERE relname ~ '_[A-Z]$'
        """;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        node.Store.Runner.OnlineRows = 1;
    }

    private protected async Task AssertCleanAsync()
    {
        var report = await node.Consistency.RunAsync();
        Assert.True(report.Differences.IsEmpty, string.Join("\n", report.Differences.Select(d => d.Message)));
        Assert.Empty(await node.ListAsync(Leftovers));
    }

    /// <summary>A host that converts the text field of a table into a whole number is killed at a moment; another one begins, finds nothing amiss, and ends what was begun.</summary>
    /// <param name="moment">As <see cref="WhileHeldAsync"/>.</param>
    /// <param name="isOwnSession">Whether it is the step's own session that is held up then.</param>
    /// <param name="fields">The fields, each with the sum of its numbers: <c>company.x_it</c>.</param>
    /// <param name="begun">What the other host does before it goes on.</param>
    private protected async Task AssertAnotherHostEndsItAsync(string moment, bool isOwnSession, (string Entity, string Field, decimal Sum)[] fields, Func<Node, Task>? begun = null)
    {
        await WhileHeldAsync(() => KillAsync(isOwnSession), moment, isKilled: true);

        Assert.All(fields, f => Assert.Equal(Fields.Text, node.Store.Current.Entity(f.Entity).Field(f.Field).Type));
        await using var other = await Node.StartAsync(database.ConnectionString);
        other.Store.Runner.OnlineRows = 1;
        Assert.All(fields, f => Assert.Equal(Fields.Text, other.Store.Current.Entity(f.Entity).Field(f.Field).Type));
        Assert.True((await other.Consistency.RunAsync()).Differences.IsEmpty, string.Join("\n", other.Consistency.Last!.Differences.Select(d => d.Message)));
        await (begun?.Invoke(other) ?? Task.CompletedTask);
        await other.StepRunner.RunPendingAsync();

        foreach (var (entity, field, sum) in fields)
        {
            Assert.Equal(Fields.Integer, other.Store.Current.Entity(entity).Field(field).Type);
            Assert.Equal(sum, await node.ScalarAsync<decimal>($"SELECT sum({field}) FROM records.{entity}"));
        }

        Assert.Equal(MetadataStepState.Done, Assert.Single(await node.Steps.ListAsync()).State);
        await AssertCleanAsync();
        // The one that was thought dead hears of it.
        Assert.Equal(Fields.Integer, (await node.AtAsync(other.Store.Current.Version)).Entity(fields[0].Entity).Field(fields[0].Field).Type);
    }

    /// <summary>Ends the session that is held up, and the one that runs the step when that is another one.</summary>
    private protected Task KillAsync(bool isOwnSession) => node.ExecuteAsync(isOwnSession
        ? "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        : "SELECT pg_terminate_backend(backend) FROM crm.metadata_step WHERE state = 'running'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()");

    /// <summary>Runs what is pending, and does something at the moment a row, of the steps mostly, is changed in a certain way.</summary>
    private protected async Task WhileHeldAsync(Func<Task> act, string moment = "NEW.done > 0", bool isKilled = false, string table = "crm.metadata_step")
    {
        await node.ExecuteAsync($"""
            CREATE FUNCTION crm.hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $$;
            CREATE TRIGGER crm_hold_up BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({moment}) EXECUTE FUNCTION crm.hold_up();
            """);
        await using var holder = new NpgsqlConnection(database.ConnectionString);
        await holder.OpenAsync();
        await new NpgsqlCommand("SELECT pg_advisory_lock(77)", holder).ExecuteNonQueryAsync();
        var running = node.StepRunner.RunPendingAsync();
        while (await node.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 77 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0)
        {
            Assert.False(running.IsCompleted);
            await Task.Yield();
        }

        await act();
        await new NpgsqlCommand("SELECT pg_advisory_unlock(77)", holder).ExecuteNonQueryAsync();
        if (isKilled)
        {
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => running);
        }
        else
        {
            await running;
        }

        await node.ExecuteAsync($"DROP TRIGGER crm_hold_up ON {table}; DROP FUNCTION crm.hold_up()");
    }
}
