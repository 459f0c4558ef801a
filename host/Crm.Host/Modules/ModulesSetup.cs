namespace Crm.Host.Modules;

/// <summary>Wires this folder into the host.</summary>
internal static class ModulesSetup
{
    public static void AddCrmModules(this WebApplicationBuilder builder) => ArgumentNullException.ThrowIfNull(builder);

    public static void MapCrmModules(this WebApplication app) => ArgumentNullException.ThrowIfNull(app);
}
