using System.Globalization;
using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Writing;

/// <summary>Fields of big tables get another type while records are read and saved, on a host that hears of it and on one that does not.</summary>
public sealed class ConversionTests(Engine engine) : IClassFixture<Engine>
{
    private const int Writers = 4;

    [Fact]
    public async Task Everybody_reads_and_saves_on_while_fields_of_two_tables_become_others_and_nothing_is_lost()
    {
        await FillAsync("x_load");
        await FillAsync("x_more");
        await using var deaf = new ServiceCollection().AddLogging().AddCrmMetadata(engine.ConnectionString).BuildServiceProvider();
        var metadata = deaf.GetRequiredService<MetadataStore>();
        await metadata.LoadAsync();
        await deaf.GetRequiredService<Notifications>().DisposeAsync();
        using var done = new CancellationTokenSource();
        var last = new long[2 * Writers];
        var work = Enumerable.Range(0, 2 * Writers).Select(w => Task.Run(() => WorkAsync(
            w < Writers ? engine.Records : new RecordEngine(deaf.GetRequiredService<CrmDatabase>(), metadata, new BehaviorSource(), deaf.GetRequiredService<ScriptWorkers>(), TimeProvider.System).As(Engine.User), w, last, done.Token))).ToArray();

        await engine.ChangeAsync("""[{"change":"change_type","entity":"x_load","field":{"name":"amount","type":"integer"}},{"change":"change_type","entity":"x_more","field":{"name":"amount","type":"integer"}}]""");
        await StepsAsync();

        // Each of them must meet the new type before it may stop.
        await done.CancelAsync();
        await Task.WhenAll(work);
        Assert.Equal(Fields.Integer, engine.Metadata.Current.Entity("x_load").Field("amount").Type);
        Assert.Equal(engine.Metadata.Current.Version, metadata.Current.Version);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM (SELECT * FROM records.x_load UNION ALL SELECT * FROM records.x_more) AS filled WHERE amount IS DISTINCT FROM number AND code IS NULL"));
        for (var writer = 0; writer < last.Length; writer++)
        {
            Assert.Equal(last[writer], await engine.ScalarAsync<long>($"SELECT amount FROM records.{EntityOf(writer)} WHERE code = 'W{writer.ToString(CultureInfo.InvariantCulture)}'"));
        }
    }

    [Fact]
    public async Task A_value_that_will_not_fit_is_refused_at_its_field_while_the_field_becomes_another_one()
    {
        await FillAsync("x_strict");
        await engine.ChangeAsync("""[{"change":"change_type","entity":"x_strict","field":{"name":"amount","type":"integer"}}]""");
        // The batch that is being converted waits, and with it the step.
        await engine.ExecuteAsync("""
            CREATE FUNCTION crm.hold_strict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(78); RETURN NEW; END $$;
            CREATE TRIGGER hold_strict BEFORE UPDATE ON crm.metadata_step FOR EACH ROW WHEN (NEW.done > 0) EXECUTE FUNCTION crm.hold_strict();
            """);
        await using var holder = await engine.Database.OpenAsync();
        await using var hold = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(78)", holder);
        await hold.ExecuteNonQueryAsync();
        var running = StepsAsync();
        while (await engine.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 78 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0)
        {
            Assert.False(running.IsCompleted);
            await Task.Yield();
        }

        var refused = await engine.Records.SaveAsync(RecordChange.Create("x_strict", new Dictionary<string, object?> { ["amount"] = "a dozen" }));
        var saved = await engine.Records.SaveAsync(RecordChange.Create("x_strict", new Dictionary<string, object?> { ["amount"] = "12", ["code"] = "dozen" }));
        await using var free = new Npgsql.NpgsqlCommand("SELECT pg_advisory_unlock(78)", holder);
        await free.ExecuteNonQueryAsync();
        await running;

        var error = Assert.Single(refused.Errors);
        Assert.Equal(("amount", ErrorCodes.Type), (error.Field, error.Code));
        Assert.Contains("integer", error.Message, StringComparison.Ordinal);
        Assert.Equal(12L, (await engine.Records.FindAsync("x_strict", saved.Record!.Id))!.Values["amount"]);
    }

    private async Task FillAsync(string entity)
    {
        await engine.ChangeAsync($$"""
            [{"change":"create_entity","name":"{{entity}}","fields":[{"name":"code","type":"text"},{"name":"number","type":"integer"},{"name":"amount","type":"text"}]}]
            """);
        await engine.ExecuteAsync($"INSERT INTO records.{entity} (id, created_at, modified_at, owner, number, amount) SELECT gen_random_uuid(), now(), now(), '{Engine.User.UserId}', n, n::text FROM generate_series(1, 10000) AS n");
    }

    // Every host writes to both tables.
    private static string EntityOf(int writer) => writer % 2 == 0 ? "x_load" : "x_more";

    /// <summary>Saves and reads one record again and again, in the type the field has at that moment.</summary>
    private static async Task WorkAsync(RecordService records, int writer, long[] last, CancellationToken ct)
    {
        var entity = EntityOf(writer);
        var code = "W" + writer.ToString(CultureInfo.InvariantCulture);
        var created = await records.SaveAsync(RecordChange.Create(entity, new Dictionary<string, object?> { ["code"] = code, ["amount"] = "0" }), CancellationToken.None);
        Assert.Empty(created.Errors);
        var isNumber = false;
        while (!ct.IsCancellationRequested || !isNumber)
        {
            var next = last[writer] + 1;
            object value = isNumber ? next : next.ToString(CultureInfo.InvariantCulture);
            var saved = await records.SaveAsync(new RecordChange(ChangeKind.Update, entity, created.Record!.Id, new Dictionary<string, object?> { ["amount"] = value }), CancellationToken.None);
            // Too long a wait for the table is said, and nothing else may go wrong.
            Assert.True(saved.Succeeded || saved.Errors[0].Code is ErrorCodes.Busy, saved.Succeeded ? "" : saved.Errors[0].Code + " " + saved.Errors[0].Message);
            if (saved.Succeeded)
            {
                last[writer] = next;
                isNumber = saved.Record.Values["amount"] is long;
            }

            var found = (await records.FindAsync(entity, created.Record.Id, CancellationToken.None))!;
            Assert.Equal(last[writer].ToString(CultureInfo.InvariantCulture), Convert.ToString(found.Values["amount"], CultureInfo.InvariantCulture));
            var page = await records.QueryAsync(new RecordQuery { Entity = entity, Filter = Filter.Equal("code", code), Select = ["amount"] }, CancellationToken.None);
            Assert.Equal(last[writer].ToString(CultureInfo.InvariantCulture), Convert.ToString(Assert.Single(page.Records).Values["amount"], CultureInfo.InvariantCulture));
        }
    }

    private Task StepsAsync() => new StepRunner(engine.Database, engine.Metadata, engine.Notifications, TimeProvider.System, NullLogger<StepRunner>.Instance).RunPendingAsync();
}
