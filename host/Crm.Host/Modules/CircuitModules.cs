using System.Collections.Concurrent;
using System.Runtime.Loader;
using Crm.Host.Security;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Modules;

/// <summary>The scopes of modules whose components one browser session shows; given back when the session or the module ends.</summary>
internal sealed class CircuitModules : IAsyncDisposable
{
    private readonly ModuleCatalogAccessor catalog;
    private readonly CurrentActor actor;
    private readonly Lock gate = new();
    private readonly Dictionary<RunningModule, ModuleScope> scopes = [];

    public CircuitModules(ModuleCatalogAccessor catalog, CurrentActor actor)
    {
        this.catalog = catalog;
        this.actor = actor;
        catalog.Changed += Follow;
    }

    /// <summary>The services of the running module a component comes from; null when it comes from the host.</summary>
    /// <exception cref="InvalidOperationException">The module was switched off.</exception>
    public IServiceProvider? ServicesFor(Type component)
    {
        if (AssemblyLoadContext.GetLoadContext(component.Assembly) is not ModuleLoadContext context)
        {
            return null;
        }

        lock (gate)
        {
            var module = catalog.Current.Running.FirstOrDefault(r => r.Owns(context)) ?? throw Stopped(context);
            if (!scopes.TryGetValue(module, out var scope))
            {
                scope = module.TryEnter(actor.Value) ?? throw Stopped(context);
                scopes.Add(module, scope);
            }

            return scope.ServiceProvider;
        }
    }

    public async ValueTask DisposeAsync()
    {
        catalog.Changed -= Follow;
        await ReleaseAsync(Take(_ => true));
    }

    private static InvalidOperationException Stopped(ModuleLoadContext context) => new($"The module '{context.Name}' was switched off.");

    // The page that shows a component of the module follows the same event and takes it away.
    private void Follow(ModuleCatalog next) => _ = ReleaseAsync(Take(module => !next.Running.Contains(module)));

    private List<ModuleScope> Take(Predicate<RunningModule> which)
    {
        lock (gate)
        {
            var taken = scopes.Where(s => which(s.Key)).ToList();
            taken.ForEach(s => scopes.Remove(s.Key));
            return [.. taken.Select(s => s.Value)];
        }
    }

    private static async Task ReleaseAsync(List<ModuleScope> taken)
    {
        foreach (var scope in taken)
        {
            await scope.DisposeAsync();
        }
    }
}

/// <summary>Makes Blazor components: those of a module from the module's own services, so that a constructor can ask for them.</summary>
internal sealed class ModuleComponentActivator(IServiceProvider services, CircuitModules modules) : IComponentActivator
{
    // A list makes a hundred components at once. Only types that never go may be kept: a module's would keep its assembly in memory.
    private static readonly ConcurrentDictionary<Type, ObjectFactory> Factories = new();

    /// <inheritdoc/>
    public IComponent CreateInstance(Type componentType)
    {
        ArgumentNullException.ThrowIfNull(componentType);
        if (modules.ServicesFor(componentType) is { } own)
        {
            return (IComponent)ActivatorUtilities.CreateInstance(own, componentType);
        }

        return componentType.IsCollectible
            ? (IComponent)ActivatorUtilities.CreateInstance(services, componentType)
            : (IComponent)Factories.GetOrAdd(componentType, static type => ActivatorUtilities.CreateFactory(type, Type.EmptyTypes))(services, null);
    }
}
