using Crm.Sdk;
using Npgsql;

namespace Crm.Metadata.Tests;

/// <summary>A new version of a module gives a field of a big table another type: it waits until the records are prepared, and everybody works on meanwhile.</summary>
public sealed class ModuleConversionTests : OnlineNodeTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await DeclareAsync("1.0", Fields.Text);
        await node.ExecuteAsync("INSERT INTO records.company (id, created_at, modified_at, name, code) SELECT gen_random_uuid(), now(), now(), 'C', n FROM generate_series(1, 40) AS n");
    }

    [Fact]
    public async Task The_version_waits_for_its_records_and_is_in_force_when_they_are_ready()
    {
        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"code","label":"Ours"}}]""");
        var version = node.Store.Current.Version;

        var first = await DeclareAsync("2.0", Fields.Integer, "Theirs");
        var again = await DeclareAsync("2.0", Fields.Integer, "Theirs");

        // Whoever else declares it, another host or the next start, waits for the same step.
        Assert.Equal((true, false, true), (first.Succeeded, first.Changed, first.Step is not null));
        Assert.Equal(first.Step, again.Step);
        var step = Assert.Single(await node.Steps.ListAsync());
        Assert.Equal(MetadataStepState.Waiting, step.State);
        Assert.Contains("CREATE TRIGGER", step.Sql, StringComparison.Ordinal);
        Assert.Equal((version, Fields.Text), (node.Store.Current.Version, Code.Type));
        Assert.DoesNotContain(await node.Upgrades.ListAsync(), n => n.ToVersion == "2.0");

        await WhileHeldAsync(async () =>
        {
            await node.InsertAsync("company", "name, code", "'New', '41'");
            Assert.Equal(SqlStates.Unconvertible, (await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync("company", "name, code", "'Bad', 'many'"))).SqlState);
            Assert.Equal(first.Step, (await DeclareAsync("2.0", Fields.Integer, "Theirs")).Step);
        });

        Assert.Equal((version + 1, Fields.Integer, "Ours"), (node.Store.Current.Version, Code.Type, Code.Label));
        Assert.Equal(41 * 42 / 2, await node.ScalarAsync<decimal>("SELECT sum(code) FROM records.company"));
        var note = Assert.Single(await node.Upgrades.ListAsync(), n => n.ToVersion == "2.0");
        Assert.Equal(("1.0", "2.0", "fields/code/label"), (note.FromVersion, note.ToVersion, string.Join('/', note.Path)));
        var started = await DeclareAsync("2.0", Fields.Integer, "Theirs");
        Assert.Equal((true, false, null), (started.Succeeded, started.Changed, started.Step));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task A_value_that_cannot_be_converted_keeps_the_version_out_until_it_is_corrected()
    {
        var step = (await DeclareAsync("2.0", Fields.Integer)).Step!.Value;
        await node.InsertAsync("company", "name, code", "'Bad', 'many'");
        await node.StepRunner.RunPendingAsync();

        Assert.Equal(MetadataStepState.Failed, Assert.Single(await node.Steps.ListAsync()).State);
        Assert.Contains("'many'", Assert.Single((await DeclareAsync("2.0", Fields.Integer)).Errors).Message, StringComparison.Ordinal);
        await node.ExecuteAsync("UPDATE records.company SET code = '7' WHERE code = 'many'");

        // Nobody begins it anew by starting a host: what is corrected is tried again.
        var refused = await DeclareAsync("2.0", Fields.Integer);
        Assert.Equal((PlanCodes.Preparation, step), (Assert.Single(refused.Errors).Code, refused.Step));
        Assert.True(await node.Steps.RetryAsync(step));
        Assert.Empty((await DeclareAsync("2.0", Fields.Integer)).Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(Fields.Integer, Code.Type);
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Stopped_it_stays_out_and_can_be_gone_on_with()
    {
        var step = (await DeclareAsync("2.0", Fields.Integer)).Step!.Value;

        await WhileHeldAsync(async () => Assert.True(await node.Steps.CancelAsync(step)), "true", table: "records.company");

        var stopped = await DeclareAsync("2.0", Fields.Integer);
        Assert.Equal((PlanCodes.Preparation, step, Fields.Text), (Assert.Single(stopped.Errors).Code, stopped.Step, Code.Type));
        await AssertCleanAsync();
        Assert.True(await node.Steps.RetryAsync(step));
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(Fields.Integer, Code.Type);
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Another_version_gives_up_what_was_prepared_for_this_one()
    {
        var second = (await DeclareAsync("2.0", Fields.Integer)).Step!.Value;

        // Back to the version before, while a host works for the new one.
        await WhileHeldAsync(async () => Assert.Equal((true, null), await DeclareAsync("1.0", Fields.Text) is var back ? (back.Succeeded, back.Step) : default), "true", table: "records.company");

        Assert.Equal((second, MetadataStepState.Cancelled), (Assert.Single(await node.Steps.ListAsync()).Id, Assert.Single(await node.Steps.ListAsync()).State));
        Assert.False(await node.Steps.RetryAsync(second));
        Assert.Equal(Fields.Text, Code.Type);
        await AssertCleanAsync();

        // A third one comes while the second waits.
        second = (await DeclareAsync("2.0", Fields.Integer)).Step!.Value;
        var third = (await DeclareAsync("3.0", Fields.Decimal)).Step!.Value;
        Assert.NotEqual(second, third);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(Fields.Decimal, Code.Type);
        Assert.Equal((true, null), (await DeclareAsync("3.0", Fields.Decimal) is var last ? (last.Succeeded, last.Step) : default));
        await AssertCleanAsync();
    }

    [Theory]
    [InlineData("NEW.position = '00000000-0000-0000-0000-000000000000' AND OLD.position IS NULL", true)]
    [InlineData("NEW.done > 0", true)]
    [InlineData("NEW.state = 'done'", false)]
    public async Task A_host_killed_in_the_middle_leaves_it_to_another_one_which_goes_on(string moment, bool isOwnSession)
    {
        await DeclareAsync("2.0", Fields.Integer);

        await AssertAnotherHostEndsItAsync(
            moment, isOwnSession, [("company", "code", 820)], async other => Assert.NotNull((await other.Editor.DeclareAsync(Samples.Contacts, Shape(Fields.Integer, null), "2.0")).Step));
    }

    [Fact]
    public async Task A_small_table_is_converted_at_once()
    {
        node.Store.Runner.OnlineRows = 1000;
        Assert.Equal((true, null), await DeclareAsync("2.0", Fields.Integer) is var small ? (small.Changed, small.Step) : default);
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Several_big_tables_are_converted_while_everybody_works_and_taken_over_together()
    {
        await PlacesAsync(40);
        var files = await FilesAsync();

        var waiting = await SecondAsync();
        Assert.Equal((true, false, waiting.Step), (waiting.Succeeded, waiting.Changed, (await SecondAsync()).Step));
        Assert.NotNull(waiting.Step);
        await WhileHeldAsync(
            async () =>
            {
                // The first table is ready, the second is being filled: neither is what the version wants before the other.
                Assert.Equal((Fields.Text, Fields.Text), (Code.Type, Size.Type));
                Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty, string.Join("\n", node.Consistency.Last!.Differences.Select(d => d.Message)));
                await node.InsertAsync("company", "name, code", "'New', '41'");
                await node.InsertAsync("place", "name, size, seats", "'New', '41', '410'");
                await node.ExecuteAsync("UPDATE records.company SET code = '42' WHERE code = '41'");
                foreach (var (table, columns, bad) in new[] { ("company", "name, code", "'Bad', 'many'"), ("place", "size", "'many'"), ("place", "seats", "'many'") })
                {
                    Assert.Equal(SqlStates.Unconvertible, (await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync(table, columns, bad))).SqlState);
                }
            },
            "NEW.part = 1 AND NEW.done > OLD.done");

        Assert.Equal((Fields.Integer, Fields.Integer, Fields.Decimal), (Code.Type, Size.Type, node.Store.Current.Entity("place").Field("seats").Type));
        Assert.Equal((862, 861, 8610), (await SumAsync("company", "code"), await SumAsync("place", "size"), await SumAsync("place", "seats")));
        // Nobody waited for a table to be written anew: its file is the same.
        Assert.Equal(files, await FilesAsync());
        Assert.Equal((true, false, null), await SecondAsync() is var started ? (started.Succeeded, started.Changed, started.Step) : default);
        await AssertCleanAsync();
    }

    [Theory]
    // The first table is ready.
    [InlineData("NEW.part = 1 AND OLD.part = 0", true)]
    [InlineData("NEW.part = 1 AND NEW.done > OLD.done", true)]
    // Both are.
    [InlineData("NEW.part = 2", true)]
    [InlineData("NEW.state = 'done'", false)]
    public async Task A_host_killed_at_the_second_table_leaves_both_to_another_one(string moment, bool isOwnSession)
    {
        await PlacesAsync(40);
        await SecondAsync();

        await AssertAnotherHostEndsItAsync(moment, isOwnSession, [("company", "code", 820), ("place", "size", 820)]);
    }

    [Fact]
    public async Task What_cannot_be_converted_in_the_second_table_leaves_both_as_they_were()
    {
        await PlacesAsync(40);
        var step = (await SecondAsync()).Step!.Value;
        await node.InsertAsync("place", "name, size", "'Bad', 'many'");
        await node.StepRunner.RunPendingAsync();

        Assert.Contains("'many'", Assert.Single((await SecondAsync()).Errors).Message, StringComparison.Ordinal);
        Assert.Equal((Fields.Text, Fields.Text), (Code.Type, Size.Type));
        await AssertCleanAsync();
        await node.InsertAsync("company", "name, code", "'Free', '41'");
        await node.ExecuteAsync("UPDATE records.place SET size = '41' WHERE size = 'many'");

        Assert.True(await node.Steps.RetryAsync(step));
        await node.StepRunner.RunPendingAsync();
        Assert.Equal((Fields.Integer, Fields.Integer), (Code.Type, Size.Type));
        Assert.Equal((861, 861), (await SumAsync("company", "code"), await SumAsync("place", "size")));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Stopped_at_the_second_table_both_are_as_they_were()
    {
        await PlacesAsync(40);
        var step = (await SecondAsync()).Step!.Value;

        await WhileHeldAsync(async () => Assert.True(await node.Steps.CancelAsync(step)), "NEW.size IS NOT NULL", table: "records.place");

        Assert.Equal((MetadataStepState.Cancelled, Fields.Text, Fields.Text), (Assert.Single(await node.Steps.ListAsync()).State, Code.Type, Size.Type));
        await AssertCleanAsync();
        Assert.True(await node.Steps.RetryAsync(step));
        await node.StepRunner.RunPendingAsync();
        Assert.Equal((820, 820), (await SumAsync("company", "code"), await SumAsync("place", "size")));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task A_table_that_becomes_big_meanwhile_is_prepared_too()
    {
        await PlacesAsync(0);
        await SecondAsync();

        await WhileHeldAsync(() => node.ExecuteAsync("INSERT INTO records.place (id, created_at, modified_at, name, size) SELECT gen_random_uuid(), now(), now(), 'P', n FROM generate_series(1, 40) AS n"));

        Assert.Equal((Fields.Integer, Fields.Integer), (Code.Type, Size.Type));
        Assert.Equal((820, 820), (await SumAsync("company", "code"), await SumAsync("place", "size")));
        Assert.Contains("place", Assert.Single(await node.Steps.ListAsync()).Sql, StringComparison.Ordinal);
        await AssertCleanAsync();
    }

    private FieldDefinition Size => node.Store.Current.Entity("place").Field("size");

    private FieldDefinition Code => node.Store.Current.Entity("company").Field("code");

    private static DeclaredShape Shape(FieldType type, string? label, Action<MetadataBuilder>? more = null)
    {
        var builder = new MetadataBuilder("contacts");
        builder.Entity("company", entity => entity.Label("Company", "Companies").Field("name", Fields.Text, f => f.Required()).Field("code", type, f => _ = label is null ? f : f.Label(label)));
        more?.Invoke(builder);
        return builder.Build();
    }

    private Task<ApplyResult> DeclareAsync(string version, FieldType type, string? label = null, Action<MetadataBuilder>? more = null) =>
        node.Editor.DeclareAsync(Samples.Contacts, Shape(type, label, more), version);

    private Task<decimal> SumAsync(string entity, string field) => node.ScalarAsync<decimal>($"SELECT sum({field}) FROM records.{entity}");

    /// <summary>Version 1.1 has a second entity, here with so many records.</summary>
    private async Task PlacesAsync(int count)
    {
        Assert.True((await DeclareAsync("1.1", Fields.Text, more: b => b.Entity("place", e => e.Field("name", Fields.Text).Field("size", Fields.Text, f => f.Unique()).Field("seats", Fields.Text)))).Changed);
        await node.ExecuteAsync($"INSERT INTO records.place (id, created_at, modified_at, name, size, seats) SELECT gen_random_uuid(), now(), now(), 'P', n, n * 10 FROM generate_series(1, {count}) AS n");
    }

    /// <summary>Version 2 makes numbers of one field of the first entity and of two of the second.</summary>
    private Task<ApplyResult> SecondAsync() =>
        DeclareAsync("2.0", Fields.Integer, more: b => b.Entity("place", e => e.Field("name", Fields.Text).Field("size", Fields.Integer, f => f.Unique()).Field("seats", Fields.Decimal)));

    private Task<IReadOnlyList<string>> FilesAsync() => node.ListAsync("SELECT relname || ' ' || relfilenode FROM pg_class WHERE oid IN ('records.company'::regclass, 'records.place'::regclass) ORDER BY 1");
}
