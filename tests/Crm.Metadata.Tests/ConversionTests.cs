using Crm.Sdk;
using Npgsql;

namespace Crm.Metadata.Tests;

/// <summary>Other types for fields of tables that count as big here from one record on: everybody works on meanwhile.</summary>
public sealed class ConversionTests : OnlineNodeTests
{
    private const string ToNumber = """[{"change":"change_type","entity":"company","field":{"name":"x_it","type":"integer"}}]""";

    [Theory]
    [MemberData(nameof(ReworkTests.Conversions), MemberType = typeof(ReworkTests))]
    public async Task Values_of_a_big_table_become_those_of_the_new_type_like_those_of_a_small_one(string from, string to, string value, string expected)
    {
        await AddAsync(from, value);
        await node.InsertAsync("company", "name", "'Without'");

        Assert.Empty((await node.ChangeAsync(Change(to))).Errors);
        await node.StepRunner.RunPendingAsync();

        Assert.All(await node.Steps.ListAsync(), s => Assert.Equal((MetadataStepState.Done, null), (s.State, s.Error)));
        Assert.Equal(expected, await node.ScalarAsync<string>("SELECT x_it::text FROM (SELECT *, set_config('TimeZone', 'UTC', true) FROM records.company) AS c WHERE x_it IS NOT NULL"));
        Assert.Equal(1, await node.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE x_it IS NULL"));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task The_plan_says_what_is_done_and_the_change_comes_into_force_when_it_is_done()
    {
        await AddAsync(""" "type":"text","unique":true """, "' 42 '");
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","search":["name","x_it"]}]""");
        await node.StepRunner.RunPendingAsync();
        const string changes = """
            [{"change":"change_entity","entity":"company","search":["name"],"label":"Account"},
             {"change":"rename_field","entity":"company","field":"x_it","to":"x_that"},
             {"change":"change_type","entity":"company","field":{"name":"x_that","type":"integer"}}]
            """;
        var plan = await node.Editor.PlanAsync(Samples.Read(changes), Node.Admin);
        var step = plan.Steps.Single(s => s.IsBackground);
        Assert.Equal((StepLock.Brief, StepWork.Fill), (step.Lock, step.Work));
        Assert.Contains("CREATE TRIGGER", step.Sql, StringComparison.Ordinal);
        Assert.Contains(plan.Warnings, w => w.Code == "busy");

        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions("Numbers they are"));
        Assert.Equal((plan.Version, false, (long?)Assert.Single(await node.Steps.ListAsync(), s => s.State == MetadataStepState.Waiting).Id), (applied.Version, applied.Changed, applied.Step));
        Assert.Empty(applied.Errors);
        Assert.Equal(Fields.Text, node.Store.Current.Entity("company").Field("x_it").Type);
        Assert.NotEqual("Account", node.Store.Current.Entity("company").Label);

        await node.StepRunner.RunPendingAsync();

        var field = node.Store.Current.Entity("company").Field("x_that");
        Assert.Equal((Fields.Integer, true, plan.Version + 1), (field.Type, field.IsUnique, node.Store.Current.Version));
        Assert.Equal(42, await node.ScalarAsync<long>("SELECT x_that FROM records.company"));
        Assert.Equal("Account", node.Store.Current.Entity("company").Label);
        var version = (await node.History.ListAsync(null, 1))[0];
        Assert.Equal(("Ada", "Numbers they are"), (version.UserName, version.Comment));
        await Assert.ThrowsAsync<PostgresException>(() => node.InsertAsync("company", "name, x_that", "'B', 42"));
        await AssertCleanAsync();

        // And back.
        Assert.Empty((await node.ChangeAsync("""[{"change":"change_type","entity":"company","field":{"name":"x_that","type":"text"}}]""")).Errors);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("42", await node.ScalarAsync<string>("SELECT x_that FROM records.company"));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task What_is_written_meanwhile_is_converted_too_and_what_would_not_fit_is_refused()
    {
        await AddAsync(""" "type":"text","unique":true """, "'1'");
        await node.InsertAsync("company", "name, x_it", "'B', '2'");
        await node.InsertAsync("company", "name, x_it", "'C', NULL");
        await node.ChangeAsync(ToNumber);

        await WhileHeldAsync(async () =>
        {
            Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty, string.Join("\n", node.Consistency.Last!.Differences.Select(d => d.Message)));
            await node.InsertAsync("company", "name, x_it", "'New', ' 10 '");
            await node.ExecuteAsync("UPDATE records.company SET x_it = '30' WHERE name = 'New'");
            await node.ExecuteAsync("UPDATE records.company SET name = 'Other' WHERE x_it = '30'");
            foreach (var sql in new[] { "INSERT INTO records.company (id, created_at, modified_at, name, x_it) VALUES (gen_random_uuid(), now(), now(), 'Bad', 'many')", "UPDATE records.company SET x_it = '1,5' WHERE name = 'Other'" })
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() => node.ExecuteAsync(sql));
                Assert.Equal((SqlStates.Unconvertible, "company", "x_it", "integer"), (refused.SqlState, refused.TableName, refused.ColumnName, refused.DataTypeName));
            }

            // Nobody else changes the table meanwhile; definitions alone can be changed.
            Assert.Equal("busy", Assert.Single((await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_code","type":"text"}}]""")).Errors).Code);
            Assert.Empty((await node.ChangeAsync("""[{"change":"change_entity","entity":"company","label":"Account"}]""")).Errors);
        });

        Assert.Equal(["1", "2", "30", "-"], await node.ListAsync("SELECT coalesce(x_it::text, '-') FROM records.company ORDER BY x_it"));
        Assert.Equal(Fields.Integer, node.Store.Current.Entity("company").Field("x_it").Type);
        Assert.Equal("Account", node.Store.Current.Entity("company").Label);
        await AssertCleanAsync();
    }

    [Fact]
    public async Task A_value_saved_before_the_work_began_that_cannot_be_converted_stops_it_and_is_named()
    {
        await AddAsync(""" "type":"text" """, "'42'");
        await node.ChangeAsync(ToNumber);
        await node.InsertAsync("company", "name, x_it", "'B', 'many'");

        await node.StepRunner.RunPendingAsync();

        var failed = Assert.Single(await node.Steps.ListAsync());
        Assert.Equal(MetadataStepState.Failed, failed.State);
        Assert.Contains("'many'", failed.Error, StringComparison.Ordinal);
        Assert.Equal(Fields.Text, node.Store.Current.Entity("company").Field("x_it").Type);
        await AssertCleanAsync();

        await node.ExecuteAsync("UPDATE records.company SET x_it = '7' WHERE x_it = 'many'");
        Assert.True(await node.Steps.RetryAsync(failed.Id));
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(49, await node.ScalarAsync<decimal>("SELECT sum(x_it) FROM records.company"));
    }

    [Fact]
    public async Task Two_texts_that_are_the_same_number_stop_a_unique_field_and_are_named()
    {
        await AddAsync(""" "type":"text","unique":true """, "'7'");
        await node.InsertAsync("company", "name, x_it", "'B', '07'");
        await node.ChangeAsync(ToNumber);

        await node.StepRunner.RunPendingAsync();

        var failed = Assert.Single(await node.Steps.ListAsync());
        Assert.Equal(MetadataStepState.Failed, failed.State);
        Assert.Contains("'7'", failed.Error, StringComparison.Ordinal);
        await AssertCleanAsync();
    }

    [Fact]
    public async Task Stopped_in_the_middle_nothing_is_changed_and_it_can_be_run_again()
    {
        await AddAsync(""" "type":"text" """, "'1'");
        var id = (await node.ChangeAsync(ToNumber)).Step!.Value;

        await WhileHeldAsync(async () => Assert.True(await node.Steps.CancelAsync(id)), "true", table: "records.company");

        Assert.Equal(MetadataStepState.Cancelled, Assert.Single(await node.Steps.ListAsync()).State);
        Assert.Equal(Fields.Text, node.Store.Current.Entity("company").Field("x_it").Type);
        Assert.Equal("1", await node.ScalarAsync<string>("SELECT x_it FROM records.company"));
        await AssertCleanAsync();

        await node.Steps.RetryAsync(id);
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(1, await node.ScalarAsync<long>("SELECT x_it FROM records.company"));
        await AssertCleanAsync();
    }

    [Theory]
    // The second column and its trigger are added, and nothing more.
    [InlineData("NEW.position = '00000000-0000-0000-0000-000000000000' AND OLD.position IS NULL", true)]
    // A batch is done.
    [InlineData("NEW.done > 0", true)]
    // The change is applied, but not committed.
    [InlineData("NEW.state = 'done'", false)]
    public async Task A_host_killed_in_the_middle_leaves_it_to_another_one_which_goes_on(string moment, bool isOwnSession)
    {
        await AddAsync(""" "type":"text","unique":true """, "'1'");
        await node.InsertAsync("company", "name, x_it", "'B', '2'");
        await node.ChangeAsync(ToNumber);

        await AssertAnotherHostEndsItAsync(moment, isOwnSession, [("company", "x_it", 3)]);
    }

    [Fact]
    public async Task Fields_of_several_big_tables_become_others_in_one_plan_and_at_one_moment()
    {
        await AddAsync(""" "type":"text","unique":true """, "'1'");
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_other","type":"text"}},{"change":"create_entity","name":"x_venue","fields":[{"name":"it","type":"text"}]}]""");
        await node.InsertAsync("x_venue", "it", "'2'");
        const string changes = """
            [{"change":"change_type","entity":"company","field":{"name":"x_it","type":"integer"}},
             {"change":"change_type","entity":"company","field":{"name":"x_other","type":"date"}},
             {"change":"rename_field","entity":"x_venue","field":"it","to":"that"},
             {"change":"change_type","entity":"x_venue","field":{"name":"that","type":"integer"}}]
            """;
        var plan = await node.Editor.PlanAsync(Samples.Read(changes), Node.Admin);
        Assert.Equal(["company", "company", "x_venue"], plan.Steps.Where(s => s.IsBackground).Select(s => s.Entity));
        Assert.All(plan.Steps, s => Assert.NotEqual(StepLock.All, s.Lock));

        var applied = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
        Assert.Equal((false, (long?)Assert.Single(await node.Steps.ListAsync()).Id), (applied.Changed, applied.Step));
        // Neither table is changed meanwhile.
        foreach (var entity in new[] { "company", "x_venue" })
        {
            Assert.Equal("busy", Assert.Single((await node.ChangeAsync($$"""[{"change":"add_field","entity":"{{entity}}","field":{"name":"x_code","type":"text"} }]""")).Errors).Code);
        }

        await node.StepRunner.RunPendingAsync();

        Assert.Null(Assert.Single(await node.Steps.ListAsync()).Error);
        Assert.Equal(plan.Version + 1, node.Store.Current.Version);
        Assert.Equal((Fields.Integer, Fields.Date), (node.Store.Current.Entity("company").Field("x_it").Type, node.Store.Current.Entity("company").Field("x_other").Type));
        Assert.Equal((1, 2), (await node.ScalarAsync<long>("SELECT x_it FROM records.company"), await node.ScalarAsync<long>("SELECT that FROM records.x_venue")));
        await AssertCleanAsync();
    }

    [Fact]
    public async Task A_change_that_became_impossible_meanwhile_is_not_applied()
    {
        await AddAsync(""" "type":"text" """, "'1'");
        await node.ChangeAsync(ToNumber);
        // The view compares with a text; a number is none.
        await node.ChangeAsync("""[{"change":"set_view","entity":"company","view":{"name":"some","columns":["name"],"filter":{"path":"x_it","operator":"contains","value":"1"}}}]""");

        await node.StepRunner.RunPendingAsync();

        var failed = Assert.Single(await node.Steps.ListAsync());
        Assert.Equal(MetadataStepState.Failed, failed.State);
        Assert.NotEmpty(failed.Error!);
        Assert.Equal(Fields.Text, node.Store.Current.Entity("company").Field("x_it").Type);
        await AssertCleanAsync();
    }

    private static string Change(string to) => $$"""[{"change":"change_type","entity":"company","field":{"name":"x_it",{{to}} } }]""";

    private async Task AddAsync(string type, string value)
    {
        await node.ChangeAsync($$"""[{"change":"add_field","entity":"company","field":{"name":"x_it",{{type}} } }]""");
        await node.InsertAsync("company", "name, x_it", $"'Acme', {value}");
    }
}
