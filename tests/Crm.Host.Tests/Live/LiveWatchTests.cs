using System.Collections.Immutable;
using System.Threading.Channels;
using Crm.Sdk.Web.Live;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Host.Tests.Live;

public sealed class LiveWatchTests : IDisposable
{
    private readonly LiveHub hub = new(TimeProvider.System, NullLogger<LiveHub>.Instance) { Pause = TimeSpan.Zero };
    private readonly Channel<ImmutableArray<LiveChange>> told = Channel.CreateUnbounded<ImmutableArray<LiveChange>>();
    private readonly LivePages pages;

    public LiveWatchTests() => pages = new LivePages(hub);

    public void Dispose() => hub.Dispose();

    [Fact]
    public async Task A_burst_is_told_once()
    {
        var isReading = new TaskCompletionSource();
        using var watch = pages.Watch(async (changes, ct) =>
        {
            await told.Writer.WriteAsync(changes, ct);
            await isReading.Task;
        });
        watch.Follow(["deal", "company"]);
        hub.Tell(Change("deal", 1));
        Assert.Equal([Id(1)], (await ToldAsync()).Single().Versions.Keys);

        // The page reads, meanwhile thousands of records change.
        foreach (var number in Enumerable.Range(2, 5000))
        {
            hub.Tell(Change("deal", number));
        }

        hub.Tell(Change("company", 1));
        hub.Tell(Change("company", 2, version: 7));
        hub.Tell(Change("user", 1));
        isReading.SetResult();
        var rest = (await ToldAsync()).ToDictionary(c => c.Entity);
        Assert.Equal(["company", "deal"], rest.Keys.Order());
        Assert.True(rest["deal"].IsAny);
        Assert.Equal([(Id(1), 1L), (Id(2), 7L)], rest["company"].Versions.Select(v => (v.Key, v.Value)).Order());

        hub.Tell(Change("deal", 1));
        Assert.Single(await ToldAsync());
    }

    [Fact]
    public async Task A_page_that_is_gone_is_told_nothing_and_leaves_nothing_behind()
    {
        var gone = pages.Watch((_, _) => throw new InvalidOperationException("Told after its end."));
        gone.Follow(["deal"]);
        using var stays = Watch();
        stays.Follow(["deal"]);
        Assert.Equal(2, hub.Count);

        gone.Dispose();
        gone.Dispose();
        Assert.Equal(1, hub.Count);
        hub.Tell(Change("deal", 1));
        await ToldAsync();
    }

    [Fact]
    public async Task A_page_that_fails_is_told_of_the_next_change()
    {
        var failures = 1;
        using var watch = pages.Watch((changes, _) =>
        {
            told.Writer.TryWrite(changes);
            return failures-- > 0 ? throw new TimeoutException("The database is away.") : Task.CompletedTask;
        });
        watch.Follow(["deal"]);
        hub.Tell(Change("deal", 1));
        Assert.Equal([Id(1)], (await ToldAsync()).Single().Versions.Keys);
        hub.Tell(Change("deal", 2));
        Assert.Equal([Id(2)], (await ToldAsync()).Single().Versions.Keys);
    }

    [Fact]
    public async Task A_form_is_told_of_its_own_record_only()
    {
        using var form = Watch();
        form.Follow("deal", Id(1));
        hub.Tell(Change("deal", 2));
        hub.Tell(Change("company", 1));
        hub.Tell(Change("deal", 1, version: 3));
        Assert.Equal([(Id(1), 3L)], (await ToldAsync()).Single().Versions.Select(v => (v.Key, v.Value)));
        // When they were too many to name, it may be among them.
        hub.Tell(LiveChange.AnyOf("deal"));
        Assert.True((await ToldAsync()).Single().IsAny);
    }

    [Fact]
    public async Task What_changed_before_the_page_read_is_not_told()
    {
        using var watch = Watch();
        pages.IsConnected = false;
        watch.Follow(["deal"]);
        hub.Tell(Change("deal", 1));
        watch.Follow(["deal"]);
        pages.IsConnected = true;
        hub.Tell(Change("deal", 2));
        Assert.Equal([Id(2)], (await ToldAsync()).Single().Versions.Keys);
    }

    [Fact]
    public async Task A_page_nobody_sees_is_told_when_its_browser_is_back()
    {
        using var watch = Watch();
        watch.Follow(["deal"]);
        pages.IsConnected = false;
        hub.Tell(Change("deal", 1));
        hub.Tell(Change("deal", 2));
        using var other = Watch(new LivePages(hub));
        other.Follow(["company"]);
        hub.Tell(Change("company", 1));
        Assert.Equal("company", (await ToldAsync()).Single().Entity);

        pages.IsConnected = true;
        Assert.Equal([Id(1), Id(2)], (await ToldAsync()).Single().Versions.Keys.Order());
    }

    [Fact]
    public async Task After_announcements_may_have_been_missed_everything_followed_may_have_changed()
    {
        using var watch = Watch();
        watch.Follow(["deal"]);
        hub.Tell(Change("deal", 1));
        await ToldAsync();
        hub.TellAll();
        Assert.True((await ToldAsync()).Single().IsAny);
    }

    [Fact]
    public async Task However_many_pages_are_open_few_of_them_read_at_a_time()
    {
        var (reading, most) = (0, 0);
        var (twoRead, allWait) = (new TaskCompletionSource(), new TaskCompletionSource());
        var watches = Enumerable.Range(0, 50).Select(_ =>
        {
            LiveWatch? watch = null;
            return watch = pages.Watch((changes, ct) => watch!.ReadAsync(async _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref reading));
                if (most == 2)
                {
                    twoRead.TrySetResult();
                }

                await allWait.Task;
                Interlocked.Decrement(ref reading);
                told.Writer.TryWrite(changes);
                return true;
            }, ct));
        }).ToList();
        watches.ForEach(w => w.Follow(["deal"]));
        hub.Tell(Change("deal", 1));
        await twoRead.Task.WaitAsync(TimeSpan.FromSeconds(30));
        allWait.SetResult();
        foreach (var _ in watches)
        {
            await ToldAsync();
        }

        Assert.Equal(2, most);
        watches.ForEach(w => w.Dispose());
        Assert.Equal(0, hub.Count);
    }

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);

    private static LiveChange Change(string entity, int number, long version = 1) => new(entity, ImmutableDictionary<Guid, long>.Empty.Add(Id(number), version));

    private LiveWatch Watch(LivePages? of = null) => (of ?? pages).Watch((changes, ct) => told.Writer.WriteAsync(changes, ct).AsTask());

    private Task<ImmutableArray<LiveChange>> ToldAsync() => told.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
}
