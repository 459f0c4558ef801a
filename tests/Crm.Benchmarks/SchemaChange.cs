using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Npgsql;

namespace Crm.Benchmarks;

/// <summary>Changes of a big table while many save records in it: the longest time any of them had to wait, step by step.</summary>
internal static class SchemaChange
{
    private static readonly (string Name, string Change)[] Changes =
    [
        ("(nothing, as long as a change)", ""),
        ("add a field with a default", """{"change":"add_field","entity":"x_item","field":{"name":"state","type":"text","default":"new"}}"""),
        ("add a lookup (column, key, index)", """{"change":"add_field","entity":"x_item","field":{"name":"company","type":"lookup","target":"company"}}"""),
        ("add an index", """{"change":"change_field","entity":"x_item","field":{"name":"amount","indexed":true}}"""),
        ("make a field unique (index)", """{"change":"change_field","entity":"x_item","field":{"name":"code","unique":true}}"""),
        ("quick search in a field (trigrams)", """{"change":"change_entity","entity":"x_item","search":["name"]}"""),
        ("add a formula and fill it in", """{"change":"add_field","entity":"x_item","field":{"name":"double","type":"formula","result":"integer","formula":"amount * 2"}}"""),
        ("make a field required", """{"change":"change_field","entity":"x_item","field":{"name":"amount","required":true}}"""),
        ("hide a field", """{"change":"hide_field","entity":"x_item","field":"note"}"""),
        ("remove a hidden field (drop)", """{"change":"purge_field","entity":"x_item","field":"note"}"""),
        ("integer to decimal", """{"change":"change_type","entity":"x_item","field":{"name":"amount","type":"decimal"}}"""),
    ];

    // On average, between two saves of a writer.
    private const int PauseMilliseconds = 15;

    public static async Task RunAsync(int rows, int writers)
    {
        await using var crm = await TestCrm.StartAsync();
        var editor = crm.Services.GetRequiredService<MetadataEditor>();
        await ApplyAsync(editor, crm.Admin, """
            {"change":"create_entity","name":"x_item","search":["code"],"title":["name"],"fields":[
              {"name":"name","type":"text"},{"name":"code","type":"text"},{"name":"amount","type":"integer"},{"name":"note","type":"text"}]}
            """);
        var watch = Stopwatch.StartNew();
        await FillAsync(crm.ConnectionString, rows);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} records made in {watch.Elapsed.TotalSeconds:N0} s; {writers} writers, {PauseMilliseconds} ms between two saves of each"));
        Console.WriteLine($"{"",-38}{"took s",9}{"in all s",10}{"saves",9}{"median ms",11}{"longest ms",12}{"refused",9}");

