using Crm.Host.Api;
using Crm.Host.Modules;
using Crm.Host.Pages;
using Crm.Host.Security;

namespace Crm.Host;

/// <summary>Composition root: puts the host together. Tests start the same host in their own process.</summary>
public static class CrmHost
{
    /// <summary>Builds the host, prepares the database and loads the modules; the caller runs it.</summary>
    /// <param name="args">Command line.</param>
    /// <param name="configure">Last word on settings and services.</param>
    public static async Task<WebApplication> CreateAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddCrmSecurity();
        builder.AddCrmModules();
        builder.AddCrmApi();
        builder.AddCrmPages();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseCrmSecurity();
        app.MapCrmSecurity();
        app.MapCrmModules();
        app.MapCrmApi();
        app.MapCrmPages();
        await Task.CompletedTask;
        return app;
    }
}
