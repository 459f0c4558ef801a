namespace Crm.Host.Api;

/// <summary>Wires this folder into the host.</summary>
internal static class ApiSetup
{
    public static void AddCrmApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddTransient<IStartupFilter, ErrorMiddleware.AtTheFront>();
    }

    public static void MapCrmApi(this WebApplication app) => ArgumentNullException.ThrowIfNull(app);
}
