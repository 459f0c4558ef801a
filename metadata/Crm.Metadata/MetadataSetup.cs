using Crm.Rules;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Crm.Metadata;

/// <summary>Registers this project.</summary>
public static class MetadataSetup
{
    /// <summary>Adds the database, the definitions and what changes them.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="connectionString">An Npgsql connection string.</param>
    public static IServiceCollection AddCrmMetadata(this IServiceCollection services, string connectionString)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ => new CrmDatabase(connectionString));
        services.AddSingleton<Notifications>();
        services.AddSingleton<IEntityNames, MetadataNames>();
        services.AddSingleton<MetadataStore>();
        services.AddSingleton<IMetadata>(provider => provider.GetRequiredService<MetadataStore>());
        services.AddSingleton(provider => new ScriptWorkers
        {
            WorkerLost = (process, reason) => provider.GetRequiredService<ILogger<ScriptWorkers>>().LogWarning("The worker process {Process} of the rules was lost and is replaced: {Reason}", process, reason),
        });
        services.AddSingleton<MetadataEditor>();
        services.AddSingleton<CalculationDrift>();
        services.AddSingleton<MetadataHistory>();
        services.AddSingleton<SavedViews>();
        services.AddSingleton<UpgradeNotes>();
        services.AddSingleton<MetadataSteps>();
        services.AddSingleton<StepRunner>();
        services.AddHostedService(provider => provider.GetRequiredService<StepRunner>());
        services.AddSingleton<ModuleStates>();
        services.AddSingleton<ConsistencyCheck>();
        return services;
    }
}
