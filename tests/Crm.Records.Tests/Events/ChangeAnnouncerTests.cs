using System.Threading.Channels;
using Crm.Sdk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Events;

public sealed class ChangeAnnouncerTests(Engine engine) : IClassFixture<Engine>
{
    // Nothing is found by looking from time to time.
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_save_at_either_host_is_announced_by_the_one_that_dispatches()
    {
        var (first, second) = (new BehaviorSource(), new BehaviorSource());
        var (here, there) = (engine.With(first).As(Engine.User), engine.With(second).As(Engine.User));
        await engine.ExecuteAsync("DELETE FROM crm.outbox");
        using var announced = await ListenAsync(ChangeAnnouncer.Channel);
        await using var leading = await StartAsync(first);
        var deal = await here.SavedAsync(Values.Deal());
        Assert.Equal(("deal", deal.Id, 1L), Single(await announced.NextAsync()));

        await using var following = await StartAsync(second);
        deal = await there.SavedAsync(Values.Update(deal, ("count", 1)));
        Assert.Equal(("deal", deal.Id, 2L), Single(await announced.NextAsync()));
        await here.SaveAsync(RecordChange.Delete("deal", deal.Id));
        Assert.Equal(("deal", deal.Id, 3L), Single(await announced.NextAsync()));
    }

    [Fact]
    public async Task Records_too_many_to_name_are_announced_as_any_of_their_entity()
    {
        var source = new BehaviorSource();
        var records = engine.With(source).As(Engine.User);
        var results = await records.SaveManyAsync([.. Enumerable.Range(0, 101).Select(_ => Values.Deal()), Values.Company("Named")], new SaveOptions());
        using var announced = await ListenAsync(ChangeAnnouncer.Channel);
        await using var host = await StartAsync(source);
        var heard = new[] { await announced.NextAsync(), await announced.NextAsync() }.Select(ChangeAnnouncer.Read).ToDictionary(c => c.Entity, c => c.Versions);
        Assert.Empty(heard["deal"]);
        Assert.Equal([results[^1].Record!.Id], heard["company"].Keys);

        // As many as are named fit into one announcement.
        var most = await records.SaveManyAsync([.. Enumerable.Range(0, 100).Select(_ => Values.Deal())], new SaveOptions());
        Assert.Equal(most.Select(r => r.Record!.Id).Order(), ChangeAnnouncer.Read(await announced.NextAsync()).Versions.Keys.Order());
    }

    [Fact]
    public async Task A_save_nobody_listens_to_announces_nothing_itself()
    {
        using var woken = await ListenAsync(HistoryStore.Channel);
        await engine.Records.SavedAsync(Values.Deal());
        // Announcements arrive in the order of the commits.
        await engine.ExecuteAsync($"SELECT pg_notify('{HistoryStore.Channel}', 'last')");
        Assert.Equal("last", await woken.NextAsync());
        await engine.ExecuteAsync("DELETE FROM crm.outbox");
    }

    private static (string Entity, Guid Id, long Version) Single(string payload)
    {
        var (entity, versions) = ChangeAnnouncer.Read(payload);
        var (id, version) = Assert.Single(versions);
        return (entity, id, version);
    }

    private async Task<Running> StartAsync(BehaviorSource source)
    {
        source.Replace(Engine.Behaviors([Engine.Module], []));
        var dispatcher = new OutboxDispatcher(engine.Database, source, engine.Notifications, [new ChangeAnnouncer()], NullLogger<OutboxDispatcher>.Instance) { Interval = Never };
        await dispatcher.StartAsync(CancellationToken.None);
        return new Running(dispatcher);
    }

    private async Task<Heard> ListenAsync(string channel)
    {
        var heard = new Heard();
        heard.Subscription = engine.Notifications.Subscribe(channel, (payload, ct) => heard.Payloads.Writer.WriteAsync(payload, ct).AsTask());
        Assert.Equal("", await heard.NextAsync());
        return heard;
    }

    private sealed class Heard : IDisposable
    {
        public Channel<string> Payloads { get; } = Channel.CreateUnbounded<string>();

        public IDisposable? Subscription { get; set; }

        public Task<string> NextAsync() => Payloads.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        public void Dispose() => Subscription?.Dispose();
    }

    private sealed class Running(OutboxDispatcher dispatcher) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await dispatcher.StopAsync(CancellationToken.None);
            dispatcher.Dispose();
        }
    }
}
