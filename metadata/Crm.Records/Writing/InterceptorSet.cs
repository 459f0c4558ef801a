using System.Collections.Immutable;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Records;

/// <summary>The interceptors of one change: made anew for it, in the order of the modules, each from its own module's services.</summary>
internal sealed class InterceptorSet : IAsyncDisposable
{
    private readonly List<AsyncServiceScope> scopes = [];
    private readonly List<(BehaviorBinding Binding, IRecordInterceptor Interceptor)> all = [];

    private InterceptorSet()
    {
    }

    /// <summary>They may set values and refuse.</summary>
    public static async Task BeforeAsync(ChangeRun run, CancellationToken ct)
    {
        var bindings = run.Session.Behaviors.InterceptorsOf(run.Table.Entity.Name);
        if (bindings.IsEmpty)
        {
            return;
        }

        run.Session.IsBeforeWrite = true;
        foreach (var change in run.Going)
        {
            change.Interceptors = new InterceptorSet();
            await change.Interceptors.CallAsync(bindings, i => i.BeforeAsync(change, ct), nameof(IRecordInterceptor.BeforeAsync));
        }

        run.Session.IsBeforeWrite = false;
    }

    /// <summary>They may write other records.</summary>
    public static async Task AfterAsync(ChangeRun run, CancellationToken ct)
    {
        foreach (var change in run.Changes.Where(c => c is { IsWritten: true, Interceptors: not null }))
        {
            await change.Interceptors!.CallAsync([], i => i.AfterAsync(change, ct), nameof(IRecordInterceptor.AfterAsync));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var scope in scopes)
        {
            await scope.DisposeAsync();
        }
    }

    private async Task CallAsync(ImmutableArray<BehaviorBinding> bindings, Func<IRecordInterceptor, ValueTask> call, string step)
    {
        var made = new Dictionary<IServiceScopeFactory, IServiceProvider>();
        foreach (var binding in bindings)
        {
            if (!made.TryGetValue(binding.Scopes, out var services))
            {
                var scope = binding.Scopes.CreateAsyncScope();
                scopes.Add(scope);
                made.Add(binding.Scopes, services = scope.ServiceProvider);
            }

            all.Add((binding, (IRecordInterceptor)services.GetRequiredService(binding.Type)));
        }

        foreach (var (binding, interceptor) in all)
        {
            try
            {
                await call(interceptor);
            }
            catch (Exception problem) when (problem is not (OperationCanceledException or SavesTooDeepException or OldDefinitionsException) and not Npgsql.PostgresException { SqlState: "40001" or "40P01" })
            {
                throw new InterceptorException(binding.Module, binding.Type, step, problem);
            }
        }
    }
}

/// <summary>A module's interceptor failed; nothing of the save it took part in was stored.</summary>
public sealed class InterceptorException(string module, Type interceptor, string step, Exception inner)
    : Exception($"The module '{module}' failed in {interceptor?.Name}.{step}: {inner?.Message}", inner)
{
    /// <summary>Id of the module.</summary>
    public string Module { get; } = module;
}
