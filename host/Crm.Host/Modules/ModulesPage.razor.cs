using System.Collections.Immutable;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Modules;

/// <summary>Shows administrators every module and lets them switch it.</summary>
public sealed partial class ModulesPage : ComponentBase, IDisposable
{
    private ImmutableArray<ModuleView> modules = [];
    private int stillInMemory;
    private string? busy;

    [Inject]
    private ModuleCatalogAccessor Catalog { get; set; } = null!;

    [Inject]
    private ModuleUpdates Updates { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private CurrentActor Actor { get; set; } = null!;

    [Inject]
    private Toasts Toasts { get; set; } = null!;

    [Inject]
    private Dialogs Dialogs { get; set; } = null!;

    public void Dispose() => Catalog.Changed -= Follow;

    protected override void OnInitialized()
    {
        Catalog.Changed += Follow;
        Show();
    }

    private void Follow(ModuleCatalog next) => _ = InvokeAsync(() =>
    {
        Show();
        StateHasChanged();
    });

    private void Show()
    {
        var metadata = Metadata.Current;
        modules = [.. Catalog.Current.Modules.Select(m => ModuleView.Of(m, metadata)).OrderBy(m => m.Name, StringComparer.CurrentCulture)];
        stillInMemory = Updates.StillInMemory;
    }

    private async Task SwitchAsync(ModuleView module)
    {
        // A browser may send any event: hiding the page is no protection.
        if (!Actor.Value.IsAdministrator || (IsOn(module) && !await ConfirmAsync(module)))
        {
            return;
        }

        busy = module.Id;
        try
        {
            await Updates.SwitchAsync(module.Id, !IsOn(module), CancellationToken.None);
            Show();
            Report(Catalog.Current.Find(module.Id));
        }
        finally
        {
            busy = null;
        }
    }

    private Task<bool> ConfirmAsync(ModuleView module)
    {
        var dependants = modules.Where(m => m.Status == ModuleView.NameOf(ModuleStatus.Running) && m.DependsOn.Contains(module.Id)).Select(m => m.Name).ToArray();
        var text = dependants.Length == 0
            ? ModuleTexts.Of("ConfirmText")
            : ModuleTexts.Of("ConfirmText") + " " + ModuleTexts.Of("ConfirmDependants", string.Join(", ", dependants));
        return Dialogs.ConfirmAsync(new Confirmation(ModuleTexts.Of("ConfirmTitle", module.Name), text, ModuleTexts.Of("SwitchOff")));
    }

    private void Report(LoadedModule? module)
    {
        switch (module?.Status)
        {
            case ModuleStatus.Running:
                Toasts.Success(ModuleTexts.Of("Started", module.Info.Name));
                break;
            case ModuleStatus.Off:
                Toasts.Success(ModuleTexts.Of("Stopped", module.Info.Name));
                break;
            case ModuleStatus.Waiting:
                Toasts.Success(ModuleTexts.Of("Preparing", module.Info.Name));
                break;
            case ModuleStatus.Failed or ModuleStatus.Blocked:
                Toasts.Error(ModuleTexts.Of("NotStarted", module.Info.Name, module.Reason));
                break;
        }
    }

    private static bool IsOn(ModuleView module) => module.Status != ModuleView.NameOf(ModuleStatus.Off);

    private static string Badge(string status) => status switch
    {
        "running" => "badge badge-dot badge-success",
        "failed" => "badge badge-dot badge-danger",
        "blocked" or "waiting" => "badge badge-dot badge-warning",
        _ => "badge badge-dot",
    };

    private string Contents(ModuleView module)
    {
        var entities = module.Entities.Select(e => Metadata.Current.TryEntity(e, out var entity) ? entity.PluralLabel : e).ToArray();
        var adds = entities.Length == 0 ? ModuleTexts.Of("NoEntities") : ModuleTexts.Of("Entities", string.Join(", ", entities));
        return module.DependsOn.Count == 0 ? adds : adds + " " + ModuleTexts.Of("Needs", string.Join(", ", module.DependsOn.Select(id => Catalog.Current.Find(id)?.Info.Name ?? id)));
    }
}
