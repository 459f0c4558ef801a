namespace Crm.Host;

/// <summary>Settings that decide where the host keeps and finds things; all paths are absolute.</summary>
/// <param name="DataDirectory">Embedded server, uploaded modules.</param>
/// <param name="ModulesDirectory">Modules shipped with the product, one folder each.</param>
/// <param name="AdminPassword">Password of the first administrator; null for a random one.</param>
public sealed record CrmSettings(string DataDirectory, string ModulesDirectory, string? AdminPassword)
{
    /// <summary>Whether webhooks may lead to this machine and its neighbours, and without encryption.</summary>
    public bool AllowPrivateWebhooks { get; init; }

    /// <summary>Modules an administrator uploaded, one folder each.</summary>
    public string UploadedModulesDirectory => Path.Combine(DataDirectory, "modules");

    /// <summary>Reads the settings; relative paths are relative to the current directory.</summary>
    public static CrmSettings Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var modules = Given(configuration["Crm:ModulesDirectory"]);
        return new(
            Path.GetFullPath(Given(configuration["Crm:DataDirectory"]) ?? "data"),
            modules is null ? DefaultModulesDirectory() : Path.GetFullPath(modules),
            Given(configuration["Crm:AdminPassword"]))
        {
            AllowPrivateWebhooks = configuration.GetValue("Crm:WebhooksToPrivateAddresses", defaultValue: false),
        };
    }

    private static string? Given(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;

    // Started from another directory, the modules still lie beside the host's own build output.
    private static string DefaultModulesDirectory()
    {
        var here = Path.GetFullPath(Path.Combine("artifacts", "modules"));
        if (Directory.Exists(here))
        {
            return here;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var built = Path.Combine(folder.FullName, "artifacts", "modules");
            if (Directory.Exists(built))
            {
                return built;
            }
        }

        var published = Path.Combine(AppContext.BaseDirectory, "modules");
        return Directory.Exists(published) ? published : here;
    }
}
