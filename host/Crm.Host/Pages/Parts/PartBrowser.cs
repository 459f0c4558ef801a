using Microsoft.JSInterop;

namespace Crm.Host.Pages.Parts;

/// <summary>The browser's side of a tab: a script of its own, which holds on to the tab's element. Says nothing once the page is gone.</summary>
internal sealed class PartBrowser(IJSRuntime script) : IAsyncDisposable
{
    private IJSObjectReference? module;
    private IJSObjectReference? attached;
    private bool isGone;

    /// <summary>Starts the script.</summary>
    /// <param name="file">Its address.</param>
    /// <param name="arguments">What it is told: the tab's element first.</param>
    /// <returns>False when the user went on to another page meanwhile.</returns>
    public async Task<bool> AttachAsync(string file, params object?[] arguments)
    {
        try
        {
            module = await script.InvokeAsync<IJSObjectReference>("import", file);
            attached = await module.InvokeAsync<IJSObjectReference>("attach", arguments);
        }
        catch (Exception left) when (isGone && left is JSException or ObjectDisposedException or JSDisconnectedException or OperationCanceledException)
        {
            // The user went on to another page while the browser was being asked.
        }

        return attached is not null && !isGone;
    }

    public ValueTask<T> AskAsync<T>(string name) => attached!.InvokeAsync<T>(name);

    /// <summary>Tells the script something.</summary>
    /// <returns>False when the page has no connection, at the moment or for good: nobody heard it.</returns>
    public async Task<bool> TellAsync(string name, params object?[] arguments)
    {
        try
        {
            if (attached is not null)
            {
                await attached.InvokeVoidAsync(name, arguments);
            }

            return attached is not null;
        }
        catch (Exception left) when (left is JSDisconnectedException or OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        isGone = true;
        await TellAsync("dispose");
        try
        {
            foreach (var held in new[] { attached, module })
            {
                if (held is not null)
                {
                    await held.DisposeAsync();
                }
            }
        }
        catch (Exception left) when (left is JSDisconnectedException or OperationCanceledException)
        {
            // As above.
        }
    }
}
