using System.Diagnostics;

namespace Crm.Rules.Tests;

/// <summary>Scripts that mean harm: each is stopped, says so, and the next caller notices nothing.</summary>
public sealed class AttackTests(Pool pool) : IClassFixture<Pool>
{
    // Enough for the engine's own limits to be seen to work, little enough to wait for.
    private const int Budget = 500;

    /// <summary>An attack, and what it ends as.</summary>
    public static TheoryData<string, string, ScriptFailureKind[]> StoppedByTheEngine => new()
    {
        { "endless loop", "while (true) {}", [ScriptFailureKind.Time] },
        { "endless recursion", "function f() { return f(); } f();", [ScriptFailureKind.Recursion] },
        { "pattern that backtracks", "/(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!');", [ScriptFailureKind.Time] },
        { "loop in a getter", "Object.defineProperty(record, 'note', { enumerable: true, get: function () { while (true) {} } });", [ScriptFailureKind.Time] },
        { "loop in a callback", "[2, 1].sort(function () { while (true) {} });", [ScriptFailureKind.Time] },
        { "leaving something behind", "Array.prototype.leak = 1;", [ScriptFailureKind.Error] },
        { "no .NET to reach", "record.note.GetType();", [ScriptFailureKind.Error] },
    };

    /// <summary>What no limit of the engine stops.</summary>
    public static TheoryData<string, string, ScriptFailureKind[]> StoppedByTheProcess => new()
    {
        { "built-in that never comes back", "new Array(1e8).join('x');", [ScriptFailureKind.Time, ScriptFailureKind.Memory, ScriptFailureKind.Ended] },
        { "nesting", "JSON.parse(new Array(200000).join('['));", [ScriptFailureKind.Time, ScriptFailureKind.Ended, ScriptFailureKind.Memory] },
        { "index out of the world", "var a = []; a[4294967290] = 1; a.reverse();", [ScriptFailureKind.Time, ScriptFailureKind.Ended, ScriptFailureKind.Memory] },
    };

    [Theory]
    [MemberData(nameof(StoppedByTheEngine))]
    public async Task An_attack_is_stopped_by_the_engine(string name, string script, ScriptFailureKind[] kinds)
    {
        Assert.NotEmpty(name);
        var lost = pool.Workers.Lost;
        Assert.Contains((await pool.RunAsync(script, Budget)).Failure!.Kind, kinds);
        Assert.Equal(lost, pool.Workers.Lost);
        Assert.Equal("note=\"still here\"", await pool.SetsAsync("record.note = typeof [].leak === 'undefined' ? 'still here' : 'leaked';"));
    }

    [Theory]
    [MemberData(nameof(StoppedByTheProcess))]
    public async Task An_attack_the_engine_cannot_stop_costs_its_process_only(string name, string script, ScriptFailureKind[] kinds)
    {
        Assert.NotEmpty(name);
        var lost = pool.Workers.Lost;
        var attack = pool.RunAsync(script, Budget);
        // Somebody else, at the same time.
        var others = await pool.RunManyAsync("record.amount = record.amount + 1;", 100);
        Assert.All(others, o => Assert.Null(o.Failure));

        Assert.Contains((await attack).Failure!.Kind, kinds);
        Assert.Equal(lost + 1, pool.Workers.Lost);
        Assert.Equal("note=\"next\"", await pool.SetsAsync("record.note = 'next';"));
    }

    [Fact]
    public async Task A_text_that_doubles_is_stopped_by_whichever_limit_it_meets_first()
    {
        // The memory of its process on a fast machine, the engine's time on a busy one.
        var failure = (await pool.RunAsync("var s = 'x'; while (true) { s += s; }", Budget)).Failure!.Kind;
        Assert.Contains(failure, new[] { ScriptFailureKind.Memory, ScriptFailureKind.Time, ScriptFailureKind.Ended });
        Assert.Equal("note=\"next\"", await pool.SetsAsync("record.note = 'next';"));
    }

    [Fact]
    public async Task A_script_that_is_nested_too_deeply_is_refused_when_it_is_read()
    {
        Assert.Null((await pool.Workers.CheckAsync(new string('(', 1000) + "1" + new string(')', 1000))).Failure);
        var deep = await pool.Workers.CheckAsync(string.Concat(Enumerable.Repeat("[", ScriptWorkers.MaxLength)));
        Assert.NotNull(deep.Failure);
        Assert.Null((await pool.Workers.CheckAsync("record.note = 1;")).Failure);
    }

    [Fact]
    public async Task Nothing_of_the_host_can_be_reached()
    {
        Environment.SetEnvironmentVariable("CRM_SECRET", "do not tell");
        Assert.Equal(
            "note=\"undefined undefined undefined undefined undefined undefined\"",
            await pool.SetsAsync("record.note = [typeof System, typeof importNamespace, typeof require, typeof process, typeof clr, (function () {}).constructor('return typeof System')()].join(' ');"));
    }

    [Fact]
    public async Task Of_many_records_only_the_one_at_fault_fails()
    {
        var answers = await pool.RunManyAsync("if (record.amount === 3) { new Array(1e8).join('x'); } record.amount = record.amount * 2;", 6, Budget);
        Assert.Equal([2L, 4L, 8L, 10L, 12L], answers.Where(a => a.Failure is null).Select(Pool.Number));
        Assert.NotNull(answers[2].Failure);
    }

    [Fact]
    public async Task A_batch_in_which_every_record_hangs_is_given_up()
    {
        var started = Stopwatch.GetTimestamp();
        var looping = await pool.RunManyAsync("while (true) {}", 1000, Budget);
        Assert.All(looping, a => Assert.Equal(ScriptFailureKind.Time, a.Failure!.Kind));
        var killing = await pool.RunManyAsync("new Array(1e8).join('x');", 1000, Budget);
        Assert.All(killing, a => Assert.NotNull(a.Failure));
        // Not a thousand budgets each.
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(Budget * 1000));
    }

    [Fact]
    public async Task A_caller_who_leaves_takes_the_worker_along_and_nobody_gets_his_answers()
    {
        using var leaving = new CancellationTokenSource();
        var running = pool.Workers.RunAsync(Pool.Call("while (true) {}"), ["""{"record":{},"before":null,"changed":[]}"""u8.ToArray()], leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal("note=\"mine\"", await pool.SetsAsync("record.note = 'mine';"));
    }
}
