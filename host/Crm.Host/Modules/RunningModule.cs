using System.Collections.Immutable;
using System.Reflection;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Modules;

/// <summary>
/// A started module: its service provider and what it registered. Whoever uses it holds a scope of it; after <see cref="RetireAsync"/> no new scope is given,
/// and when the last one has ended the provider is disposed and the assemblies are let go.
/// </summary>
internal sealed class RunningModule : IServiceScopeFactory
{
    private readonly Lock gate = new();
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServiceProvider services;
    private readonly ModuleLoadContext context;
    private int uses;
    private bool isRetired;

    public RunningModule(LoadedAssembly loaded, ServiceProvider services)
    {
        Info = loaded.Info;
        Version = loaded.Version;
        Folder = loaded.Folder;
        Assembly = loaded.Module.GetType().Assembly;
        context = loaded.Context;
        this.services = services;
        Pages = [.. services.GetServices<PageRegistration>()];
        Panels = [.. services.GetServices<PanelRegistration>()];
        Editors = [.. services.GetServices<EditorRegistration>()];
        Interceptors = [.. services.GetServices<InterceptorRegistration>()];
        Listeners = [.. services.GetServices<ListenerRegistration>()];
        UploadChecks = [.. services.GetServices<UploadCheckRegistration>()];
    }

    public ModuleInfo Info { get; }

    public string Version { get; }

    public ModuleFolder Folder { get; }

    public Assembly Assembly { get; }

    public ImmutableArray<PageRegistration> Pages { get; }

    public ImmutableArray<PanelRegistration> Panels { get; }

    public ImmutableArray<EditorRegistration> Editors { get; }

    public ImmutableArray<InterceptorRegistration> Interceptors { get; }

    public ImmutableArray<ListenerRegistration> Listeners { get; }

    public ImmutableArray<UploadCheckRegistration> UploadChecks { get; }

    public ImmutableArray<Endpoint> Endpoints { get; private set; } = [];

    /// <summary>Whether the module was loaded into this context.</summary>
    public bool Owns(ModuleLoadContext other) => ReferenceEquals(context, other);

    /// <summary>Runs the module's own code that adds endpoints; called once, before anybody sees the module.</summary>
    public void MapEndpoints() => Endpoints = ModuleRoutes.Build(this, services);

    /// <summary>A scope in which the module acts for somebody; null when the module has been retired.</summary>
    /// <param name="actor">Who; null for the module's own behaviour, which takes its record service from the change.</param>
    public ModuleScope? TryEnter(Actor? actor)
    {
        lock (gate)
        {
            if (isRetired)
            {
                return null;
            }

            uses++;
        }

        try
        {
            return new ModuleScope(this, services.CreateAsyncScope(), actor);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    /// <inheritdoc/>
    IServiceScope IServiceScopeFactory.CreateScope() =>
        TryEnter(actor: null) ?? throw new InvalidOperationException($"The module '{Info.Id}' was stopped.");

    /// <summary>Gives no more scopes, waits for those in use, then lets everything go.</summary>
    public async Task<WeakReference> RetireAsync()
    {
        lock (gate)
        {
            isRetired = true;
            if (uses == 0)
            {
                idle.TrySetResult();
            }
        }

        await idle.Task;
        await services.DisposeAsync();
        context.Unload();
        return new WeakReference(context);
    }

    internal void Leave()
    {
        lock (gate)
        {
            if (--uses == 0 && isRetired)
            {
                idle.TrySetResult();
            }
        }
    }
}

/// <summary>A scope of a module's services; keeps the module from being let go until it is disposed.</summary>
internal sealed class ModuleScope : IServiceScope, IAsyncDisposable
{
    private readonly AsyncServiceScope scope;
    private RunningModule? module;

    public ModuleScope(RunningModule module, AsyncServiceScope scope, Actor? actor)
    {
        this.module = module;
        this.scope = scope;
        scope.ServiceProvider.GetRequiredService<ModuleActor>().Actor = actor;
    }

    public IServiceProvider ServiceProvider => scope.ServiceProvider;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref module, null) is { } used)
        {
            scope.Dispose();
            used.Leave();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref module, null) is { } used)
        {
            await scope.DisposeAsync();
            used.Leave();
        }
    }
}

/// <summary>Who acts in a module's scope.</summary>
internal sealed class ModuleActor
{
    public Actor? Actor { get; set; }
}
