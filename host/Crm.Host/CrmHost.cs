using Crm.Host.Api;
using Crm.Host.Embedded;
using Crm.Host.Modules;
using Crm.Host.Pages;
using Crm.Host.Security;
using Crm.Host.Startup;
using Crm.Host.Webhooks;
using Crm.Host.Workflows;
using Crm.Metadata;
using Crm.Records;
using Crm.Workflows;

namespace Crm.Host;

/// <summary>Composition root: puts the host together. Tests start the same host in their own process.</summary>
public static class CrmHost
{
    private const string DefaultAddress = "http://127.0.0.1:5080";

    /// <summary>Builds the host, prepares the database and loads the modules; the caller runs and disposes it.</summary>
    /// <param name="args">Command line.</param>
    /// <param name="configure">Last word on settings and services.</param>
    /// <param name="ct">Gives up; what was started is stopped.</param>
    /// <exception cref="StartupException">The host cannot start, with the reason for the person who started it.</exception>
    public static async Task<WebApplication> CreateAsync(string[] args, Action<WebApplicationBuilder>? configure = null, CancellationToken ct = default)
    {
        // Its files lie beside the program; relative paths in settings belong to the directory it was started in.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ApplicationName = typeof(CrmHost).Assembly.GetName().Name, ContentRootPath = AppContext.BaseDirectory });
        var settings = CrmSettings.Read(builder.Configuration);
        var server = await FindServerAsync(builder.Configuration, settings, ct);
        try
        {
            var app = Build(builder, settings, server, configure);
            try
            {
                await app.Services.GetRequiredService<StartupSequence>().RunAsync(ct);
                return app;
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static async Task<DatabaseServer> FindServerAsync(IConfiguration configuration, CrmSettings settings, CancellationToken ct)
    {
        if (configuration.GetConnectionString("Crm") is { Length: > 0 } given)
        {
            return new DatabaseServer(given, null);
        }

        var embedded = await EmbeddedServer.StartAsync(settings.DataDirectory, ct: ct);
        return new DatabaseServer(embedded.ConnectionString, embedded);
    }

    private static WebApplication Build(WebApplicationBuilder builder, CrmSettings settings, DatabaseServer server, Action<WebApplicationBuilder>? configure)
    {
        if (builder.Configuration["urls"] is null && builder.Configuration["http_ports"] is null && builder.Configuration["https_ports"] is null)
        {
            builder.WebHost.UseUrls(DefaultAddress);
        }

        // Needed when started from the build output; a published host has its files in wwwroot.
        builder.WebHost.UseStaticWebAssets();
        // The log is for operators: what people do in the CRM is in its history.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        // It warns that its keys are not encrypted where they lie: beside the records they give access to, with the same rights.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Services.AddSingleton(settings);
        // Made by a factory so that the container stops the server with the host, after everything made later.
        builder.Services.AddSingleton(_ => server);
        builder.Services.AddCrmMetadata(server.ConnectionString);
        builder.Services.AddCrmRecords();
        builder.Services.AddCrmWorkflows();
        builder.Services.AddSingleton<StartupSequence>();
        builder.Services.AddSingleton<Readiness>();
        builder.AddCrmSecurity();
        builder.AddCrmModules();
        builder.AddCrmApi();
        builder.AddCrmWebhooks();
        builder.AddCrmPages();
        configure?.Invoke(builder);

        var app = builder.Build();
        _ = app.Services.GetRequiredService<DatabaseServer>();
        app.UseCrmSecurity();
        app.MapCrmSecurity();
        app.MapHealth();
        app.MapCrmModules();
        app.MapCrmApi();
        app.MapWebhooks();
        app.MapWorkflows();
        app.MapCrmPages();
        return app;
    }
}
