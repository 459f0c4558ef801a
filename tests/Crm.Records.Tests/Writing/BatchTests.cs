using Crm.Sdk;
using Npgsql;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Writing;

public sealed class BatchTests(Engine engine) : IClassFixture<Engine>
{
    private static readonly SaveOptions EachOnItsOwn = new(AllOrNothing: false);

    private RecordService Records => engine.Records;

    [Fact]
    public async Task One_error_refuses_all_that_belong_together()
    {
        var good = Values.Company("Good");
        var results = await Records.SaveManyAsync([good, Values.Company("")], new SaveOptions());
        Assert.Equal([ErrorCodes.Batch, ErrorCodes.Required], results.Select(r => Assert.Single(r.Errors).Code));
        Assert.Null(await Records.FindAsync("company", good.Id));
    }

    [Fact]
    public async Task Rows_with_errors_are_left_out_and_the_others_saved()
    {
        var changes = Enumerable.Range(0, 50).Select(i => Values.Company(i % 10 == 3 ? "" : $"C{i}", ("code", $"left-{i / 2}"))).ToList();
        var results = await Records.SaveManyAsync(changes, EachOnItsOwn);
        for (var i = 0; i < changes.Count; i++)
        {
            Assert.Equal(results[i].Succeeded, await Records.FindAsync("company", changes[i].Id) is not null);
            Assert.Equal(i % 10 != 3 && i % 2 == 0 || i % 10 == 2, results[i].Succeeded);
        }
    }

