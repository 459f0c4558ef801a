using System.Collections.Immutable;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Host.Pages.Views;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Records.Bin;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Crm.Host.Pages;

/// <summary>The views of a list: those of the entity and those that users saved.</summary>
public sealed partial class ListPage
{
    private static readonly SavedViewList NoViews = new([], null);

    private SavedViewList? views;
    private string? viewsOf;
    private (SavedView View, bool IsNew)? naming;
    private ViewDefinition? choosing;

    [Inject] private SavedViews Saved { get; set; } = null!;

    [Inject] private CurrentActor Actor { get; set; } = null!;

    [Inject] private ODataModels Models { get; set; } = null!;

    [Inject] private RecycleBin Bin { get; set; } = null!;

    [Inject] private IJSRuntime Script { get; set; } = null!;

    [Inject] private Toasts Toasts { get; set; } = null!;

    // Fields that the saved view shown names and that are hidden or gone: whoever uses it can save it without them.
    private IEnumerable<LayoutHole> SavedHoles => !IsSafe && SavedShown(state.View ?? views?.Default) is { } view ? SavedViews.Holes(Metadata.Current, definition!, view.Definition) : [];

    private SavedView? SavedShown(string? name) => views?.Views.FirstOrDefault(v => v.Definition.Name == name);

    private async Task ReadViewsAsync()
    {
        if (definition is null)
        {
            return;
        }

        viewsOf = definition.Name;
        views = IsSafe ? NoViews : await Saved.ListAsync(definition.Name, Actor.Value);
    }

    private async Task DoAsync((ViewCommand Command, ViewDefinition Shown) wish)
    {
        var (command, shown) = wish;
        var known = SavedShown(shown.Name);
        switch (command)
        {
            case ViewCommand.Save:
                naming = (new SavedView(Guid.CreateVersion7(), definition!.Name, "", IsShared: false, Actor.Value.UserId, shown.Columns, shown.Filter, shown.Sort), true);
                break;
            case ViewCommand.Rename when known is not null:
                naming = (known, false);
                break;
            case ViewCommand.Columns:
                choosing = shown;
                break;
            case ViewCommand.Update when known is not null:
                await UpdateAsync(known, shown);
                break;
            case ViewCommand.Delete when known is not null:
                await DeleteAsync(known);
                break;
            case ViewCommand.MakeDefault:
            case ViewCommand.ForgetDefault:
                await Saved.SetDefaultAsync(definition!.Name, command == ViewCommand.MakeDefault ? shown.Name : null, Actor.Value);
                await ReadViewsAsync();
                Toasts.Success(command == ViewCommand.MakeDefault ? ViewTexts.Of("IsDefault", shown.Label) : ViewTexts.Of("NoDefault"));
                break;
        }
    }

    private async Task<string?> NameAsync(SavedView view)
    {
        var errors = await Saved.SaveAsync(view, Actor.Value);
        if (!errors.IsEmpty)
        {
            return string.Join(' ', errors.Select(e => e.Message));
        }

        await ReadViewsAsync();
        if (naming?.IsNew == true)
        {
            Open(view);
        }

        Toasts.Success(ViewTexts.Of("Saved", view.Name));
        return null;
    }

    private async Task<string?> ChooseColumnsAsync(ViewDefinition view)
    {
        var errors = await Saved.SetColumnsAsync(definition!, view, Actor.Value);
        if (!errors.IsEmpty)
        {
            return string.Join(' ', errors.Select(e => e.Message));
        }

        await ReadViewsAsync();
        Toasts.Success(ViewTexts.Of(view.Columns.IsEmpty ? "ColumnsOwn" : "ColumnsChosen", view.Label));
        return null;
    }

    private async Task UpdateAsync(SavedView known, ViewDefinition shown)
    {
        var errors = await Saved.SaveAsync(known with { Columns = shown.Columns, Filter = shown.Filter, Sort = shown.Sort }, Actor.Value);
        if (!errors.IsEmpty)
        {
            Toasts.Error(string.Join(' ', errors.Select(e => e.Message)));
            return;
        }

        // They are the view's own now.
        await Saved.SetColumnsAsync(definition!, shown with { Columns = [] }, Actor.Value);
        await ReadViewsAsync();
        Open(known);
        Toasts.Undoable(ViewTexts.Of("Saved", known.Name), () => RestoreAsync(known));
    }

    private async Task DeleteAsync(SavedView known)
    {
        if (await Saved.DeleteAsync(known.Id, Actor.Value))
        {
            await ReadViewsAsync();
            Show(state with { View = null, Find = null, Sort = [], Page = 1 });
            Toasts.Undoable(ViewTexts.Of("Deleted", known.Name), () => RestoreAsync(known));
        }
    }

    private async Task<string?> BringBackAsync(ImmutableArray<Guid> ids)
    {
        var refused = (await Bin.RestoreAsync(Actor.Value, ids)).FirstOrDefault(v => !v.Errors.IsEmpty);
        return refused is null ? null : BinTexts.Of("NotRestored", refused.Title, string.Join(' ', refused.Errors.Select(e => e.Message)));
    }

    // What the list shows, as a program asks for it.
    private async Task CopyLinkAsync(RecordQuery query)
    {
        try
        {
            var link = Location.ToAbsoluteUri(new FilterText(Models.Current).Link(definition!, query)).AbsoluteUri;
            await Script.InvokeVoidAsync("navigator.clipboard.writeText", link);
            Toasts.Success(ViewTexts.Of("ApiLinkCopied"));
        }
        catch (ApiException refused)
        {
            Toasts.Error(refused.Message);
        }
        catch (JSException)
        {
            // Without a secure connection there is no clipboard.
            Toasts.Error(ViewTexts.Of("ApiLinkNotCopied"));
        }
    }

    // Called by a toast, which outlives the page.
    private Task RestoreAsync(SavedView known) => InvokeAsync(async () =>
    {
        await Saved.SaveAsync(known, Actor.Value);
        if (definition?.Name == known.Entity)
        {
            await ReadViewsAsync();
            StateHasChanged();
        }
    });

    private void Open(SavedView view) => Show(state with { View = view.Definition.Name, Find = null, Sort = [], Page = 1 });
}
