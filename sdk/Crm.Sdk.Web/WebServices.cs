using Crm.Sdk.Web.Forms;
using Crm.Sdk.Web.Live;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Crm.Sdk.Web;

/// <summary>Services the shared components need.</summary>
public static class WebServices
{
    /// <summary>Adds them; the host calls it once.</summary>
    public static IServiceCollection AddCrmWeb(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(TimeProvider.System);
        services.AddScoped<DisplayContext>();
        services.AddScoped<Toasts>();
        services.AddScoped<Dialogs>();
        services.AddScoped<FieldText>();
        services.AddSingleton<FieldEditors>();
        services.TryAddSingleton<LiveHub>();
        services.AddScoped<LivePages>();
        return services;
    }
}
