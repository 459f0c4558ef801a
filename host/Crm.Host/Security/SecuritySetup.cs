using System.Net;
using Crm.Host.Api;
using Crm.Metadata;
using Crm.Records;
using Crm.Sdk;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Crm.Host.Security;

/// <summary>Wires this folder into the host.</summary>
internal static class SecuritySetup
{
    private const string EitherScheme = "Crm";

    public static void AddCrmSecurity(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.Configure<KestrelServerOptions>(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = BodyLimit.HeardOut;
        });
        AddSignIn(services);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(Roles.Administrator, policy => policy.RequireRole(Roles.Administrator));
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "crm-form";
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddDataProtection().SetApplicationName("crm");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider =>
            new ConfigureOptions<KeyManagementOptions>(options => options.XmlRepository = new DataProtectionKeys(provider.GetRequiredService<CrmDatabase>())));
        if (builder.Configuration["Crm:Proxies"] is { Length: > 0 } proxies)
        {
            // Read now, so that a mistake stops the start.
            var trust = Trust(proxies);
            services.Configure(trust);
        }

        services.AddSingleton<SessionCache>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<IEntityNames, KeyNames>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<PasswordChanges>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<SignInService>();
        services.AddSingleton<DeviceCookie>();
        services.AddSingleton<FirstUsers>();
        services.AddScoped<CurrentActor>();
        services.AddScoped<IRecordService, CurrentRecords>();
        services.AddScoped<IMetadata, CurrentMetadata>();
        services.AddScoped<AuthenticationStateProvider, CircuitSignIn>();
        services.AddScoped<CircuitHandler, CircuitActor>();
    }

    /// <summary>Adds who may enter to the request pipeline.</summary>
    public static void UseCrmSecurity(this WebApplication app)
    {
        if (app.Configuration["Crm:Proxies"] is { Length: > 0 })
        {
            app.UseForwardedHeaders();
        }

        app.UseMiddleware<BodyLimit>();
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<PageFailures>();
        app.UseAuthentication();
        app.UseMiddleware<CrossSite>();
        app.UseAuthorization();
        app.UseMiddleware<NarrowedKeys>();
        app.Use(async (context, next) =>
        {
            if (Session.From(context.User) is { } session)
            {
                context.RequestServices.GetRequiredService<CurrentActor>().Set(session.Actor);
                // From here on what they may see is known without asking.
                await context.RequestServices.GetRequiredService<RecordEngine>().SnapshotOfAsync(session.Actor, context.RequestAborted);
            }

            await next(context);
        });
        app.UseMiddleware<FormerAddresses>();
    }

    public static void MapCrmSecurity(this WebApplication app)
    {
        SignInEndpoints.Map(app);
        TokenEndpoints.Map(app);
        PasswordChanges.Map(app);
    }

    private static void AddSignIn(IServiceCollection services)
    {
        services.AddAuthentication(EitherScheme)
            .AddPolicyScheme(EitherScheme, null, options => options.ForwardDefaultSelector = context =>
                BearerHandler.IsMeant(context) ? BearerHandler.SchemeName : CookieAuthenticationDefaults.AuthenticationScheme)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.SchemeName, null)
            .AddCookie(options =>
            {
                options.Cookie.Name = "crm-session";
                options.Cookie.HttpOnly = true;
                options.Cookie.SameSite = SameSiteMode.Lax;
                options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                options.Cookie.Path = "/";
                options.CookieManager = new SecureCookieManager();
                // The session's row in the database decides; the cookie only has to outlive it.
                options.ExpireTimeSpan = TimeSpan.FromDays(30);
                options.SlidingExpiration = false;
                options.Events.OnValidatePrincipal = ValidateAsync;
                options.Events.OnRedirectToLogin = AskToSignInAsync;
                options.Events.OnRedirectToAccessDenied = context =>
                {
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return Task.CompletedTask;
                };
            });
    }

    // The cookie names a session; whether it still holds, and who its user is by now, the database knows.
    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var sessions = context.HttpContext.RequestServices.GetRequiredService<SessionStore>();
        if (Session.From(context.Principal) is { } then && await sessions.FindAsync(then.Id, context.HttpContext.RequestAborted) is { } now)
        {
            context.ReplacePrincipal(now.ToPrincipal(CookieAuthenticationDefaults.AuthenticationScheme));
        }
        else
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        }
    }

    private static Task AskToSignInAsync(RedirectContext<CookieAuthenticationOptions> context)
    {
        var request = context.Request;
        if (ApiPath.Is(request.Path))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = BearerHandler.SchemeName;
        }
        else
        {
            // A path, never the host's name as the request gives it: that is the caller's to choose.
            context.Response.Redirect(SignInEndpoints.Url(HttpMethods.IsGet(request.Method) ? request.Path.ToUriComponent() + request.QueryString.ToUriComponent() : null));
        }

        return Task.CompletedTask;
    }

    private static Action<ForwardedHeadersOptions> Trust(string proxies)
    {
        List<IPAddress> addresses = [];
        List<System.Net.IPNetwork> networks = [];
        foreach (var proxy in proxies.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (IPAddress.TryParse(proxy, out var address))
            {
                addresses.Add(address);
            }
            else if (System.Net.IPNetwork.TryParse(proxy, out var network))
            {
                networks.Add(network);
            }
            else
            {
                throw new StartupException($"Crm__Proxies: '{proxy}' is neither an address nor a network such as 10.0.0.0/8.");
            }
        }

        return options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
            options.ForwardLimit = null;
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            addresses.ForEach(options.KnownProxies.Add);
            networks.ForEach(options.KnownIPNetworks.Add);
        };
    }
}
