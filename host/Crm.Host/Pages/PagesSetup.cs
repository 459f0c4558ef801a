namespace Crm.Host.Pages;

/// <summary>Wires this folder into the host.</summary>
internal static class PagesSetup
{
    public static void AddCrmPages(this WebApplicationBuilder builder) => ArgumentNullException.ThrowIfNull(builder);

    public static void MapCrmPages(this WebApplication app) => ArgumentNullException.ThrowIfNull(app);
}
