namespace Crm.Metadata.Tests;

/// <summary>Columns of match keys come, go and are filled with the definitions.</summary>
public sealed class MatchKeyTests : NodeTests
{
    private const string Phone = """[{"change":"add_field","entity":"company","field":{"name":"x_phone","type":"phone","country":"DE"}}]""";
    private const string Key = "SELECT x_phone__k FROM records.company";

    [Fact]
    public async Task Another_country_makes_the_keys_of_all_records_anew_while_others_work()
    {
        await node.ChangeAsync(Phone);
        await node.InsertAsync("company", "name, x_phone, x_phone__k", "'Acme', '0171 1234567', '+491711234567'");
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_field","entity":"company","field":{"name":"x_phone","country":"AT"}}]"""), Node.Admin);
        var step = plan.Steps.Single(s => s.Sql is not null);
        Assert.True(step.IsBackground);
        Assert.False(step.IsDestructive);
        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors);

        await node.StepRunner.RunPendingAsync();
        Assert.Equal("+431711234567", await node.ScalarAsync<string>(Key));
        Assert.Equal(MetadataStepState.Done, (await node.Steps.ListAsync())[0].State);
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task A_list_of_keys_is_made_anew_as_well()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_phones","type":"phones","country":"DE","choices":["sea"]}}]""");
        await node.InsertAsync("company", "name, x_phones", "'Acme', '[{\"kind\":\"sea\",\"value\":\"0171 1234567\"},{\"kind\":\"sea\",\"value\":\"+1 212 555 0100\"}]'");
        await node.InsertAsync("company", "name", "'Bare'");
        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_phones","country":"AT"}}]""");
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("+431711234567,+12125550100", await node.ScalarAsync<string>("SELECT array_to_string(x_phones__k, ',') FROM records.company WHERE name = 'Acme'"));
        Assert.Equal(1, await node.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE x_phones__k @> ARRAY['+431711234567']"));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task A_kind_in_use_is_not_taken_away()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_phones","type":"phones"}}]""");
        await node.InsertAsync("company", "name, x_phones", "'Acme', '[{\"kind\":\"fax\",\"value\":\"030 901820\"}]'");
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_field","entity":"company","field":{"name":"x_phones","choices":["mobile"]}}]"""), Node.Admin);
        Assert.Contains("fax", Assert.Single(plan.Errors).Message, StringComparison.Ordinal);
        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_phones","choices":["mobile","work","home","fax","other","sea"]}}]""");
    }

    [Fact]
    public async Task A_database_of_an_earlier_version_gets_its_keys()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_mail","type":"email","unique":true}}]""");
        await node.InsertAsync("company", "name, x_mail", "'Acme Ltd.', 'Info@ACME.com'");
        // As an earlier version left it.
        await node.ExecuteAsync("""
            ALTER TABLE records.company DROP COLUMN x_mail__k, DROP COLUMN x_mail__d, DROP COLUMN name__k;
            CREATE UNIQUE INDEX company__x_mail_u ON records.company (x_mail)
            """);
        await using var next = await Node.StartAsync(database.ConnectionString);
        await next.StepRunner.RunPendingAsync();
        Assert.Equal("info@acme.com acme.com acme", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_mail__k, x_mail__d, name__k) FROM records.company"));
        Assert.All(await node.Steps.ListAsync(), step => Assert.Equal(MetadataStepState.Done, step.State));
        Assert.Empty((await next.Consistency.RunAsync()).Differences);

        await using var again = await Node.StartAsync(database.ConnectionString);
        Assert.DoesNotContain(await again.Steps.ListAsync(), step => step.State != MetadataStepState.Done);
    }

    [Fact]
    public async Task Doubles_that_only_keys_show_stop_the_index_and_are_named()
    {
        await node.ChangeAsync(Phone);
        await node.InsertAsync("company", "name, x_phone, x_phone__k", "'One', '0171 1234567', '+491711234567'");
        await node.InsertAsync("company", "name, x_phone, x_phone__k", "'Two', '+49 171 1234567', '+491711234567'");
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"change_field","entity":"company","field":{"name":"x_phone","unique":true}}]"""), Node.Admin);
        Assert.Contains("+491711234567", Assert.Single(plan.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_records_are_called_by_has_name_keys_and_nothing_else_has()
    {
        await node.ChangeAsync("""
            [{"change":"add_field","entity":"company","field":{"name":"x_brand","type":"text"}},
             {"change":"change_entity","entity":"company","title":["x_brand"]}]
            """);
        Assert.Equal(["x_brand__k"], await KeysAsync());
        await node.InsertAsync("company", "name, x_brand", "'Acme Ltd', 'Roadrunner Inc.'");
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","title":["name"]}]""");
        await node.StepRunner.RunPendingAsync();
        Assert.Equal(["name__k"], await KeysAsync());
        Assert.Equal("acme", await node.ScalarAsync<string>("SELECT name__k FROM records.company"));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task Keys_go_along_when_a_field_is_renamed_turned_into_text_and_purged()
    {
        await node.ChangeAsync(Phone);
        await node.InsertAsync("company", "name, x_phone", "'Acme', '0171 1234567'");
        await node.ChangeAsync("""[{"change":"change_field","entity":"company","field":{"name":"x_phone","country":"AT"}}]""");
        await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_phone","to":"x_call"}]""");
        await node.StepRunner.RunPendingAsync();
        Assert.Equal("+431711234567", await node.ScalarAsync<string>("SELECT x_call__k FROM records.company"));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
        await node.ChangeAsync("""[{"change":"change_type","entity":"company","field":{"name":"x_call","type":"text"}}]""");
        Assert.DoesNotContain("x_call__k", await KeysAsync());
        Assert.Empty((await node.Consistency.RunAsync()).Differences);

        await node.ChangeAsync(Phone);
        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_phone"}]""");
        Assert.Contains("x_phone__k", await KeysAsync());
        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"purge_field","entity":"company","field":"x_phone"}]"""), Node.Admin);
        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: plan.Confirm))).Errors);
        Assert.DoesNotContain("x_phone__k", await KeysAsync());
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Theory]
    [InlineData("phone", "de", "'de' is no country")]
    [InlineData("phone", "XX", "'XX' is no country")]
    [InlineData("text", "DE", "country")]
    public async Task A_country_that_means_nothing_is_refused(string type, string country, string reason)
    {
        var plan = await node.Editor.PlanAsync(Samples.Read($$$"""[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"{{{type}}}","country":"{{{country}}}"}}]"""), Node.Admin);
        Assert.Contains(reason, Assert.Single(plan.Errors).Message, StringComparison.Ordinal);
    }

    private Task<IReadOnlyList<string>> KeysAsync() =>
        node.ListAsync(@"SELECT attname FROM pg_attribute WHERE attrelid = 'records.company'::regclass AND attname LIKE '%\_\_k' AND NOT attisdropped ORDER BY attname");
}
