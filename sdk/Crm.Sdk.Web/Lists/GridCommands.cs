using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.JSInterop;

namespace Crm.Sdk.Web;

/// <summary>What can be done to the rows of a list.</summary>
internal sealed class GridCommands(IServiceProvider services, Func<Task> reload, Func<Func<ImmutableArray<Guid>, Task<string?>>?> restore)
{
    private readonly IRecordService records = services.GetRequiredService<IRecordService>();
    private readonly Dialogs dialogs = services.GetRequiredService<Dialogs>();
    private readonly Toasts toasts = services.GetRequiredService<Toasts>();
    private readonly IJSRuntime browser = services.GetRequiredService<IJSRuntime>();
    private EntityDefinition entity = null!;
    private GridLoader loader = null!;

    public void Use(EntityDefinition definition, GridLoader reader) => (entity, loader) = (definition, reader);

    public async Task DeleteAsync(Record record)
    {
        var title = loader.TitleOf(record);
        if (!await dialogs.ConfirmAsync(new Confirmation(Texts.Of("DeleteTitle", title), Texts.Of("DeleteText"), Texts.Of("Delete"), IsDestructive: true)))
        {
            return;
        }

        var result = await records.SaveAsync(RecordChange.Delete(entity.Name, record.Id, record.Version) with { Source = "form" });
        if (result.Succeeded)
        {
            Deleted(Texts.Of("Deleted", title), [record.Id]);
        }
        else
        {
            toasts.Error(Texts.Of("NotDeleted", title, Reasons(result)));
        }

        await reload();
    }

    /// <summary>Activates or deactivates (PLT-35), with a way back.</summary>
    public async Task ActivateAsync(Record record)
    {
        var active = record.Get<bool>("is_active");
        if (await SetActiveAsync(record, !active))
        {
            toasts.Undoable(Texts.Of(active ? "Deactivated" : "Activated", loader.TitleOf(record)), () => SetActiveAsync(record, active));
        }
    }

    /// <summary>Whether everything the list finds was chosen, and otherwise which rows are ticked.</summary>
    public async Task<(bool All, ImmutableArray<Guid> Ids)> SelectedAsync(ElementReference grid)
    {
        var selected = await browser.InvokeAsync<Selected>("crm.selected", grid);
        return (selected.All, [.. selected.Ids]);
    }

    public async Task DeleteAsync(ElementReference grid, ImmutableArray<Guid> ids)
    {
        if (ids.IsEmpty || !await dialogs.ConfirmAsync(new Confirmation(Texts.Of("DeleteSelectedTitle", ids.Length), Texts.Of("DeleteSelectedText"), Texts.Of("Delete"), IsDestructive: true)))
        {
            return;
        }

        var changes = ids.Select(id => RecordChange.Delete(entity.Name, id) with { Source = "form" }).ToImmutableArray();
        var results = await records.SaveManyAsync(changes, new SaveOptions(AllOrNothing: false));
        var refused = results.Where(r => !r.Succeeded).ToList();
        if (refused.Count == 0)
        {
            Deleted(Texts.Of("DeletedSome", ids.Length), ids);
        }
        else
        {
            toasts.Error(Texts.Of("DeletedPartly", ids.Length - refused.Count, ids.Length, Reasons(refused[0])));
        }

        await ClearSelectionAsync(grid);
        await reload();
    }

    public ValueTask ClearSelectionAsync(ElementReference grid) => browser.InvokeVoidAsync("crm.clearSelection", grid);

    /// <summary>Forgets that everything was chosen, and counts the rows that are ticked.</summary>
    public ValueTask RecountAsync(ElementReference grid) => browser.InvokeVoidAsync("crm.recount", grid);

    private void Deleted(string text, ImmutableArray<Guid> ids)
    {
        if (restore() is not { } bringBack)
        {
            toasts.Success(text);
            return;
        }

        toasts.Undoable(text, async () =>
        {
            if (await bringBack(ids) is { } reason)
            {
                toasts.Error(reason);
            }

            await reload();
        });
    }

    private async Task<bool> SetActiveAsync(Record record, bool active)
    {
        var change = RecordChange.Update(entity.Name, record.Id, new Dictionary<string, object?>(StringComparer.Ordinal) { ["is_active"] = active }) with { Source = "form" };
        var result = await records.SaveAsync(change);
        if (!result.Succeeded)
        {
            toasts.Error(Reasons(result));
        }

        await reload();
        return result.Succeeded;
    }

    private static string Reasons(SaveResult result) => string.Join(' ', result.Errors.Select(e => e.Message));

    private sealed record Selected(bool All, Guid[] Ids);
}
