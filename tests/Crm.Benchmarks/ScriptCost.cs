using System.Diagnostics;
using System.Text;
using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Benchmarks;

/// <summary>What scripts of rules cost: calls a second, what a save takes longer, and how soon a lost worker is replaced.</summary>
internal static class ScriptCost
{
    private const string Script = "if (record.budget > 100) { record.source_reference = 'B' + record.budget; }";

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(int seconds)
    {
        var record = Encoding.UTF8.GetBytes("""{"record":{"title":"A deal","budget":120,"budget_currency":"EUR","source_reference":null,"stage":"offer","engage_date":"2026-11-22"},"before":null,"changed":["budget"]}""");
        await using (var workers = new ScriptWorkers())
        {
            foreach (var size in new[] { 1, 100, 1000 })
            {
                ReadOnlyMemory<byte>[] batch = [.. Enumerable.Repeat((ReadOnlyMemory<byte>)record, size)];
                await workers.RunAsync(Call(Script), batch);
                var (watch, calls) = (Stopwatch.StartNew(), 0L);
                for (; watch.Elapsed.TotalSeconds < seconds; calls += size)
                {
                    await workers.RunAsync(Call(Script), batch);
                }

                Console.WriteLine($"{$"rule calls, {size:N0} a message (records/s)",-56}{calls / watch.Elapsed.TotalSeconds,12:N0}");
            }

            var lost = new List<double>();
            for (var i = 0; i < 5; i++)
            {
                // Built-ins ignore the engine's limits: only ending the process stops this.
                await workers.RunAsync(Call("new Array(1e8).join('x');") with { Budget = TimeSpan.FromMilliseconds(50) }, [record]);
                var watch = Stopwatch.StartNew();
                await workers.RunAsync(Call(Script), [record]);
                lost.Add(watch.Elapsed.TotalMilliseconds);
            }

            Console.WriteLine($"{"first call after a kill, of 5 (ms: least, most)",-56}{lost.Min(),12:N0}{lost.Max(),12:N0}");
        }

        await using var data = await BenchmarkData.CreateAsync(opportunities: 1_000);
        var (single, batched) = await SavesAsync(data.Crm, data.Ids, seconds, 0);
        await SetAsync(data.Crm);
        var (singleScript, batchedScript) = await SavesAsync(data.Crm, data.Ids, seconds, 1);
        Console.WriteLine($"{"",-56}{"without",12}{"with script",12}{"ratio",8}");
        Console.WriteLine($"{"save one record (saves/s)",-56}{single,12:N0}{singleScript,12:N0}{single / singleScript,8:0.00}");
        Console.WriteLine($"{"save 100 records a batch (records/s)",-56}{batched,12:N0}{batchedScript,12:N0}{batched / batchedScript,8:0.00}");
    }

    private static ScriptCall Call(string script) => new(script, Budget, Guid.Empty, "Ada", IsAdministrator: false, DateTimeOffset.UnixEpoch);

    private static async Task SetAsync(TestCrm crm)
    {
        var editor = crm.Services.GetRequiredService<MetadataEditor>();
        var rule = new RuleDefinition("reference", RuleKind.Script, "", ["budget"]) { Script = new ScriptDefinition(Script, ScriptMoment.Change) };
        var plan = await editor.PlanAsync([new MetadataChange.SetRule("opportunity", rule)], Actor.System);
        var applied = plan.CanApply ? await editor.ApplyAsync(plan.Id, Actor.System) : throw new InvalidOperationException(plan.Errors[0].Message);
        if (!applied.Succeeded)
        {
            throw new InvalidOperationException(applied.Errors[0].Message);
        }
    }

    private static async Task<(double Single, double Batched)> SavesAsync(TestCrm crm, IReadOnlyList<Guid> ids, int seconds, int round)
    {
        RecordChange Change(long i) => RecordChange.Update("opportunity", ids[(int)(i % ids.Count)], new Dictionary<string, object?> { ["budget"] = 200m + (round * 1_000_000) + i });
        var (watch, saves) = (Stopwatch.StartNew(), 0L);
        for (; watch.Elapsed.TotalSeconds < seconds; saves++)
        {
            Require(await crm.Records.SaveAsync(Change(saves)));
        }

        var single = saves / watch.Elapsed.TotalSeconds;
        var (again, rows) = (Stopwatch.StartNew(), saves);
        for (; again.Elapsed.TotalSeconds < seconds; rows += 100)
        {
            foreach (var result in await crm.Records.SaveManyAsync([.. Enumerable.Range(0, 100).Select(i => Change(rows + i))], new SaveOptions()))
            {
                Require(result);
            }
        }

        return (single, (rows - saves) / again.Elapsed.TotalSeconds);
    }

    private static void Require(SaveResult result)
    {
        if (!result.Succeeded)
        {
            throw new InvalidOperationException(result.Errors[0].Message);
        }
    }
}
