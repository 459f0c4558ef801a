using Crm.Metadata;
using Crm.Records.Bin;
using Crm.Records.Exporting;
using Crm.Records.Files;
using Crm.Records.Jobs;
using Crm.Records.Merging;
using Crm.Records.Webhooks;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Crm.Records;

/// <summary>Registers the records engine.</summary>
public static class RecordsSetup
{
    /// <summary>Adds <see cref="IRecords"/> and what it needs besides the database and the metadata.</summary>
    public static IServiceCollection AddCrmRecords(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IEntityNames, RecordNames>();
        services.TryAddSingleton<BehaviorSource>();
        services.TryAddSingleton<RecordEngine>();
        services.TryAddSingleton<IRecords>(provider => provider.GetRequiredService<RecordEngine>());
        services.AddSingleton<IOutboxConsumer, ChangeAnnouncer>();
        services.TryAddSingleton<Presence>();
        services.AddHostedService(provider => provider.GetRequiredService<Presence>());
        services.TryAddSingleton<OutboxDispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<OutboxDispatcher>());
        services.TryAddSingleton<ScriptReplay>();
        services.TryAddSingleton<FileStore>();
        services.TryAddSingleton<RecordSharing>();
        services.TryAddSingleton<ViewLog>();
        services.TryAddSingleton<AccessExplainer>();
        services.TryAddSingleton<RecycleBin>();
        services.TryAddSingleton<DuplicateFinder>();
        services.TryAddSingleton<RecordMerger>();
        services.AddHostedService<BinEnd>();
        services.TryAddSingleton<ExportService>();
        services.TryAddSingleton<WebhookStore>();
        services.TryAddSingleton<DeliveryQueue>();
        services.AddSingleton<IOutboxConsumer>(provider => provider.GetRequiredService<DeliveryQueue>());
        services.AddCrmJobs();
        return services;
    }
}
