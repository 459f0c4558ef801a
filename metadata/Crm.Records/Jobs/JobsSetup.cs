using Crm.Records.Bulk;
using Crm.Records.Importing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Crm.Records.Jobs;

/// <summary>Registers jobs, imports and bulk changes.</summary>
public static class JobsSetup
{
    /// <summary>Adds the queue, the runner and what it runs.</summary>
    public static IServiceCollection AddCrmJobs(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new JobOptions());
        services.TryAddSingleton<JobQueue>();
        services.AddHostedService<JobRunner>();
        services.TryAddSingleton<ImportFiles>();
        services.TryAddSingleton<VerdictStore>();
        services.TryAddSingleton<ImportService>();
        services.TryAddSingleton<ImportValues>();
        services.TryAddSingleton<ImportTemplates>();
        services.AddSingleton<IJobHandler, ImportHandler>();
        services.TryAddSingleton<BulkService>();
        services.AddSingleton<IJobHandler, BulkHandler>();
        return services;
    }
}
