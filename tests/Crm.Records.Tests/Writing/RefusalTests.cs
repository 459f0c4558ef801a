using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class RefusalTests(Engine engine) : IClassFixture<Engine>
{
    private RecordService Records => engine.Records;

    [Fact]
    public async Task Every_error_of_a_record_is_told_at_once_in_the_order_of_its_fields()
    {
        var rows = await engine.ScalarAsync<long>("SELECT (SELECT count(*) FROM records.deal) + (SELECT count(*) FROM crm.outbox)");
        var errors = await Records.RefusedAsync(RecordChange.Create("deal", Values.Of(
            ("nothing", 1), ("title", ""), ("company", Guid.CreateVersion7()), ("budget", -1), ("count", "many"), ("due", "tomorrow"), ("kind", "odd"), ("score", 5), ("version", 9))));
        Assert.Equal(
            [
                ("nothing", ErrorCodes.UnknownField), ("title", ErrorCodes.Required), ("company", ErrorCodes.Unknown), ("budget", ErrorCodes.Range), ("count", ErrorCodes.Type),
                ("due", ErrorCodes.Type), ("kind", ErrorCodes.Unknown), ("score", ErrorCodes.ReadOnly), ("version", ErrorCodes.ReadOnly),
            ],
            errors.Select(e => (e.Field!, e.Code)));
        Assert.Equal(rows, await engine.ScalarAsync<long>("SELECT (SELECT count(*) FROM records.deal) + (SELECT count(*) FROM crm.outbox)"));
    }

    [Fact]
    public async Task An_unknown_entity_is_refused()
    {
        Assert.Equal(ErrorCodes.UnknownEntity, (await Records.RefusedOnceAsync(RecordChange.Create("select\"; drop table", Values.Of()))).Code);
        Assert.Equal(ErrorCodes.UnknownField, (await Records.RefusedOnceAsync(Values.Deal(("select\"; drop table", 1)))).Code);
    }

    [Fact]
    public async Task A_text_that_is_too_long_or_cannot_be_stored_is_refused()
    {
        Assert.Equal(ErrorCodes.Length, (await Records.RefusedOnceAsync(Values.Deal(("title", new string('x', 51))))).Code);
        Assert.Equal(ErrorCodes.Type, (await Records.RefusedOnceAsync(Values.Deal(("title", "a\0b")))).Code);
        Assert.Equal(ErrorCodes.Type, (await Records.RefusedOnceAsync(Values.Deal(("title", "half \ud83d")))).Code);
    }

    [Fact]
    public async Task Values_are_never_part_of_a_statement()
    {
        const string Attack = "'); DROP TABLE records.deal; --";
        var deal = await Records.SavedAsync(Values.Deal(("title", Attack), ("notes", "{\"x\", '\\'}"), ("tags", new[] { "we\"ird\\", "a" })));
        Assert.Equal(Attack, (await Records.FindAsync("deal", deal.Id))!["title"]);
    }

    [Fact]
    public async Task A_unique_value_is_taken_only_once()
    {
        await Records.SavedAsync(Values.Company("One", ("code", "c1"), ("email", "a@EXAMPLE.com")));
        var errors = await Records.RefusedAsync(Values.Company("Two", ("code", "c1"), ("email", "a@example.com")));
        Assert.Equal([("code", ErrorCodes.Unique), ("email", ErrorCodes.Unique)], errors.Select(e => (e.Field!, e.Code)));
        Assert.Contains("Company", errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_unique_value_taken_at_the_same_moment_is_refused_at_its_field()
    {
        for (var round = 0; round < 10; round++)
        {
            var code = $"r{round}";
            var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Records.SaveAsync(Values.Company($"n{i}", ("code", code)))));
            Assert.Single(results, r => r.Succeeded);
            Assert.All(results.Where(r => !r.Succeeded), r => Assert.Equal(("code", ErrorCodes.Unique), (Assert.Single(r.Errors).Field, r.Errors[0].Code)));
        }
    }

    [Fact]
    public async Task A_record_keeps_its_own_unique_value()
    {
        var company = await Records.SavedAsync(Values.Company("One", ("code", "own")));
        await Records.SavedAsync(Values.Update(company, ("code", "own"), ("name", "Uno")));
    }

    [Fact]
    public async Task A_target_deleted_at_the_same_moment_is_refused_and_never_left_dangling()
    {
        for (var round = 0; round < 10; round++)
        {
            var company = await Records.SavedAsync(Values.Company("Acme"));
            var deal = Records.SaveAsync(Values.Deal(("company", company.Id)));
            var gone = Records.SaveAsync(RecordChange.Delete("company", company.Id));
            await Task.WhenAll(deal, gone);
            Assert.NotEqual((await deal).Succeeded, (await gone).Succeeded);
            if (!(await deal).Succeeded)
            {
                Assert.Equal(("company", ErrorCodes.Unknown), ((await deal).Errors[0].Field, (await deal).Errors[0].Code));
            }
        }
    }

    [Fact]
    public async Task An_id_is_taken_only_once()
    {
        var deal = Values.Deal();
        await Records.SavedAsync(deal);
        var error = await Records.RefusedOnceAsync(deal);
        Assert.Equal(("id", ErrorCodes.Unique), (error.Field, error.Code));
    }

    [Fact]
    public async Task A_number_is_given_by_the_product_only()
    {
        var deal = await Records.SavedAsync(Values.Deal());
        Assert.StartsWith("D0", (string)deal["number"]!, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.ReadOnly, (await Records.RefusedOnceAsync(Values.Update(deal, ("number", "D99999")))).Code);
        await Records.SavedAsync(Values.Update(deal, ("number", deal["number"]), ("version", 1), ("id", deal.Id), ("count", 1)));
        Assert.Equal(ErrorCodes.ReadOnly, (await Records.RefusedOnceAsync(Values.Deal(("number", "D00001")))).Code);
    }

    [Fact]
    public async Task A_stage_and_an_owner_cannot_be_emptied()
    {
        var deal = await Records.SavedAsync(Values.Deal());
        var errors = await Records.RefusedAsync(Values.Update(deal, ("stage", null), ("owner", null)));
        Assert.Equal([("stage", ErrorCodes.Required), ("owner", ErrorCodes.Required)], errors.Select(e => (e.Field!, e.Code)));
    }

    [Fact]
    public async Task Users_are_written_by_administrators_only()
    {
        var change = RecordChange.Create("user", Values.Of(("name", "Eve"), ("user_name", "eve"), ("is_administrator", true)));
        Assert.Equal(ErrorCodes.Access, (await Records.RefusedOnceAsync(change)).Code);
        Assert.Equal(ErrorCodes.Access, (await Records.RefusedOnceAsync(RecordChange.Update("user", Engine.User.UserId, Values.Of(("is_administrator", true))))).Code);
        await engine.With().As(Engine.Admin).SavedAsync(change);
    }

    [Fact]
    public async Task Nobody_reads_or_writes_without_an_identity()
    {
        var nobody = engine.With().As(new Actor(Guid.Empty, "?", true));
        Assert.Equal(ErrorCodes.Access, (await nobody.RefusedOnceAsync(Values.Deal())).Code);
        Assert.Equal(ErrorCodes.Access, (await Assert.ThrowsAsync<QueryException>(() => nobody.QueryAsync(new RecordQuery { Entity = "deal" }))).Code);
    }

    [Fact]
    public async Task Entities_of_a_module_that_does_not_run_are_read_only()
    {
        var deal = await Records.SavedAsync(Values.Deal());
        var off = new RecordEngine(engine.Database, engine.Metadata, new BehaviorSource(), engine.Scripts, TimeProvider.System).As(Engine.Admin);
        Assert.Equal(ErrorCodes.Module, (await off.RefusedOnceAsync(Values.Update(deal, ("count", 1)))).Code);
        Assert.NotNull(await off.FindAsync("deal", deal.Id));
    }

    [Fact]
    public async Task A_locked_record_says_it_is_busy()
    {
        var deal = await Records.SavedAsync(Values.Deal());
        await using var connection = await engine.Database.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new Npgsql.NpgsqlCommand("SELECT 1 FROM records.deal WHERE id = $1 FOR UPDATE", connection) { Parameters = { new() { Value = deal.Id } } })
        {
            await command.ExecuteNonQueryAsync();
        }

        var impatient = new RecordEngine(engine.Database, engine.Metadata, engine.With().Behaviors, engine.Scripts, TimeProvider.System) { LockTimeout = TimeSpan.FromMilliseconds(50) }.As(Engine.User);
        Assert.Equal(ErrorCodes.Busy, (await impatient.RefusedOnceAsync(Values.Update(deal, ("count", 1)))).Code);
    }
}
