using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>Cells edited in place.</summary>
public sealed partial class RecordGrid
{
    private readonly GridEditing editing;
    private readonly GridBrowser browser;
    private readonly Toasts toasts;
    private (Guid Row, string Path)? open;
    private (Guid Row, string Path)? shown;
    private Toast? told;
    private GridState? counted;
    private CellChange? offered;
    private Task turn = Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            await browser.AttachAsync(element);
        }

        // Rows that are no longer there are no longer chosen.
        if (counted != loaded && !isLoading)
        {
            var isFirst = counted is null;
            counted = loaded;
            await (isFirst ? ValueTask.CompletedTask : rows.RecountAsync(element));
        }

        if (isBehind && open is null)
        {
            isBehind = false;
            live.Repeat();
        }

        if (isFollowed)
        {
            isFollowed = false;
            await browser.FollowAsync();
        }

        if (shown != open)
        {
            var left = shown;
            shown = open;
            await (open is null ? browser.FocusCellAsync(left!.Value.Row, left.Value.Path) : browser.FocusEditorAsync());
        }
    }

    /// <summary>The user wants to edit a cell; the one edited now is stored first.</summary>
    internal Task EditCellAsync(Guid id, string path) => InTurnAsync(async () =>
    {
        if (open != (id, path) && await StoreAsync())
        {
            await BeginAsync(id, path);
        }
    });

    /// <summary>The user is done with the cell that is edited.</summary>
    internal Task LeaveCellAsync(string key, IReadOnlyDictionary<string, ImmutableDictionary<string, string>> typed) => InTurnAsync(async () =>
    {
        if (open is not { } cell || editing.Current is not { } edit)
        {
            return;
        }

        if (key == "cancel")
        {
            editing.Cancel();
            open = null;
            return;
        }

        edit.Form.Take(typed);
        if (await StoreAsync() && key is "next" or "previous" && Neighbour(cell, key == "next" ? 1 : -1) is { } next)
        {
            await BeginAsync(next.Row, next.Path);
        }
    });

    /// <summary>The user wants the last change back.</summary>
    internal Task UndoCellAsync() => InTurnAsync(UndoAsync);

    private Task LeaveCellAsync(string key) => LeaveCellAsync(key, ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty);

    private Task ResolveCellAsync(bool keepMine) => InTurnAsync(async () => await ShowStoredAsync(await editing.ResolveAsync(keepMine)));

    private Task EditRowAsync(Record record) =>
        Editable.FirstOrDefault() is { } first ? EditCellAsync(record.Id, first.Path) : Task.CompletedTask;

    private IEnumerable<GridColumn> Editable => CanWrite ? columns.Where(c => GridEditing.FieldOf(entity, c) is not null) : [];

    private async Task BeginAsync(Guid id, string path)
    {
        open = null;
        if (columns.FirstOrDefault(c => c.Path == path) is not { } column || page?.Records.Any(r => r.Id == id) != true)
        {
            return;
        }

        if (await editing.BeginAsync(entity, id, column) is { } reason)
        {
            Tell(new Toast(ToastKind.Info, reason));
        }
        else
        {
            open = (id, path);
        }
    }

    private async Task<bool> StoreAsync() => await ShowStoredAsync(await editing.SaveAsync());

    /// <summary>Shows what a save stored, and offers to take it back.</summary>
    private async Task<bool> ShowStoredAsync(bool isDone)
    {
        if (!isDone || open is not { } cell)
        {
            return isDone;
        }

        open = null;
        if (editing.Last is { } change && change != offered && change.Id == cell.Row)
        {
            offered = change;
            Tell(new Toast(ToastKind.Success, Texts.Of("CellChanged", change.Field.Label, change.Title), Texts.Of("Undo"), UndoCellAsync));
        }

        await ShowRowAsync(cell.Row);
        return true;
    }

    private async Task UndoAsync()
    {
        if (isDisposed || open is not null || await editing.UndoAsync() is not { } undone)
        {
            return;
        }

        var (change, refusal) = undone;
        Tell(refusal is null ? new Toast(ToastKind.Success, Texts.Of("CellUndone", change.Field.Label, change.Title)) : new Toast(ToastKind.Error, refusal));
        await ShowRowAsync(change.Id);
    }

    /// <summary>Reads a row again where it stands: it moves to its new place when the list is read the next time.</summary>
    private async Task ShowRowAsync(Guid id)
    {
        if (await loader.ReadRowAsync(State, id, CancellationToken.None) is { } now && page is not null)
        {
            // What others did may have been shown meanwhile.
            page = page with { Records = [.. page.Records.Select(r => r.Id == id && r.Version <= now.Version ? now : r)] };
        }
    }

    private (Guid Row, string Path)? Neighbour((Guid Row, string Path) cell, int step)
    {
        var paths = Editable.Select(c => c.Path).ToList();
        var rowIds = page?.Records.Select(r => r.Id).ToList() ?? [];
        var at = (rowIds.IndexOf(cell.Row) * paths.Count) + paths.IndexOf(cell.Path) + step;
        return at >= 0 && at < rowIds.Count * paths.Count ? (rowIds[at / paths.Count], paths[at % paths.Count]) : null;
    }

    // One message at a time: the button in it takes back the last change, not one of those before.
    private void Tell(Toast toast)
    {
        if (told is not null)
        {
            toasts.Dismiss(told);
        }

        told = toast;
        toasts.Show(toast);
    }

    // Keys come faster than the database answers; each waits for the one before.
    private Task InTurnAsync(Func<Task> work) => isDisposed ? Task.CompletedTask : InvokeAsync(() => turn = FollowAsync(turn, work));

    private async Task FollowAsync(Task before, Func<Task> work)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        await work();
        StateHasChanged();
    }
}
