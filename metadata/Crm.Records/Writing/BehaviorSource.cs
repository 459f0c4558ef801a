using System.Collections.Frozen;
using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Records;

/// <summary>Holds the behaviour of the running modules; the host replaces it whole when modules come and go.</summary>
public sealed class BehaviorSource
{
    private volatile BehaviorGeneration current = new(RecordBehaviors.None);
    private ImmutableDictionary<string, ImmutableHashSet<string>?> heardOutside = ImmutableDictionary<string, ImmutableHashSet<string>?>.Empty;

    /// <summary>Read once per operation and keep.</summary>
    public RecordBehaviors Current => current.Behaviors;

    /// <summary>Whether it was said at all which modules run; before that, nobody can know who listens.</summary>
    public bool IsKnown => !ReferenceEquals(Current, RecordBehaviors.None);

    /// <summary>Says whose changes somebody outside the modules waits for, as far as this host knows.</summary>
    /// <param name="listener">Who: webhooks, workflows.</param>
    /// <param name="entities">The entities; null for all.</param>
    public void HearOutside(string listener, ImmutableHashSet<string>? entities)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ImmutableInterlocked.AddOrUpdate(ref heardOutside, listener, entities, (_, _) => entities);
    }

    /// <summary>Raised after changes were committed on this host; costs the save nothing, in the database or here.</summary>
    internal event Action? Written;

    internal void TellWritten() => Written?.Invoke();

    internal bool IsHeardOutside(string entity) => heardOutside.Any(h => h.Value?.Contains(entity) != false);

    /// <summary>Swaps the behaviour; operations under way end on the old one.</summary>
    public void Replace(RecordBehaviors behaviors) => _ = SwapAsync(behaviors);

    /// <summary>Swaps the behaviour at once; the task ends when the operations that began on the old one have ended, so that their modules can be let go.</summary>
    public Task SwapAsync(RecordBehaviors behaviors)
    {
        ArgumentNullException.ThrowIfNull(behaviors);
        return Interlocked.Exchange(ref current, new BehaviorGeneration(behaviors)).EndAsync();
    }

    /// <summary>Holds on to the current behaviour until the operation leaves it.</summary>
    internal BehaviorGeneration Enter()
    {
        while (true)
        {
            // It fails only in the moment of a swap; then there is a newer one.
            var generation = current;
            if (generation.TryEnter())
            {
                return generation;
            }
        }
    }
}

/// <summary>Behaviour between two swaps, and how many operations use it.</summary>
internal sealed class BehaviorGeneration(RecordBehaviors behaviors)
{
    private readonly Lock gate = new();
    private readonly TaskCompletionSource unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int users;
    private bool isOver;

    public RecordBehaviors Behaviors => behaviors;

    public bool TryEnter()
    {
        lock (gate)
        {
            users += isOver ? 0 : 1;
            return !isOver;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            users--;
            CompleteIfUnused();
        }
    }

    public Task EndAsync()
    {
        lock (gate)
        {
            isOver = true;
            CompleteIfUnused();
        }

        return unused.Task;
    }

    private void CompleteIfUnused()
    {
        if (isOver && users == 0)
        {
            unused.TrySetResult();
        }
    }
}

/// <summary>What takes part in writes and is told of them.</summary>
/// <param name="RunningModules">Ids of the modules that run; entities of others are read only.</param>
/// <param name="Interceptors">By entity, modules in dependency order.</param>
/// <param name="Listeners">By entity.</param>
public sealed record RecordBehaviors(
    ImmutableHashSet<string> RunningModules,
    FrozenDictionary<string, ImmutableArray<BehaviorBinding>> Interceptors,
    FrozenDictionary<string, ImmutableArray<BehaviorBinding>> Listeners)
{
    /// <summary>No module runs.</summary>
    public static RecordBehaviors None { get; } = new(
        [],
        FrozenDictionary<string, ImmutableArray<BehaviorBinding>>.Empty,
        FrozenDictionary<string, ImmutableArray<BehaviorBinding>>.Empty);

    /// <summary>What looks at uploads, modules in dependency order.</summary>
    public ImmutableArray<BehaviorBinding> UploadChecks { get; init; } = [];

    /// <summary>Whether what has this origin may be written now.</summary>
    internal bool Runs(string origin) => origin is Sdk.Origins.Platform or Sdk.Origins.Custom || RunningModules.Contains(origin);

    internal ImmutableArray<BehaviorBinding> InterceptorsOf(string entity) => Interceptors.TryGetValue(entity, out var found) ? found : [];

    internal ImmutableArray<BehaviorBinding> ListenersOf(string entity) => Listeners.TryGetValue(entity, out var found) ? found : [];
}

/// <summary>An interceptor, a listener or a check of uploads, and where it is made.</summary>
/// <param name="Module">Id of the module, for messages.</param>
/// <param name="Scopes">The module's own service provider.</param>
/// <param name="Type">Registered there as a scoped service.</param>
public sealed record BehaviorBinding(string Module, IServiceScopeFactory Scopes, Type Type);
