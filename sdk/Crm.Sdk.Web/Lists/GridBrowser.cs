using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Crm.Sdk.Web;

/// <summary>The browser's side of editing in a list: which cell is meant, keys, focus. Calls answer nothing once the page is gone.</summary>
internal sealed class GridBrowser(IJSRuntime script, RecordGrid grid) : IAsyncDisposable
{
    private readonly TaskCompletionSource<IJSObjectReference?> attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DotNetObjectReference<GridBrowser>? self;
    private IJSObjectReference? module;

    public async Task AttachAsync(ElementReference root)
    {
        self = DotNetObjectReference.Create(this);
        try
        {
            module = await script.InvokeAsync<IJSObjectReference>("import", "./_content/Crm.Sdk.Web/crm-grid.js");
            attached.SetResult(await module.InvokeAsync<IJSObjectReference>("attach", root, self));
        }
        catch (Exception problem) when (problem is JSDisconnectedException or JSException or OperationCanceledException or ObjectDisposedException)
        {
            // The user went on to another page while the browser was being asked.
            attached.SetResult(null);
        }
    }

    /// <summary>Called by the browser: a cell is to be edited.</summary>
    [JSInvokable]
    public Task Edit(Guid id, string path) => grid.EditCellAsync(id, path);

    /// <summary>Called by the browser: a key ends the editing of a cell.</summary>
    [JSInvokable]
    public Task Key(string name, Dictionary<string, Dictionary<string, string>> typed) =>
        grid.LeaveCellAsync(name, typed.ToDictionary(f => f.Key, f => f.Value.ToImmutableDictionary(StringComparer.Ordinal), StringComparer.Ordinal));

    /// <summary>Called by the browser: the last change is to be taken back.</summary>
    [JSInvokable]
    public Task Undo() => grid.UndoCellAsync();

    public Task FocusEditorAsync() => CallAsync("focusEditor");

    public Task FocusCellAsync(Guid id, string path) => CallAsync("focusCell", id, path);

    /// <summary>Rows changed because of others: the focus and what was ticked stay.</summary>
    public Task FollowAsync() => CallAsync("follow");

    public async ValueTask DisposeAsync()
    {
        self?.Dispose();
        await CallAsync("dispose");
        if (module is not null)
        {
            try
            {
                await module.DisposeAsync();
            }
            catch (Exception problem) when (problem is JSDisconnectedException or OperationCanceledException)
            {
                // The page went with its connection; there is nothing left to take down.
            }
        }
    }

    private async Task CallAsync(string name, params object?[] arguments)
    {
        try
        {
            if (self is not null && await attached.Task is { } page)
            {
                await page.InvokeVoidAsync(name, arguments);
            }
        }
        catch (Exception problem) when (problem is JSDisconnectedException or OperationCanceledException)
        {
            // As above.
        }
    }
}
