using Crm.Metadata;
using Crm.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Crm.Workflows;

/// <summary>Registers workflows.</summary>
public static class WorkflowsSetup
{
    /// <summary>Adds definitions, runs and what moves them on.</summary>
    public static IServiceCollection AddCrmWorkflows(this IServiceCollection services)
    {
        services.AddSingleton<IEntityNames, WorkflowNames>();
        services.TryAddSingleton<WorkflowStore>();
        services.TryAddSingleton<WorkflowRuns>();
        services.AddSingleton<IOutboxConsumer, WorkflowStarts>();
        services.TryAddSingleton<WorkflowRunner>();
        services.AddHostedService(provider => provider.GetRequiredService<WorkflowRunner>());
        return services;
    }
}
