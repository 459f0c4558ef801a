using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Records;

namespace Crm.Host.Modules;

/// <summary>Swaps the catalog whenever a module is switched, added or removed, on this host or on another one of the same database.</summary>
internal sealed class ModuleUpdates(
    ModuleCatalogAccessor catalog,
    ModuleStarter starter,
    ModuleFolders folders,
    ModuleStates states,
    BehaviorSource behaviors,
    Notifications notifications,
    TimeProvider time,
    ILogger<ModuleUpdates> log) : IAsyncDisposable
{
    private static readonly TimeSpan EndOfWork = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim oneAtATime = new(1, 1);
    private readonly Lock gate = new();
    private ImmutableArray<WeakReference> released = [];
    private ImmutableHashSet<Task> retirements = [];
    private IDisposable? subscription;
    private IDisposable? stepSubscription;

    /// <summary>Versions of modules that were let go but are still in memory, because something of the framework or of the module itself holds on to them.</summary>
    public int StillInMemory
    {
        get
        {
            lock (gate)
            {
                released = [.. released.Where(r => r.IsAlive)];
                return released.Length;
            }
        }
    }

    /// <summary>Starts all modules and begins to follow other hosts.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await ReloadAsync(ct);
        subscription = notifications.Subscribe(ModuleStates.Channel, (_, token) => ReloadAsync(token));
        // A version that waits for its records starts when they are ready, and so do those who need it.
        stepSubscription = notifications.Subscribe(MetadataSteps.Channel, (_, token) => FollowStepsAsync(token));
    }

    /// <summary>Builds the catalog anew and swaps it if anything changed.</summary>
    public async Task ReloadAsync(CancellationToken ct)
    {
        await oneAtATime.WaitAsync(ct);
        try
        {
            var previous = catalog.Current;
            var next = await starter.BuildAsync(previous, folders.List(), ct);
            if (next.IsSameAs(previous))
            {
                return;
            }

            // Behaviour first: a write that begins now must not find a page of a module whose interceptors do not run yet.
            var saved = behaviors.SwapAsync(BehaviorsOf(next));
            catalog.Replace(next);
            foreach (var gone in previous.Running.Except(next.Running))
            {
                Retire(gone, saved);
            }
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private async Task FollowStepsAsync(CancellationToken ct)
    {
        // A reload under way may just be finding out that a version has to wait for the step that has ended now.
        await oneAtATime.WaitAsync(ct);
        var isAny = catalog.Current.Modules.Any(m => m.IsPreparing);
        oneAtATime.Release();
        if (isAny)
        {
            await ReloadAsync(ct);
        }
    }

    /// <summary>Switches a module for all hosts; when this returns, this host has followed.</summary>
    /// <returns>False when there is no such module.</returns>
    public async Task<bool> SwitchAsync(string id, bool isEnabled, CancellationToken ct)
    {
        if (catalog.Current.Find(id) is not { } module)
        {
            return false;
        }

        // One that failed before it could be loaded was never entered into the list of states.
        await states.SeenAsync(module.Info, ct);
        await states.SetEnabledAsync(id, isEnabled, ct);
        await ReloadAsync(ct);
        return true;
    }

    /// <summary>Waits until the modules let go so far have ended their work.</summary>
    public async Task RetiredAsync()
    {
        while (retirements is { Count: > 0 } pending)
        {
            await Task.WhenAll(pending);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        subscription?.Dispose();
        stepSubscription?.Dispose();
        await oneAtATime.WaitAsync();
        foreach (var module in catalog.Current.Running)
        {
            Retire(module, Task.CompletedTask);
        }

        // A browser that still shows a module's page must not keep the host from stopping.
        await Task.WhenAny(RetiredAsync(), Task.Delay(EndOfWork, time));
        oneAtATime.Dispose();
    }

    /// <param name="module">No longer in the catalog.</param>
    /// <param name="saved">Ends when the writes that began with the module have ended: they may still ask for its interceptors.</param>
    private void Retire(RunningModule module, Task saved)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            retirements = retirements.Add(ended.Task);
        }

        _ = EndAsync();

        async Task EndAsync()
        {
            try
            {
                await saved;
                var context = await module.RetireAsync();
                lock (gate)
                {
                    released = released.Add(context);
                }

                log.LogInformation("Module {Module} {Version} was let go", module.Info.Id, module.Version);
            }
            catch (Exception problem) when (problem is not OutOfMemoryException)
            {
                log.LogError(problem, "Module {Module} failed while it was let go", module.Info.Id);
            }
            finally
            {
                lock (gate)
                {
                    retirements = retirements.Remove(ended.Task);
                }

                ended.SetResult();
            }
        }
    }

    private static RecordBehaviors BehaviorsOf(ModuleCatalog catalog)
    {
        var interceptors = catalog.Running.SelectMany(m => m.Interceptors.Select(i => (i.Entity, Binding: new BehaviorBinding(m.Info.Id, m, i.Type))));
        var listeners = catalog.Running.SelectMany(m => m.Listeners.Select(l => (l.Entity, Binding: new BehaviorBinding(m.Info.Id, m, l.Type))));
        return new RecordBehaviors(
            [.. catalog.Running.Select(m => m.Info.Id)],
            ByEntity(interceptors),
            ByEntity(listeners))
        {
            UploadChecks = [.. catalog.Running.SelectMany(m => m.UploadChecks.Select(c => new BehaviorBinding(m.Info.Id, m, c.Type)))],
        };
    }

    private static FrozenDictionary<string, ImmutableArray<BehaviorBinding>> ByEntity(IEnumerable<(string Entity, BehaviorBinding Binding)> bindings) =>
        bindings.GroupBy(b => b.Entity, b => b.Binding, StringComparer.Ordinal).ToFrozenDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);
}