    [Fact]
    public async Task A_row_only_the_database_refuses_is_found_and_the_others_saved()
    {
        var taken = await Records.SavedAsync(Values.Company("Taken"));
        var changes = Enumerable.Range(0, 40).Select(i => i is 7 or 31 ? Values.Company("Again") with { Id = taken.Id } : Values.Company($"Found {i}")).ToList();
        var results = await Records.SaveManyAsync(changes, EachOnItsOwn);
        Assert.Equal([7, 31], results.Select((r, i) => (r, i)).Where(r => !r.r.Succeeded).Select(r => r.i));
        Assert.All(new[] { results[7], results[31] }, r => Assert.Equal(("id", ErrorCodes.Unique), (r.Errors[0].Field, r.Errors[0].Code)));
        Assert.Equal(38, await engine.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE name LIKE 'Found %'"));
        Assert.Equal(38, await engine.ScalarAsync<long>("SELECT count(*) FROM crm.history h JOIN records.company c ON c.id = h.record_id WHERE c.name LIKE 'Found %'"));
    }

    [Fact]
    public async Task A_dry_run_gives_the_verdicts_of_a_save_and_changes_nothing()
    {
        var first = Values.Company("Dry", ("code", "dry"));
        var changes = new[] { first, Values.Company("Twin", ("code", "dry")) };
        var dry = await Records.SaveManyAsync(changes, new SaveOptions(AllOrNothing: false, DryRun: true));
        Assert.True(dry[0].Succeeded);
        Assert.Equal(ErrorCodes.Unique, Assert.Single(dry[1].Errors).Code);
        Assert.Null(await Records.FindAsync("company", first.Id));
        Assert.Empty(await Records.HistoryAsync("company", first.Id));
        Assert.True((await Records.SaveManyAsync(changes, EachOnItsOwn))[0].Succeeded);
    }

    [Fact]
    public async Task Changes_take_effect_in_their_order()
    {
        var company = Values.Company("Order");
        var deal = Values.Deal(("company", company.Id));
        var results = await Records.SaveManyAsync(
            [
                company,
                deal,
                RecordChange.Update("company", company.Id, Values.Of(("country", "DE"))),
                RecordChange.Update("company", company.Id, Values.Of(("country", "AT"))),
                RecordChange.Delete("deal", deal.Id),
                RecordChange.Delete("company", company.Id),
            ],
            new SaveOptions());
        Assert.All(results, r => Assert.Empty(r.Errors));
        Assert.Equal(3, results[3].Record!.Version);
        Assert.Equal(4, (await Records.HistoryAsync("company", company.Id)).Length);
        Assert.Null(await Records.FindAsync("company", company.Id));
    }

    [Fact]
    public async Task Records_of_one_batch_may_point_to_each_other()
    {
        var parent = Values.Company("Parent");
        var results = await Records.SaveManyAsync([Values.Company("Child", ("parent", parent.Id)), parent], new SaveOptions());
        Assert.All(results, r => Assert.Empty(r.Errors));
    }

    [Fact]
    public async Task Many_updates_of_different_shapes_are_written()
    {
        var created = await Records.SaveManyAsync([.. Enumerable.Range(0, 1500).Select(i => Values.Company($"S{i}"))], new SaveOptions());
        var updates = created.Select((r, i) => Values.Update(r.Record!, i % 3 == 0 ? ("country", "FR") : ("name", $"T{i}"))).ToList();
        var results = await Records.SaveManyAsync(updates, new SaveOptions());
        Assert.All(results, r => Assert.Equal(2, r.Record!.Version));
        Assert.Equal(500, await engine.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE country = 'FR' AND name LIKE 'S%'"));
        Assert.Equal(1000, await engine.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE name LIKE 'T%' AND version = 2"));
    }

    [Fact]
    public async Task Work_before_the_commit_belongs_to_it()
    {
        await engine.ExecuteAsync("CREATE TABLE progress (saved int)");
        var change = Values.Company("With progress");
        await Records.SaveManyAsync([change], EachOnItsOwn, async (connection, transaction, results, ct) =>
        {
            await using var command = new NpgsqlCommand("INSERT INTO progress VALUES ($1)", connection, transaction) { Parameters = { new() { Value = results.Count(r => r.Succeeded) } } };
            await command.ExecuteNonQueryAsync(ct);
        });
        Assert.Equal(1, await engine.ScalarAsync<int>("SELECT saved FROM progress"));

        var lost = Values.Company("Lost");
        await Assert.ThrowsAsync<InvalidOperationException>(() => Records.SaveManyAsync([lost], EachOnItsOwn, (_, _, _, _) => throw new InvalidOperationException("no")));
        Assert.Null(await Records.FindAsync("company", lost.Id));
    }

    [Fact]
    public async Task Batches_that_lock_the_same_records_in_other_orders_both_come_through()
    {
        var records = (await Records.SaveManyAsync([.. Enumerable.Range(0, 60).Select(i => Values.Company($"L{i}"))], new SaveOptions())).Select(r => r.Record!).ToList();
        var writers = Enumerable.Range(0, 6).Select(w => Records.SaveManyAsync(
            [.. (w % 2 == 0 ? records : Enumerable.Reverse(records)).Select(r => RecordChange.Update("company", r.Id, Values.Of(("country", $"W{w}"))))], new SaveOptions()));
        Assert.All((await Task.WhenAll(writers)).SelectMany(r => r), r => Assert.Empty(r.Errors));
        Assert.Equal(60, await engine.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE name LIKE 'L%' AND version = 7"));
    }

    [Fact]
    public async Task Deadlocks_are_tried_again()
    {
        var a = await Records.SavedAsync(Values.Company("A"));
        var b = await Records.SavedAsync(Values.Company("B"));

        // Two records in two runs of one save are locked in the order of the changes, so these can wait for each other.
        Task<System.Collections.Immutable.ImmutableArray<SaveResult>> Save(Record first, Record second, int i) => Records.SaveManyAsync(
            [
                RecordChange.Update("company", first.Id, Values.Of(("country", $"a{i}"))),
                RecordChange.Update("company", first.Id, Values.Of(("country", $"b{i}"))),
                RecordChange.Update("company", second.Id, Values.Of(("country", $"c{i}"))),
                RecordChange.Update("company", second.Id, Values.Of(("country", $"d{i}"))),
            ],
            new SaveOptions());
        for (var round = 0; round < 3; round++)
        {
            var both = await Task.WhenAll(Save(a, b, 2 * round), Save(b, a, (2 * round) + 1));
            Assert.All(both.SelectMany(r => r), r => Assert.Empty(r.Errors));
        }

        Assert.Equal(13, (await Records.FindAsync("company", a.Id))!.Version);
    }
}
