using System.Text.Json;
using System.Text.Json.Serialization;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Records;
using Crm.Sdk;

namespace Crm.Host.Modules;

/// <summary>Builds a module's own service provider: its services, and those of the host a module may see.</summary>
internal static class ModuleServices
{
    public static ServiceProvider Build(IServiceCollection own, IServiceProvider host)
    {
        ArgumentNullException.ThrowIfNull(own);
        if (own.Any(s => s.ServiceType == typeof(IHostedService)))
        {
            throw new ModuleFailedException(ModuleTexts.Of("HostedService"));
        }

        // Instances, not factories: a provider disposes what its factories made, and these are the host's.
        IServiceCollection services = new ServiceCollection();
        services.AddSingleton(host.GetRequiredService<TimeProvider>());
        services.AddSingleton(host.GetRequiredService<ILoggerFactory>());
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddScoped<IMetadata>(scope => MetadataOfActor(scope, host));
        services.AddSingleton(host.GetRequiredService<IRecords>());
        services.AddScoped<ModuleActor>();
        services.AddScoped(RecordsOfActor);
        services.AddLocalization();
        services.ConfigureHttpJsonOptions(json =>
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower)));
        foreach (var service in own)
        {
            services.Add(service);
        }

        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true, ValidateOnBuild = true });
    }

    private static CurrentMetadata MetadataOfActor(IServiceProvider scope, IServiceProvider host)
    {
        var current = new CurrentActor();
        if (scope.GetRequiredService<ModuleActor>().Actor is { } actor)
        {
            current.Set(actor);
        }

        return new CurrentMetadata(host.GetRequiredService<MetadataStore>(), host.GetRequiredService<RecordEngine>(), current);
    }

    private static IRecordService RecordsOfActor(IServiceProvider scope) =>
        scope.GetRequiredService<ModuleActor>().Actor is { } actor
            ? scope.GetRequiredService<IRecords>().As(actor)
            : throw new InvalidOperationException("Nobody acts here: an interceptor reads and writes through change.Records, a listener through IRecords.");
}
