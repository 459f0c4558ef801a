using Microsoft.AspNetCore.Components;

namespace Crm.Host.Modules;

/// <summary>Wires this folder into the host.</summary>
internal static class ModulesSetup
{
    public static void AddCrmModules(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.AddSingleton(s => new ModuleFolders(s.GetRequiredService<CrmSettings>().ModulesDirectory, s.GetRequiredService<CrmSettings>().UploadedModulesDirectory));
        services.AddSingleton<ModuleCatalogAccessor>();
        services.AddSingleton<ModuleStarter>();
        services.AddSingleton<ModuleUpdates>();
        services.AddSingleton<ModuleEndpoints>();
        services.AddScoped<CircuitModules>();
        services.AddScoped<IComponentActivator, ModuleComponentActivator>();
    }

    public static void MapCrmModules(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        ((IEndpointRouteBuilder)app).DataSources.Add(app.Services.GetRequiredService<ModuleEndpoints>());
        ModuleApi.Map(app);
        ModuleResources.Map(app);
    }
}
