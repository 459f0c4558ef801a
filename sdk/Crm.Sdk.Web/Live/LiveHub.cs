using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Crm.Sdk.Web.Live;

/// <summary>Tells the open pages of this host what changed. The host feeds it with what all hosts announce.</summary>
/// <param name="time">The clock of pauses.</param>
/// <param name="log">Where failures of pages are written.</param>
public sealed class LiveHub(TimeProvider time, ILogger<LiveHub> log) : IDisposable
{
    // Pages read again when others write, which is when the database has enough to do: however many pages are open, it answers this many of them at a time.
    private const int Readers = 2;

    private readonly SemaphoreSlim turns = new(Readers);
    private ImmutableHashSet<LiveWatch> watches = [];

    /// <summary>How long a page is left alone after it was told; what changes meanwhile it is told at once after it.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>How many watches there are.</summary>
    public int Count => watches.Count;

    internal TimeProvider Time => time;

    internal ILogger Log => log;

    /// <summary>Something changed.</summary>
    public void Tell(LiveChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        foreach (var watch in watches)
        {
            watch.Tell(change);
        }
    }

    /// <summary>Anything may have changed: announcements may have been missed.</summary>
    public void TellAll()
    {
        foreach (var watch in watches)
        {
            watch.TellAll();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turns.Dispose();

    internal void Add(LiveWatch watch) => ImmutableInterlocked.Update(ref watches, (all, one) => all.Add(one), watch);

    internal void Remove(LiveWatch watch) => ImmutableInterlocked.Update(ref watches, (all, one) => all.Remove(one), watch);

    internal async Task<T> ReadAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken ct)
    {
        await turns.WaitAsync(ct);
        try
        {
            return await read(ct);
        }
        finally
        {
            turns.Release();
        }
    }
}
