using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk;
using Crm.Sdk.Web;

namespace Crm.Host.Modules;

/// <summary>How a module fares.</summary>
internal enum ModuleStatus
{
    /// <summary>Its behaviour, pages and endpoints are there.</summary>
    Running,

    /// <summary>An administrator switched it off.</summary>
    Off,

    /// <summary>It could not be started.</summary>
    Failed,

    /// <summary>A module it needs is not running.</summary>
    Blocked,

    /// <summary>Records of a big table are being prepared for it; it starts by itself when that is done.</summary>
    Waiting,
}

/// <summary>A module and its state.</summary>
/// <param name="Info">Who it is.</param>
/// <param name="Version">Version of its assembly; null when it was not loaded.</param>
/// <param name="Status">How it fares.</param>
/// <param name="Reason">Why it, or a newer version of it, does not run, for administrators; null when there is nothing to say.</param>
/// <param name="Running">What runs; null unless it does.</param>
internal sealed record LoadedModule(ModuleInfo Info, string? Version, ModuleStatus Status, string? Reason, RunningModule? Running)
{
    public string Id => Info.Id;

    /// <summary>Whether it is about to change by itself: a step works on its records, or could be tried again.</summary>
    public bool IsPreparing { get; init; }
}

/// <summary>A page of a running module.</summary>
internal sealed record ModulePage(string Module, PageRegistration Registration)
{
    /// <summary>Where the host shows it.</summary>
    public string Url => $"/m/{Module}/{Registration.Path}";
}

/// <summary>All modules at one moment, in the order they depend on each other. Immutable; replaced as a whole.</summary>
internal sealed class ModuleCatalog
{
    private readonly FrozenDictionary<string, LoadedModule> byId;
    private readonly FrozenDictionary<string, ModulePage> byUrl;
    private readonly FrozenDictionary<string, ImmutableArray<PanelRegistration>> panels;

    public ModuleCatalog(ImmutableArray<LoadedModule> modules)
    {
        Modules = modules;
        byId = modules.ToFrozenDictionary(m => m.Id, StringComparer.Ordinal);
        Pages = [.. Running.SelectMany(r => r.Pages.Select(p => new ModulePage(r.Info.Id, p)))];
        byUrl = Pages.ToFrozenDictionary(p => p.Url, StringComparer.OrdinalIgnoreCase);
        panels = Running
            .SelectMany(r => r.Panels)
            .GroupBy(p => p.Entity, StringComparer.Ordinal)
            .ToFrozenDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);
    }

    public static ModuleCatalog Empty { get; } = new([]);

    public ImmutableArray<LoadedModule> Modules { get; }

    /// <summary>Pages of running modules, for the navigation.</summary>
    public ImmutableArray<ModulePage> Pages { get; }

    public IEnumerable<RunningModule> Running => Modules.Where(m => m.Running is not null).Select(m => m.Running!);

    public LoadedModule? Find(string id) => byId.GetValueOrDefault(id);

    /// <summary>The page shown at <c>/m/{module}/{path}</c>; null when no running module has it.</summary>
    public ModulePage? FindPage(string module, string? path) => byUrl.GetValueOrDefault($"/m/{module}/{path?.Trim('/')}");

    /// <summary>Whether both hold the same modules in the same state; what runs must be the same object.</summary>
    public bool IsSameAs(ModuleCatalog other) =>
        Modules.Select(m => (m.Id, m.Info.Name, m.Version, m.Status, m.Reason, m.Running))
            .SequenceEqual(other.Modules.Select(m => (m.Id, m.Info.Name, m.Version, m.Status, m.Reason, m.Running)));

    /// <summary>Panels running modules add to the record page of an entity.</summary>
    public ImmutableArray<PanelRegistration> Panels(string entity) => panels.TryGetValue(entity, out var found) ? found : [];
}

/// <summary>Holds the current catalog.</summary>
internal sealed class ModuleCatalogAccessor
{
    private volatile ModuleCatalog current = ModuleCatalog.Empty;

    /// <summary>Read once per operation and keep: it may be replaced at any moment.</summary>
    public ModuleCatalog Current => current;

    /// <summary>Raised after <see cref="Current"/> was replaced, on an arbitrary thread.</summary>
    public event Action<ModuleCatalog>? Changed;

    public void Replace(ModuleCatalog next)
    {
        current = next;
        Changed?.Invoke(next);
    }
}
