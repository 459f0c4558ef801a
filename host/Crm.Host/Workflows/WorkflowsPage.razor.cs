using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Workflows;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Workflows;

/// <summary>Lets administrators see workflows and what they did, publish them, and try failed runs again or stop them.</summary>
public sealed partial class WorkflowsPage : ComponentBase
{
    private const int Page = 25;

    private static readonly ImmutableArray<string> Statuses = ["running", "suspended", "finished", "faulted", "cancelled"];

    private ImmutableArray<WorkflowDefinition>? definitions;
    private FrozenSet<string> published = [];
    private ImmutableArray<WorkflowInstance> runs = [];
    private ImmutableArray<JournalEntry> journal = [];
    private ImmutableArray<DefinitionProblem> problems = [];
    private RunFilter filter = new();
    private long count;
    private Guid? opened;
    private string? problemsOf;
    private IDisposable? subscription;

    [Inject]
    private WorkflowStore Store { get; set; } = null!;

    [Inject]
    private WorkflowRuns Runs { get; set; } = null!;

    [Inject]
    private Notifications Notifications { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private CurrentActor Actor { get; set; } = null!;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    [Inject]
    private Toasts Toasts { get; set; } = null!;

    [Inject]
    private Dialogs Dialogs { get; set; } = null!;

    public void Dispose() => subscription?.Dispose();

    protected override async Task OnInitializedAsync()
    {
        // A browser may send any event: hiding the page is no protection.
        if (!Actor.Value.IsAdministrator)
        {
            return;
        }

        await LoadAsync();
        subscription = Notifications.Subscribe(WorkflowStore.LogChannel, (_, _) => InvokeAsync(async () =>
        {
            await LoadAsync();
            StateHasChanged();
        }));
    }

    private async Task LoadAsync()
    {
        definitions = await Store.ListAsync();
        published = await Store.PublishedAsync();
        (runs, count) = await Runs.ListAsync(filter, Math.Max(runs.Length, Page));
        if (opened is { } id)
        {
            journal = await Runs.JournalAsync(id);
        }
    }

    private async Task FilterAsync(RunFilter wanted)
    {
        (filter, runs) = (wanted, []);
        await LoadAsync();
    }

    private async Task MoreAsync() => runs = [.. runs, .. (await Runs.ListAsync(filter, Page, runs.Length)).Runs];

    private async Task OpenAsync(WorkflowInstance run)
    {
        opened = opened == run.Id ? null : run.Id;
        journal = [];
        await LoadAsync();
    }

    private async Task PublishAsync(WorkflowDefinition definition)
    {
        if (!Actor.Value.IsAdministrator)
        {
            return;
        }

        var saved = await Store.PublishAsync(definition.DefinitionId);
        (problems, problemsOf) = (saved.Problems, saved.Problems.IsEmpty ? null : definition.Id);
        if (saved.Problems.IsEmpty)
        {
            Toasts.Success(WorkflowTexts.Of("PublishedToast", definition.Name));
        }

        await LoadAsync();
    }

    private async Task RetractAsync(WorkflowDefinition definition)
    {
        if (Actor.Value.IsAdministrator)
        {
            await Store.RetractAsync(definition.DefinitionId);
            Toasts.Success(WorkflowTexts.Of("RetractedToast", definition.Name));
            await LoadAsync();
        }
    }

    private async Task RemoveAsync(WorkflowDefinition definition)
    {
        if (Actor.Value.IsAdministrator && await Dialogs.ConfirmAsync(new Confirmation(WorkflowTexts.Of("RemoveTitle", definition.Name), WorkflowTexts.Of("RemoveText"), WorkflowTexts.Of("Remove"))))
        {
            await Store.DeleteAsync(definition.DefinitionId);
            Toasts.Success(WorkflowTexts.Of("Removed", definition.Name));
            await LoadAsync();
        }
    }

    private async Task RetryAsync(WorkflowInstance run)
    {
        if (Actor.Value.IsAdministrator && await Runs.RetryAsync(run.Id, Actor.Value))
        {
            Toasts.Success(WorkflowTexts.Of("Retried", run.Name));
            await LoadAsync();
        }
    }

    private async Task CancelAsync(WorkflowInstance run)
    {
        if (Actor.Value.IsAdministrator
            && await Dialogs.ConfirmAsync(new Confirmation(WorkflowTexts.Of("StopTitle", run.Name), WorkflowTexts.Of("StopText"), WorkflowTexts.Of("Stop")))
            && await Runs.CancelAsync(run.Id, Actor.Value))
        {
            Toasts.Success(WorkflowTexts.Of("Stopped", run.Name));
            await LoadAsync();
        }
    }

    private string About(WorkflowDefinition definition)
    {
        var about = definition.Entity is { } entity ? WorkflowTexts.Of("About", Label(entity)) : WorkflowTexts.Of("AboutNothing");
        return definition.Description is { Length: > 0 } text ? about + " · " + text : about;
    }

    private string Label(string entity) => Metadata.Current.TryEntity(entity, out var found) ? found.Label : entity;

    private string When(WorkflowInstance run)
    {
        var when = WorkflowTexts.Of("Version", run.Version) + " · " + Display.Format(run.CreatedAt);
        return run is { Status: "suspended", DueAt: { } due } ? when + " · " + WorkflowTexts.Of("DueAt", Display.Format(due)) : when;
    }

    private static string? Given(ChangeEventArgs change) => change.Value is string { Length: > 0 } value ? value : null;

    private static string Badge(string status) => status switch
    {
        "finished" => "badge badge-dot badge-success",
        "faulted" => "badge badge-dot badge-danger",
        "cancelled" => "badge badge-dot",
        _ => "badge badge-dot badge-info",
    };
}