        using var stop = new CancellationTokenSource();
        var waits = new ConcurrentBag<(long Start, double Milliseconds, bool IsSaved)>();
        var ids = await IdsAsync(crm.ConnectionString);
        var records = crm.Services.GetRequiredService<IRecords>().As(crm.Admin);
        var work = Enumerable.Range(0, writers).Select(w => Task.Run(() => WriteAsync(records, ids, w, waits, stop.Token))).ToArray();
        await PauseAsync(5);
        await using var longWaits = new LongWaits(crm.ConnectionString, TimeSpan.FromMilliseconds(50));
        longWaits.Start();
        foreach (var (name, change) in Changes)
        {
            await Task.WhenAll(work.Where(w => w.IsFaulted));
            waits.Clear();
            longWaits.Take();
            var start = Stopwatch.GetTimestamp();
            if (change.Length == 0)
            {
                await PauseAsync(5);
            }
            else
            {
                await ApplyAsync(editor, crm.Admin, change);
            }

            var applied = Stopwatch.GetElapsedTime(start);
            await StepsDoneAsync(crm);
            var all = Stopwatch.GetElapsedTime(start);
            // A save that waits is only known once it got on.
            await PauseAsync(1);
            var found = waits.Where(w => w.Start >= start - Stopwatch.Frequency).ToArray();
            var sorted = found.Select(w => w.Milliseconds).Order().ToArray();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-38}{applied.TotalSeconds,9:N2}{all.TotalSeconds,10:N1}{found.Length,9:N0}{sorted[sorted.Length / 2],11:N1}{sorted[^1],12:N0}{found.Count(w => !w.IsSaved),9}"));
            foreach (var wait in longWaits.Take())
            {
                Console.WriteLine("    " + wait);
            }
        }

        await stop.CancelAsync();
        await Task.WhenAll(work);
        await CheckAsync(crm.ConnectionString);
    }

    private static async Task WriteAsync(IRecordService records, Guid[] ids, int writer, ConcurrentBag<(long, double, bool)> waits, CancellationToken ct)
    {
        var random = new Random(writer);
        while (!ct.IsCancellationRequested)
        {
            var start = Stopwatch.GetTimestamp();
            var result = await records.SaveAsync(new RecordChange(ChangeKind.Update, "x_item", ids[random.Next(ids.Length)], new Dictionary<string, object?> { ["amount"] = random.Next(1_000_000) }), CancellationToken.None);
            if (!result.Succeeded && result.Errors[0].Code != ErrorCodes.Busy)
            {
                throw new InvalidOperationException(result.Errors[0].Message);
            }

            waits.Add((start, Stopwatch.GetElapsedTime(start).TotalMilliseconds, result.Succeeded));
            // Without a pause the writers wait for a processor, and longer than for any change.
            await Task.Delay(random.Next(2 * PauseMilliseconds), CancellationToken.None);
        }
    }

    private static async Task ApplyAsync(MetadataEditor editor, Actor admin, string change)
    {
        using var document = JsonDocument.Parse($$"""{"changes":[{{change}}]}""");
        var plan = await editor.PlanAsync(MetadataJson.ReadChanges(document.RootElement).Changes, admin);
        var result = plan.CanApply ? await editor.ApplyAsync(plan.Id, admin, new ApplyOptions(Confirm: plan.Confirm)) : new ApplyResult(0, plan.Errors, Changed: false);
        if (!result.Succeeded)
        {
            throw new InvalidOperationException(string.Join(" ", result.Errors.Select(e => e.Message)));
        }
    }

    private static async Task StepsDoneAsync(TestCrm crm)
    {
        var steps = crm.Services.GetRequiredService<MetadataSteps>();
        using var changes = new SemaphoreSlim(0);
        using var told = crm.Services.GetRequiredService<Notifications>().Subscribe(MetadataSteps.Channel, (_, _) =>
        {
            changes.Release();
            return Task.CompletedTask;
        });
        while (true)
        {
            await changes.WaitAsync();
            var all = await steps.ListAsync();
            if (all.FirstOrDefault(s => s.State == MetadataStepState.Failed) is { } failed)
            {
                throw new InvalidOperationException(failed.Text + ": " + failed.Error);
            }

            if (all.All(s => s.State == MetadataStepState.Done))
            {
                return;
            }
        }
    }

    private static async Task PauseAsync(int seconds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(seconds));
        await timer.WaitForNextTickAsync();
    }

    private static async Task FillAsync(string connectionString, int rows)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var fill = new NpgsqlCommand(
            """
            INSERT INTO records.x_item (id, version, created_at, modified_at, is_active, owner, name, code, amount, note)
            SELECT gen_random_uuid(), 1, now(), now(), true, (SELECT id FROM records."user" WHERE user_name = 'admin'), 'Item number ' || n, 'C' || n, n % 1000, 'A note of some length about item ' || n FROM generate_series(1, $1) AS n
            """,
            connection)
        {
            CommandTimeout = 0,
            Parameters = { new() { Value = rows } },
        };
        await fill.ExecuteNonQueryAsync();
        await using var analyze = new NpgsqlCommand("VACUUM ANALYZE records.x_item", connection) { CommandTimeout = 0 };
        await analyze.ExecuteNonQueryAsync();
    }

    private static async Task<Guid[]> IdsAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT array_agg(id) FROM (SELECT id FROM records.x_item LIMIT 50000) AS head", connection);
        return (Guid[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Nothing was lost: every save is in the history, and every record is at the version of its last one.</summary>
    private static async Task CheckAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*) FROM (SELECT record_id, max(version) AS last, count(*) AS saves FROM crm.history WHERE entity = 'x_item' GROUP BY record_id) AS h
            JOIN records.x_item i ON i.id = h.record_id WHERE i.version <> h.last OR h.saves <> h.last - 1 OR i.double IS DISTINCT FROM i.amount * 2
            """,
            connection)
        { CommandTimeout = 0 };
        Console.WriteLine($"records that differ from their history or their formula: {await command.ExecuteScalarAsync()}");
    }
}
