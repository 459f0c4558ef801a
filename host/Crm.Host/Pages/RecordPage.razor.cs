using System.Collections.Immutable;
using System.Web;
using Crm.Host.Api;
using Crm.Host.Modules;
using Crm.Host.Pages.Parts;
using Crm.Host.Security;
using Crm.Records;
using Crm.Records.Bin;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.Components.Web;

namespace Crm.Host.Pages;

/// <summary>One record: its form, what points to it, its history, and what modules add.</summary>
public sealed partial class RecordPage
{
    private readonly HashSet<string> visited = new(StringComparer.Ordinal);
    private EntityDefinition? entity;
    private FormModel? model;
    private RecordForm? form;
    private ImmutableArray<PagePanel> panels = [];
    private ImmutableArray<Tab> tabs = [];
    private string tab = "details";
    private string? missing;
    private Guid formKey;
    private string? opened;
    private bool isLeaving;
    private ShareMark mark;
    private int shared;

    /// <summary>Name of the entity.</summary>
    [Parameter, EditorRequired]
    public string Entity { get; set; } = "";

    /// <summary>Id of the record; null for a new one.</summary>
    [Parameter]
    public Guid? Id { get; set; }

    /// <summary>Whether the form is to be shown as it would be without being laid out.</summary>
    [SupplyParameterFromQuery(Name = SafeMode.Query)]
    private string? Safe { get; set; }

    /// <summary>Which tab is shown first; the form when there is no such tab.</summary>
    [SupplyParameterFromQuery(Name = "tab")]
    private string? Opened { get; set; }

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private IRecordService Records { get; set; } = null!;

    [Inject]
    private RecordSharing Sharing { get; set; } = null!;

    [Inject]
    private ModuleCatalogAccessor Modules { get; set; } = null!;

    [Inject]
    private CurrentActor Current { get; set; } = null!;

    [Inject]
    private FieldText FieldText { get; set; } = null!;

    [Inject]
    private NavigationManager Location { get; set; } = null!;

    [Inject]
    private Dialogs Dialogs { get; set; } = null!;

    [Inject]
    private RecycleBin Bin { get; set; } = null!;

    [Inject]
    private Toasts Toasts { get; set; } = null!;

    private string ListUrl => $"/e/{Entity}";

    private string DraftKey => $"/e/{Entity}/{(Id is { } id ? id.ToString() : "new")}";

    private bool IsBusy => form?.IsSaving == true;

    private string Title => model switch
    {
        { Stored: { } stored } => RecordTitles.Of(entity!, stored),
        _ => RecordTexts.Of("NewOf", entity?.Label),
    };

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        var address = new Uri(Location.Uri).PathAndQuery;
        if (opened == address)
        {
            return;
        }

