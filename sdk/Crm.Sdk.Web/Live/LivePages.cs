using System.Collections.Immutable;

namespace Crm.Sdk.Web.Live;

/// <summary>Lets the pages of one user's connection follow what others change. Scoped: one per circuit.</summary>
/// <param name="hub">Where the changes come from.</param>
public sealed class LivePages(LiveHub hub)
{
    private ImmutableHashSet<LiveWatch> watches = [];

    /// <summary>Raised when the browser goes away or is back, on any thread.</summary>
    public event Action? ConnectionChanged;

    /// <summary>Whether somebody can see the pages. Without a connection they are not told; when it is back, they are told what they missed.</summary>
    public bool IsConnected
    {
        get;
        set
        {
            field = value;
            foreach (var watch in watches)
            {
                watch.GoOn();
            }

            ConnectionChanged?.Invoke();
        }
    } = true;

    /// <summary>Begins to watch; until <see cref="LiveWatch.Follow(IEnumerable{string})"/> says what, nothing is told. To be called before the page reads what it shows, and disposed with the page.</summary>
    /// <param name="onChange">
    /// Told what changed, one call at a time and with a pause between calls, so that a burst of changes is told once. Comes on any thread. What it throws is logged.
    /// </param>
    public LiveWatch Watch(Func<ImmutableArray<LiveChange>, CancellationToken, Task> onChange)
    {
        ArgumentNullException.ThrowIfNull(onChange);
        var watch = new LiveWatch(hub, this, onChange);
        ImmutableInterlocked.Update(ref watches, (all, one) => all.Add(one), watch);
        hub.Add(watch);
        return watch;
    }

    internal void Remove(LiveWatch watch)
    {
        hub.Remove(watch);
        ImmutableInterlocked.Update(ref watches, (all, one) => all.Remove(one), watch);
    }
}
