using System.Globalization;
using Crm.Host.Modules;
using Crm.Host.Pages.Designer;
using Crm.Host.Pages.Import;
using Crm.Host.Pages.Live;
using Crm.Host.Search;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Localization;
using Radzen;

namespace Crm.Host.Pages;

/// <summary>Wires this folder into the host.</summary>
internal static class PagesSetup
{
    // The longest text a field takes is a million characters, three bytes each in most scripts. What is longer ends the connection, and with it the page.
    private const long MaxMessage = 4 * 1024 * 1024;

    public static void AddCrmPages(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // Started from the build output, the framework looks at every file again and sends it uncompressed, for people who edit styles
        // while the host runs. Whoever does sets the environment to Development.
        builder.Configuration["ReloadStaticAssetsAtRuntime"] ??= builder.Environment.IsDevelopment() ? "true" : "false";
        var services = builder.Services;
        services.AddRazorComponents().AddInteractiveServerComponents(options =>
        {
            // A laptop that was closed over lunch comes back to the page as it was left.
            options.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(30);
            options.DisconnectedCircuitMaxRetained = 200;
        }).AddHubOptions(options => options.MaximumReceiveMessageSize = MaxMessage);
        services.AddCascadingAuthenticationState();
        services.AddRadzenComponents();
        services.AddCrmWeb();
        services.AddHostedService<LiveFeed>();
        services.AddScoped<CircuitHandler, LiveCircuit>();
        services.AddScoped<DesignerSession>();
        services.AddTransient<ImportWizard>();
        services.AddScoped<GlobalSearch>();
        services.Configure<RequestLocalizationOptions>(options =>
        {
            // Numbers and dates follow the browser's language, whichever it is; texts fall back to English where there is no translation.
            options.DefaultRequestCulture = new RequestCulture("en-GB", "en");
            options.SupportedCultures = [.. CultureInfo.GetCultures(CultureTypes.AllCultures).Where(c => c.Name.Length > 0)];
            options.SupportedUICultures = options.SupportedCultures;
            options.RequestCultureProviders = [new AcceptLanguageHeaderRequestCultureProvider()];
        });
    }

    public static void MapCrmPages(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var editors = app.Services.GetRequiredService<FieldEditors>();
        app.Services.GetRequiredService<ModuleCatalogAccessor>().Changed += catalog => editors.Replace(catalog.Running.SelectMany(r => r.Editors));
        app.UseRequestLocalization();
        app.UseAntiforgery();
        // The sign-in page needs its styles before anybody is signed in.
        app.MapStaticAssets().AllowAnonymous();
        // The policy of the site, set for every answer, says who may frame it.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = null).RequireAuthorization();
    }
}