        opened = address;
        await OpenAsync();
    }

    private async Task OpenAsync()
    {
        var snapshot = Metadata.Current;
        (missing, isLeaving, tab) = (null, false, "details");
        // Before anything is read: a tab chosen meanwhile stays chosen.
        visited.Clear();
        if (!snapshot.TryEntity(Entity, out entity) || entity.IsHidden)
        {
            entity = null;
            missing = RecordTexts.Of("MissingEntity", Entity);
            return;
        }

        if (Safe == "1")
        {
            entity = SafeMode.Of(entity);
        }

        var stored = Id is { } id ? await Records.FindAsync(entity.Name, id) : null;
        if (Id is not null && stored is null)
        {
            missing = RecordTexts.Of("MissingRecord", entity.Label);
            return;
        }

        var titles = new RecordTitles();
        var next = new FormModel(entity, stored, FieldText, stored is null ? Given() : null) { Titles = titles, ReadOnlyReason = ReadOnlyReason(entity) };
        await titles.LearnAsync(Records, snapshot, entity, name => next[name]);
        model = next;
        await MarkAsync();
        formKey = Guid.CreateVersion7();
        panels = [.. Modules.Current.Panels(entity.Name).Select((p, i) => new PagePanel($"panel{i}", p))];
        if (entity.Name == "user" && Current.Value.IsAdministrator)
        {
            panels = panels.Add(new PagePanel("sign-in", new PanelRegistration("user", RecordTexts.Of("SignIn"), typeof(RecordPageSignIn))));
        }

        tabs =
        [
            new Tab("details", RecordTexts.Of("Details")),
            .. new[] { NoteList.Entity, FileList.Entity }.Where(p => entity.Parts.Contains(p) && snapshot.TryEntity(p, out var part) && !part.IsHidden).Select(p => new Tab(p, snapshot.Entity(p).PluralLabel)),
            new Tab("related", RecordTexts.Of("Related")),
            .. panels.Select(p => new Tab(p.Name, p.Registration.Title)),
            new Tab("history", RecordTexts.Of("History")),
            new Tab("access", RecordTexts.Of("Access")),
        ];
        if (stored is not null && tabs.Any(t => t.Name == Opened))
        {
            Show(Opened!);
        }
    }

    private Task SharedAsync()
    {
        // The history says so too, and the record's version stays.
        shared++;
        return MarkAsync();
    }

    private async Task MarkAsync() => mark = model?.Stored is { } stored ? await Sharing.MarkAsync(stored.Id) : ShareMark.None;

    // Everything of the query that names a field prefills it, as in ?company={id}.
    private Dictionary<string, object?> Given()
    {
        var given = new Dictionary<string, object?>(StringComparer.Ordinal) { ["owner"] = Current.Value.UserId };
        var query = HttpUtility.ParseQueryString(new Uri(Location.Uri).Query);
        foreach (var name in query.AllKeys.OfType<string>())
        {
            given[name] = query[name];
        }

        return given;
    }

    private string? ReadOnlyReason(EntityDefinition definition)
    {
        if (!definition.Allows(Id is null ? AccessOperation.Create : AccessOperation.Write))
        {
            return RecordTexts.Of(definition.Name == "user" ? "UsersAreForAdministrators" : "MayNotChange", definition.PluralLabel);
        }

        if (definition.Origin is Origins.Custom or Origins.Platform)
        {
            return null;
        }

        var module = Modules.Current.Find(definition.Origin);
        return module?.Status == ModuleStatus.Running ? null : RecordTexts.Of("ModuleIsOff", module?.Info.Name ?? definition.Origin);
    }

    private async Task RunAsync(string command)
    {
        if (model is null || form is null || IsBusy)
        {
            return;
        }

        if (command == "back")
        {
            Location.NavigateTo(CloseUrl());
            return;
        }

        var wasNew = model.IsNew;
        if (!await form.SaveAsync())
        {
            return;
        }

        Toasts.Success(RecordTexts.Of("Saved", Title));
        isLeaving = true;
        switch (command)
        {
            case "save-close":
                Location.NavigateTo(CloseUrl());
                break;
            case "save-new":
                await StartNewAsync();
                break;
            default:
                isLeaving = false;
                if (wasNew)
                {
                    isLeaving = true;
                    Location.NavigateTo($"/e/{Entity}/{model.Id}{ReturnQuery()}", replace: true);
                }

                break;
        }
    }

    private async Task StartNewAsync()
    {
        var query = new Uri(Location.Uri).Query;
        var target = Id is null ? DraftKey + query : $"/e/{Entity}/new";
        if (Id is null)
        {
            await OpenAsync();
            StateHasChanged();
        }
        else
        {
            Location.NavigateTo(target);
        }
    }

    private Dictionary<string, object?> Parameters(PagePanel panel, Record record)
    {
        var parameters = new Dictionary<string, object?>(StringComparer.Ordinal) { ["Record"] = record };
        if (panel.Registration.Component == typeof(RecordPageSignIn))
        {
            parameters["Changed"] = EventCallback.Factory.Create<Record>(this, TakeChanged);
        }

        return parameters;
    }

    // What was typed meanwhile stays typed, on top of the newer version.
    private void TakeChanged(Record record) => model?.Continue(record);

    private void OnSaved() => Toasts.Success(RecordTexts.Of("Saved", Title));

    private async Task ToggleActiveAsync()
    {
        if (model is null || form is null || entity is null || !entity.TryField("is_active", out var field))
        {
            return;
        }

        var before = model.Before(field.Name);
        var activate = before is false;
        model.Set(field, activate);
        if (await form.SaveAsync())
        {
            Toasts.Success(RecordTexts.Of(activate ? "Activated" : "Deactivated", Title));
        }
        else
        {
            model.Set(field, before);
        }
    }

    private async Task DeleteAsync()
    {
        if (model is null || form is null || entity is null)
        {
            return;
        }

        var title = Title;
        var question = new Confirmation(RecordTexts.Of("DeleteTitle", title), RecordTexts.Of("DeleteText", entity.Label), RecordTexts.Of("Delete"), IsDestructive: true);
        if (!await Dialogs.ConfirmAsync(question))
        {
            return;
        }

        if (await form.DeleteAsync())
        {
            isLeaving = true;
            var (name, id) = (entity.Name, model.Id);
            Toasts.Undoable(RecordTexts.Of("Deleted", title), () => RestoreAsync(name, id, title));
            Location.NavigateTo(CloseUrl());
        }
        else
        {
            tab = "details";
        }
    }

    // Called by a toast, which outlives the page.
    private async Task RestoreAsync(string name, Guid id, string title)
    {
        var verdict = (await Bin.RestoreAsync(Current.Value, [id])).First(v => v.Id == id);
        if (verdict.Errors.IsEmpty)
        {
            Toasts.Success(BinTexts.Of("Restored", title));
            Location.NavigateTo($"/e/{name}/{id}");
        }
        else
        {
            Toasts.Error(BinTexts.Of("NotRestored", title, string.Join(' ', verdict.Errors.Select(e => e.Message))));
        }
    }

    private async Task GuardAsync(LocationChangingContext context)
    {
        if (isLeaving || model is null || form is null)
        {
            return;
        }

        await form.CollectAsync();
        if (!model.IsChanged)
        {
            return;
        }

        if (await Dialogs.ConfirmAsync(new Confirmation(RecordTexts.Of("LeaveTitle"), RecordTexts.Of("LeaveText", Title), RecordTexts.Of("Leave"), IsDestructive: true)))
        {
            isLeaving = true;
            await form.DiscardAsync();
        }
        else
        {
            context.PreventNavigation();
        }
    }

    // Back to the record or list the user came from; only ever a page of this product.
    private string CloseUrl() =>
        HttpUtility.ParseQueryString(new Uri(Location.Uri).Query)["return"] is { Length: > 1 } target && target[0] == '/' && target[1] is not ('/' or '\\') ? target : ListUrl;

    private string ReturnQuery() =>
        CloseUrl() is var close && close != ListUrl ? "?return=" + Uri.EscapeDataString(close) : "";

    private void Show(string name)
    {
        tab = name;
        visited.Add(name);
    }

    private async Task MoveTabAsync(Tab from, KeyboardEventArgs key)
    {
        var step = key.Key switch { "ArrowRight" => 1, "ArrowLeft" => -1, _ => 0 };
        if (step != 0)
        {
            var to = tabs[(tabs.IndexOf(from) + step + tabs.Length) % tabs.Length];
            Show(to.Name);
            await to.Element.FocusAsync();
        }
    }

    private sealed record PagePanel(string Name, PanelRegistration Registration);

    private sealed class Tab(string name, string label)
    {
        public string Name { get; } = name;

        public string Label { get; } = label;

        public ElementReference Element { get; set; }
    }
}
