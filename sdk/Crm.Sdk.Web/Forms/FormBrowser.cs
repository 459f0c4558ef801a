using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Crm.Sdk.Web.Forms;

/// <summary>The browser's side of one form: drafts, shortcuts, focus. Calls answer nothing once the page is gone.</summary>
internal sealed class FormBrowser(IJSRuntime script) : IAsyncDisposable
{
    private IJSObjectReference? module;
    private IJSObjectReference? form;

    public async Task AttachAsync<T>(ElementReference root, DotNetObjectReference<T> owner, string key, long version)
        where T : class
    {
        module = await ImportAsync(script);
        form = await module.InvokeAsync<IJSObjectReference>("attach", root, owner, key, version);
    }

    public static ValueTask<IJSObjectReference> ImportAsync(IJSRuntime script) =>
        script.InvokeAsync<IJSObjectReference>("import", "./_content/Crm.Sdk.Web/crm-forms.js");

    public async Task<FormDraft?> ReadDraftAsync()
    {
        var kept = form is null ? null : await form.InvokeAsync<Kept?>("read");
        return kept is null ? null : new FormDraft(kept.Version, Texts(kept.Fields));
    }

    /// <summary>What the inputs hold and the server does not know yet.</summary>
    public async Task<IReadOnlyDictionary<string, ImmutableDictionary<string, string>>> CollectAsync() =>
        form is null
            ? ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty
            : Texts(await form.InvokeAsync<Dictionary<string, Dictionary<string, string>>>("collect"));

    public ValueTask StoreDraftAsync(long version) => form?.InvokeVoidAsync("restart", version) ?? ValueTask.CompletedTask;

    public ValueTask ClearDraftAsync() => form?.InvokeVoidAsync("clear") ?? ValueTask.CompletedTask;

    public ValueTask FocusAsync(string field) => form?.InvokeVoidAsync("focus", field) ?? ValueTask.CompletedTask;

    public ValueTask FocusFirstAsync() => form?.InvokeVoidAsync("focusFirst") ?? ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (form is not null)
            {
                await form.InvokeVoidAsync("dispose");
                await form.DisposeAsync();
            }

            if (module is not null)
            {
                await module.DisposeAsync();
            }
        }
        catch (Exception problem) when (problem is JSDisconnectedException or OperationCanceledException)
        {
            // The page went with its connection; there is nothing left to take down.
        }
    }

    private static ImmutableDictionary<string, ImmutableDictionary<string, string>> Texts(Dictionary<string, Dictionary<string, string>>? fields) =>
        fields?.ToImmutableDictionary(f => f.Key, f => f.Value.ToImmutableDictionary(StringComparer.Ordinal), StringComparer.Ordinal)
        ?? ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty;

    private sealed record Kept(long Version, Dictionary<string, Dictionary<string, string>> Fields);
}
