using System.Collections.Immutable;
using Crm.Host.Security;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;

namespace Crm.Host.Modules;

/// <summary>Collects a module's endpoints and has them served from the module's own services.</summary>
internal sealed class ModuleRoutes(IServiceProvider services) : IEndpointRouteBuilder
{
    public IServiceProvider ServiceProvider => services;

    public ICollection<EndpointDataSource> DataSources { get; } = [];

    public static ImmutableArray<Endpoint> Build(RunningModule module, IServiceProvider services)
    {
        var routes = new ModuleRoutes(services);
        var group = routes.MapGroup("/api/m/" + module.Info.Id);
        foreach (var registration in services.GetServices<EndpointRegistration>())
        {
            registration.Map(group);
        }

        return [.. routes.DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>().Select(e => Guarded(module, e))];
    }

    public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);

    // A module cannot open a door to strangers: whatever it says about authorization comes on top of being signed in.
    private static RouteEndpoint Guarded(RunningModule module, RouteEndpoint endpoint)
    {
        var inner = endpoint.RequestDelegate ?? throw new InvalidOperationException($"The endpoint '{endpoint.DisplayName}' does nothing.");
        var metadata = endpoint.Metadata.Where(m => m is not IAllowAnonymous).Append(new AuthorizeAttribute());
        return new RouteEndpoint(context => RunAsync(module, inner, context), endpoint.RoutePattern, endpoint.Order, new EndpointMetadataCollection(metadata), endpoint.DisplayName);
    }

    private static async Task RunAsync(RunningModule module, RequestDelegate inner, HttpContext context)
    {
        var hosts = context.RequestServices;
        await using var scope = module.TryEnter(hosts.GetRequiredService<CurrentActor>().Value);
        if (scope is null)
        {
            // Matched just before the module was switched off.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.RequestServices = scope.ServiceProvider;
        try
        {
            await inner(context);
        }
        finally
        {
            context.RequestServices = hosts;
        }
    }
}

/// <summary>The endpoints of all running modules; routing follows when they come and go.</summary>
internal sealed class ModuleEndpoints : EndpointDataSource, IDisposable
{
    private readonly ModuleCatalogAccessor catalog;
    private readonly Lock gate = new();
    private CancellationTokenSource change = new();
    private IReadOnlyList<Endpoint> endpoints;

    public ModuleEndpoints(ModuleCatalogAccessor catalog)
    {
        this.catalog = catalog;
        endpoints = EndpointsOf(catalog.Current);
        catalog.Changed += Follow;
    }

    public override IReadOnlyList<Endpoint> Endpoints => endpoints;

    public override IChangeToken GetChangeToken()
    {
        lock (gate)
        {
            return new CancellationChangeToken(change.Token);
        }
    }

    public void Dispose()
    {
        catalog.Changed -= Follow;
        change.Dispose();
    }

    private void Follow(ModuleCatalog next)
    {
        CancellationTokenSource previous;
        lock (gate)
        {
            endpoints = EndpointsOf(next);
            previous = change;
            change = new CancellationTokenSource();
        }

        previous.Cancel();
        previous.Dispose();
    }

    private static Endpoint[] EndpointsOf(ModuleCatalog catalog) => [.. catalog.Running.SelectMany(r => r.Endpoints)];
}
