using System.Collections.Frozen;
using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Records;

/// <summary>Holds the behaviour of the running modules; the host replaces it whole when modules come and go.</summary>
public sealed class BehaviorSource
{
    private volatile RecordBehaviors current = RecordBehaviors.None;

    /// <summary>Read once per operation and keep.</summary>
    public RecordBehaviors Current => current;

    /// <summary>Whether it was said at all which modules run; before that, nobody can know who listens.</summary>
    public bool IsKnown => !ReferenceEquals(current, RecordBehaviors.None);

    /// <summary>Swaps the behaviour; operations under way end on the old one.</summary>
    public void Replace(RecordBehaviors behaviors)
    {
        ArgumentNullException.ThrowIfNull(behaviors);
        current = behaviors;
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

    /// <summary>Whether what has this origin may be written now.</summary>
    internal bool Runs(string origin) => origin is Sdk.Origins.Platform or Sdk.Origins.Custom || RunningModules.Contains(origin);

    internal ImmutableArray<BehaviorBinding> InterceptorsOf(string entity) => Interceptors.TryGetValue(entity, out var found) ? found : [];

    internal ImmutableArray<BehaviorBinding> ListenersOf(string entity) => Listeners.TryGetValue(entity, out var found) ? found : [];
}

/// <summary>An interceptor or a listener, and where it is made.</summary>
/// <param name="Module">Id of the module, for messages.</param>
/// <param name="Scopes">The module's own service provider.</param>
/// <param name="Type">Registered there as a scoped service.</param>
public sealed record BehaviorBinding(string Module, IServiceScopeFactory Scopes, Type Type);
