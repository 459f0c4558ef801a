using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
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
        (Rename, """{"change":"rename_entity","entity":"x_item","to":"x_thing"}"""),
        // What a save waits for in the same time when nothing changes: for a processor, and for the disk.
        (Idle, ""),
        (Busy, ""),
    ];

    private const string Rename = "rename it, each record has a note";
    private const string Idle = "(nothing, for a minute)";
    private const string Busy = "(nothing, one processor busy)";

    private const string FillNotes = """
        INSERT INTO records.note (id, version, created_at, modified_at, is_active, owner, about_id, about_entity, text, is_pinned, title)
        SELECT gen_random_uuid(), 1, now(), now(), true, owner, id, 'x_item', 'Called about ' || name, false, 'Called about ' || name FROM records.x_item
        """;

    // As long as the longest steps take.
    private const int ControlSeconds = 60;

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
        var ids = await IdsAsync(crm.ConnectionString, "x_item");
        var notes = new StrongBox<Guid[]>([]);
        var records = crm.Services.GetRequiredService<IRecords>().As(crm.Admin);
        var work = Enumerable.Range(0, writers).Select(w => Task.Run(() => WriteAsync(records, crm.Services.GetRequiredService<MetadataStore>(), ids, notes, w, waits, stop.Token))).ToArray();
        await PauseAsync(5);
        await using var longWaits = new LongWaits(crm.ConnectionString, TimeSpan.FromMilliseconds(50));
        longWaits.Start();
        foreach (var (name, change) in Changes)
        {
            await Task.WhenAll(work.Where(w => w.IsFaulted));
            if (name == Rename)
            {
                await RunAsync(crm.ConnectionString, FillNotes);
                notes.Value = await IdsAsync(crm.ConnectionString, "note");
                await PauseAsync(5);
            }

            waits.Clear();
            longWaits.Take();
            var start = Stopwatch.GetTimestamp();
            if (name == Busy)
            {
                await KeepBusyAsync(crm.ConnectionString, ControlSeconds);
            }
            else if (change.Length == 0)
            {
                await PauseAsync(name == Idle ? ControlSeconds : 5);
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

    private static async Task WriteAsync(
        IRecordService records, MetadataStore store, Guid[] ids, StrongBox<Guid[]> notes, int writer, ConcurrentBag<(long, double, bool)> waits, CancellationToken ct)
    {
        var random = new Random(writer);
        while (!ct.IsCancellationRequested)
        {
            var change = notes.Value is { Length: > 0 } found && writer % 2 == 0
                ? RecordChange.Update("note", found[random.Next(found.Length)], new Dictionary<string, object?> { ["text"] = $"Called again about {random.Next(1_000_000)}" })
                : RecordChange.Update(store.Current.TryEntity("x_thing", out _) ? "x_thing" : "x_item", ids[random.Next(ids.Length)], new Dictionary<string, object?> { ["amount"] = random.Next(1_000_000) });
            var start = Stopwatch.GetTimestamp();
            var result = await records.SaveAsync(change, CancellationToken.None);
            if (!result.Succeeded && result.Errors[0].Code is not (ErrorCodes.Busy or ErrorCodes.UnknownEntity))
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
        await RunAsync(connectionString, string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO records.x_item (id, version, created_at, modified_at, is_active, owner, name, code, amount, note)
            SELECT gen_random_uuid(), 1, now(), now(), true, (SELECT id FROM records."user" WHERE user_name = 'admin'), 'Item number ' || n, 'C' || n, n % 1000, 'A note of some length about item ' || n FROM generate_series(1, {rows}) AS n
            """));
        await RunAsync(connectionString, "VACUUM ANALYZE records.x_item");
    }

    /// <summary>Takes a processor of the database, and nothing else.</summary>
    private static Task KeepBusyAsync(string connectionString, int seconds) => RunAsync(connectionString, string.Create(CultureInfo.InvariantCulture, $"""
        DO $$ BEGIN WHILE clock_timestamp() < now() + interval '{seconds} seconds' LOOP PERFORM sum(n) FROM generate_series(1, 10000) AS n; END LOOP; END $$
        """));

    private static async Task RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<Guid[]> IdsAsync(string connectionString, string table)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT array_agg(id) FROM (SELECT id FROM records.{table} LIMIT 50000) AS head", connection);
        return (Guid[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Nothing was lost: every save is in the history, and every record is at the version of its last one.</summary>
    private static async Task CheckAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*) FROM (SELECT record_id, max(version) AS last, count(*) AS saves FROM crm.history WHERE entity IN ('x_item', 'x_thing') GROUP BY record_id) AS h
            JOIN records.x_thing i ON i.id = h.record_id WHERE i.version <> h.last OR h.saves <> h.last - 1 OR i.double IS DISTINCT FROM i.amount * 2
            """,
            connection)
        { CommandTimeout = 0 };
        Console.WriteLine($"records that differ from their history or their formula: {await command.ExecuteScalarAsync()}");
    }
}
