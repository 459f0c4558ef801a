using System.Collections.Frozen;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Crm.Sdk.Web.Live;

/// <summary>What one page wants to be told of.</summary>
public sealed class LiveWatch : IDisposable
{
    private readonly Lock gate = new();
    private readonly LiveHub hub;
    private readonly LivePages pages;
    private readonly Func<ImmutableArray<LiveChange>, CancellationToken, Task> onChange;
    private readonly CancellationTokenSource gone = new();
    private readonly Dictionary<string, LiveChange> due = new(StringComparer.Ordinal);
    private FrozenSet<string> entities = [];
    private Guid? record;
    private bool isTelling;

    internal LiveWatch(LiveHub hub, LivePages pages, Func<ImmutableArray<LiveChange>, CancellationToken, Task> onChange) =>
        (this.hub, this.pages, this.onChange) = (hub, pages, onChange);

    /// <summary>From now on changes of any record of these entities are told. To be called before they are read: what changed until then is taken as known.</summary>
    public void Follow(IEnumerable<string> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        lock (gate)
        {
            (this.entities, record) = (entities.ToFrozenSet(StringComparer.Ordinal), null);
            due.Clear();
        }
    }

    /// <summary>From now on changes of one record are told. To be called before it is read: what changed until then is taken as known.</summary>
    public void Follow(string entity, Guid id)
    {
        ArgumentNullException.ThrowIfNull(entity);
        lock (gate)
        {
            (entities, record) = (FrozenSet.Create(StringComparer.Ordinal, entity), id);
            due.Clear();
        }
    }

    /// <summary>Reads after a change, when it is this page's turn: however many pages are open, few of them read at a time.</summary>
    /// <param name="read">Asks the record service, as the user.</param>
    /// <param name="ct">Gives up.</param>
    public Task<T> ReadAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(read);
        return hub.ReadAsync(read, ct);
    }

    /// <summary>What was told could not be shown at that time: tells once more that anything followed may have changed.</summary>
    public void Repeat() => TellAll();

    /// <summary>Ends the watch: nothing more is told.</summary>
    public void Dispose()
    {
        pages.Remove(this);
        lock (gate)
        {
            due.Clear();
        }

        // Not disposed: who is being told at this moment may still look at it.
        gone.Cancel();
    }

    internal void Tell(LiveChange change)
    {
        lock (gate)
        {
            if (gone.IsCancellationRequested || !entities.Contains(change.Entity) || (record is { } id && !change.IsAny && !change.Versions.ContainsKey(id)))
            {
                return;
            }

            due[change.Entity] = due.TryGetValue(change.Entity, out var before) ? before.With(change) : change;
        }

        GoOn();
    }

    internal void TellAll()
    {
        FrozenSet<string> all;
        lock (gate)
        {
            all = entities;
        }

        foreach (var entity in all)
        {
            Tell(LiveChange.AnyOf(entity));
        }
    }

    internal void GoOn()
    {
        lock (gate)
        {
            if (isTelling || due.Count == 0 || !pages.IsConnected)
            {
                return;
            }

            isTelling = true;
        }

        _ = Task.Run(TellDueAsync);
    }

    private async Task TellDueAsync()
    {
        while (TakeDue() is { IsEmpty: false } changes)
        {
            try
            {
                await onChange(changes, gone.Token);
            }
            catch (Exception) when (gone.IsCancellationRequested)
            {
                // What the page works with went with it.
                return;
            }
            catch (Exception problem)
            {
                // The page shows what it showed; the next change tries again.
                hub.Log.LogError(problem, "A page could not follow changes of {Entities}.", string.Join(", ", changes.Select(c => c.Entity)));
            }

            await Task.Delay(hub.Pause, hub.Time, gone.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private ImmutableArray<LiveChange> TakeDue()
    {
        lock (gate)
        {
            ImmutableArray<LiveChange> changes = pages.IsConnected ? [.. due.Values] : [];
            if (changes.IsEmpty)
            {
                isTelling = false;
            }
            else
            {
                due.Clear();
            }

            return changes;
        }
    }
}
