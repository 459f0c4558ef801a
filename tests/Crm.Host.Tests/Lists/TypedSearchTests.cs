using System.Collections.Immutable;
using System.Threading.Channels;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Live;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.Extensions.DependencyInjection;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Lists;

/// <summary>Letters typed into the search box of a list, however they and what they ask for come to their turn.</summary>
public sealed class TypedSearchTests(ApiCrm api) : IClassFixture<ApiCrm>, IAsyncLifetime
{
    private readonly HeldTime time = new();
    private HeldReads? reads;
    private RenderedPage? list;

    private HeldReads Reads => reads!;

    private RenderedPage List => list!;

    public async Task InitializeAsync()
    {
        foreach (var name in new[] { "Alpha", "Beta", "Gamma" })
        {
            await api.CreateAsync("x_firms", $$"""{"name":"{{name}}"}""");
        }

        list = await RenderedPage.OpenAsync<RecordGrid>(
            api.Crm,
            api.Crm.Admin,
            _ => Task.FromResult(new Dictionary<string, object?> { ["Entity"] = "x_firm" }),
            services => new() { [typeof(TimeProvider)] = time, [typeof(IRecordService)] = reads = new HeldReads(services.GetRequiredService<IRecordService>()) });
        await List.ShowsAsync("Gamma");
    }

    public async Task DisposeAsync()
    {
        await List.DisposeAsync();
        foreach (var firm in (await api.Crm.Records.QueryAsync(new RecordQuery { Entity = "x_firm" })).Records)
        {
            await api.Crm.Records.SaveAsync(RecordChange.Delete("x_firm", firm.Id));
        }
    }

    [Fact]
    public async Task PLT_13_Of_letters_that_come_at_once_the_last_one_is_asked_for()
    {
        var first = TypeAsync("Alpha");
        var (second, third) = (Task.CompletedTask, Task.CompletedTask);
        await List.DoAsync(() => (second, third) = (TypeAsync("Beta"), TypeAsync("Gamma")));
        // Those that were overtaken end without waiting.
        await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(30));
        await time.PassAsync();
        await third;
        await ShowsOnlyAsync("Gamma");
        Assert.Equal(["Gamma"], Reads.Searches.OfType<string>().Distinct());
    }

    [Fact]
    public async Task PLT_13_What_was_asked_for_earlier_and_is_read_later_is_not_shown()
    {
        var alpha = Reads.Hold("Alpha");
        var first = TypeAsync("Alpha");
        await time.PassAsync();
        await alpha.IsRead.WaitAsync(TimeSpan.FromSeconds(30));
        var second = TypeAsync("Beta");
        await time.PassAsync();
        await second;
        await ShowsOnlyAsync("Beta");
        alpha.Release();
        await first;
        await ShowsOnlyAsync("Beta");
    }

    private Task TypeAsync(string words) => List.RaiseAsync("data-grid-search", "oninput", words);

    private Task<string> ShowsOnlyAsync(string name) =>
        List.UntilAsync(html => new[] { "Alpha", "Beta", "Gamma" }.All(n => html.Contains(n + "</a>", StringComparison.Ordinal) == (n == name)));

    /// <summary>Time that passes when the test says so.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private readonly Channel<Waiting> timers = Channel.CreateUnbounded<Waiting>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Waiting(() => callback(state));
            timers.Writer.TryWrite(timer);
            return timer;
        }

        /// <summary>Ends the next wait that nobody gave up.</summary>
        public async Task PassAsync()
        {
            Waiting next;
            do
            {
                next = await timers.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            }
            while (next.IsGone);
            next.End();
        }

        private sealed class Waiting(Action end) : ITimer
        {
            public bool IsGone { get; private set; }

            public void End() => end();

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() => IsGone = true;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }

    /// <summary>The records as they are, read as late as the test wants and by readers that do not give up.</summary>
    private sealed class HeldReads(IRecordService records) : IRecordService
    {
        private readonly Dictionary<string, Held> held = new(StringComparer.Ordinal);

        public List<string?> Searches { get; } = [];

        public Actor Actor => records.Actor;

        public Held Hold(string search) => held[search] = new Held();

        public async Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct = default)
        {
            Searches.Add(query.Search);
            var page = await records.QueryAsync(query, CancellationToken.None);
            if (query.Search is { } search && held.TryGetValue(search, out var waits))
            {
                await waits.UntilReleasedAsync();
            }

            return page;
        }

        public Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct = default) => records.FindAsync(entity, id, ct);

        public Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct = default) => records.QueryEachAsync(query, by, of, ct);

        public Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct = default) => records.AggregateAsync(query, ct);

        public Task<SaveResult> SaveAsync(RecordChange change, CancellationToken ct = default) => records.SaveAsync(change, ct);

        public Task<ImmutableArray<SaveResult>> SaveManyAsync(IReadOnlyList<RecordChange> changes, SaveOptions options, CancellationToken ct = default) => records.SaveManyAsync(changes, options, ct);

        public Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct = default) => records.HistoryAsync(entity, id, ct);
    }

    private sealed class Held
    {
        private readonly TaskCompletionSource isRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource isReleased = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task IsRead => isRead.Task;

        public void Release() => isReleased.SetResult();

        public Task UntilReleasedAsync()
        {
            isRead.TrySetResult();
            return isReleased.Task;
        }
    }
}
