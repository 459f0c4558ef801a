using System.Collections.Concurrent;
using System.Threading.Channels;
using Crm.Sdk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Events;

public sealed class OutboxTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task Listeners_are_told_of_every_change_in_order()
    {
        var heard = new Heard();
        var source = Source(heard.Listener());
        await using var host = await StartAsync(source);
        var records = engine.With(new BehaviorSource()).As(Engine.User);
        var deal = await records.SavedAsync(Values.Deal(("budget", 5)));
        deal = await records.SavedAsync(Values.Update(deal, ("count", 1)));
        await records.SaveAsync(RecordChange.Delete("deal", deal.Id));

        var events = await heard.AtLeastAsync(3, e => e.Id == deal.Id);

        Assert.Equal([(ChangeKind.Create, 1L), (ChangeKind.Update, 2L), (ChangeKind.Delete, 3L)], events.Select(e => (e.Kind, e.Version)));
        Assert.Equal(["count"], events[1].Fields.ToArray());
        Assert.Contains("budget", events[0].Fields);
        Assert.Equal(Engine.User.UserId, events[0].UserId);
        await EmptyAsync();
    }

    [Fact]
    public async Task What_nobody_listens_to_leaves_the_outbox()
    {
        await engine.Records.SavedAsync(Values.Company("Silent"));
        await using var host = await StartAsync(Source());
        await EmptyAsync();
    }

    [Fact]
    public async Task Nothing_is_settled_before_it_is_known_who_listens()
    {
        var deal = await engine.Records.SavedAsync(Values.Deal());
        var source = new BehaviorSource();
        await using (await StartAsync(source))
        {
            // Stopping waits for the loop, which has looked at least once by then or not at all; either way nothing may be gone.
        }

        Assert.Equal(1, await engine.ScalarAsync<long>($"SELECT count(*) FROM crm.outbox WHERE record_id = '{deal.Id}'"));
        var heard = new Heard();
        await using var host = await StartAsync(Source(heard.Listener()));
        await heard.AtLeastAsync(1, e => e.Id == deal.Id);
    }

    [Fact]
    public async Task A_listener_that_fails_is_told_again_and_later_changes_of_the_record_wait()
    {
        var heard = new Heard();
        var other = new Heard();
        var failures = 2;
        var source = Source(
            other.Listener(),
            new Listener("deal", change =>
            {
                heard.Add(change);
                return Interlocked.Decrement(ref failures) >= 0 ? throw new TimeoutException("not now") : Task.CompletedTask;
            }, "late"));
        var deal = await engine.Records.SavedAsync(Values.Deal());
        await engine.Records.SavedAsync(Values.Update(deal, ("count", 1)));
        await using var host = await StartAsync(source);

        Assert.Equal([1L, 1L, 1L, 2L], (await heard.AtLeastAsync(4, e => e.Id == deal.Id)).Select(e => e.Version));
        // Who has handled it is not told again.
        Assert.Equal([1L, 2L], (await other.AtLeastAsync(2, e => e.Id == deal.Id)).Select(e => e.Version));
        await EmptyAsync();
    }

    [Fact]
    public async Task A_failure_is_written_into_the_row()
    {
        var failed = new TaskCompletionSource();
        var source = Source(new Listener("deal", _ =>
        {
            failed.TrySetResult();
            throw new TimeoutException("not now");
        }));
        var deal = await engine.Records.SavedAsync(Values.Deal());
        await using (await StartAsync(source, TimeSpan.FromMinutes(5)))
        {
            await failed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }

        var row = $"FROM crm.outbox WHERE record_id = '{deal.Id}'";
        Assert.Equal("test/Listener: TimeoutException: not now", await engine.ScalarAsync<string>("SELECT error " + row));
        Assert.Equal(1, await engine.ScalarAsync<int>("SELECT attempts " + row));
        Assert.True(await engine.ScalarAsync<bool>("SELECT next_at > now() + interval '4 minutes' " + row));
        await engine.ExecuteAsync("DELETE " + row);
    }

    [Fact]
    public async Task What_a_dead_host_did_not_finish_is_told_by_another_one()
    {
        var reached = new TaskCompletionSource();
        var deal = await engine.Records.SavedAsync(Values.Deal());
        var stuck = await StartAsync(Source(new Listener("deal", async change =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.Infinite);
        })));
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

        var heard = new Heard();
        await using var second = await StartAsync(Source(heard.Listener()));
        // A killed host's connections end; its lock goes with them.
        await engine.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");

        Assert.Equal(1L, (await heard.AtLeastAsync(1, e => e.Id == deal.Id))[0].Version);
        await EmptyAsync();
        await stuck.AbandonAsync();
    }

    [Fact]
    public async Task Two_hosts_tell_each_change_once()
    {
        var heard = new Heard();
        await using var first = await StartAsync(Source(heard.Listener()));
        await using var second = await StartAsync(Source(heard.Listener()));
        var records = engine.With(new BehaviorSource()).As(Engine.User);
        var created = await records.SaveManyAsync([.. Enumerable.Range(0, 300).Select(_ => Values.Deal())], new SaveOptions());
        await records.SaveManyAsync([.. created.Select(r => Values.Update(r.Record!, ("count", 1)))], new SaveOptions());
        await EmptyAsync();
        var ids = created.Select(r => r.Record!.Id).ToHashSet();
        var events = heard.All.Where(e => ids.Contains(e.Id)).ToList();
        Assert.Equal(600, events.Count);
        Assert.All(events.GroupBy(e => e.Id), record => Assert.Equal([1L, 2L], record.Select(e => e.Version)));
    }

    private static BehaviorSource Source(params Listener[] listeners)
    {
        var source = new BehaviorSource();
        source.Replace(Engine.Behaviors([Engine.Module], [], listeners));
        return source;
    }

    private async Task<Host> StartAsync(BehaviorSource source, TimeSpan? firstPause = null)
    {
        var dispatcher = new OutboxDispatcher(engine.Database, source, engine.Notifications, [], NullLogger<OutboxDispatcher>.Instance)
        {
            Interval = TimeSpan.FromMilliseconds(50),
            FirstPause = firstPause ?? TimeSpan.FromMilliseconds(10),
        };
        await dispatcher.StartAsync(CancellationToken.None);
        return new Host(dispatcher);
    }

    private async Task EmptyAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await engine.ScalarAsync<long>("SELECT count(*) FROM crm.outbox") > 0)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private sealed class Host(OutboxDispatcher dispatcher) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await dispatcher.StopAsync(CancellationToken.None);
            dispatcher.Dispose();
        }

        /// <summary>Stops without waiting for what hangs.</summary>
        public async Task AbandonAsync()
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await dispatcher.StopAsync(now.Token);
        }
    }

    private sealed class Heard
    {
        private readonly ConcurrentQueue<RecordChanged> events = new();
        private readonly Channel<bool> more = Channel.CreateUnbounded<bool>();

        public IReadOnlyCollection<RecordChanged> All => events;

        public void Add(RecordChanged change)
        {
            events.Enqueue(change);
            more.Writer.TryWrite(true);
        }

        public Listener Listener() => new("deal", change =>
        {
            Add(change);
            return Task.CompletedTask;
        });

        public async Task<List<RecordChanged>> AtLeastAsync(int count, Func<RecordChanged, bool> which)
        {
            while (events.Count(which) < count)
            {
                await more.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            }

            return [.. events.Where(which)];
        }
    }
}
