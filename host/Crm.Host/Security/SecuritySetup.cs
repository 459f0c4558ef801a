namespace Crm.Host.Security;

/// <summary>Wires this folder into the host.</summary>
internal static class SecuritySetup
{
    public static void AddCrmSecurity(this WebApplicationBuilder builder) => ArgumentNullException.ThrowIfNull(builder);

    /// <summary>Adds who may enter to the request pipeline.</summary>
    public static void UseCrmSecurity(this WebApplication app) => ArgumentNullException.ThrowIfNull(app);

    public static void MapCrmSecurity(this WebApplication app) => ArgumentNullException.ThrowIfNull(app);
}
