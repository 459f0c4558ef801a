using System.Collections.Immutable;
using System.Text.Json;
using Crm.Host.Security;
using Crm.Metadata;
using Microsoft.JSInterop;

namespace Crm.Host.Pages.Designer;

/// <summary>Plans and applies what a page of the designer wants changed, and keeps the drafts in the browser until then.</summary>
internal sealed class DesignerSession(MetadataEditor editor, CurrentActor actor, IJSRuntime script)
{
    /// <summary>The plan under review; null when none is.</summary>
    public ChangePlan? Plan { get; private set; }

    /// <summary>Why applying the plan did not work.</summary>
    public ImmutableArray<PlanMessage> Failures { get; private set; } = [];

    public bool IsBusy { get; private set; }

    /// <summary>What the last plan found wrong, by place.</summary>
    public PlanErrors Errors => Plan is null ? PlanErrors.None : new PlanErrors(Plan.Errors);

    /// <summary>Whether what was applied last comes into force later, when a big table is prepared for it.</summary>
    public bool IsPreparing { get; private set; }

    /// <summary>Whether the review is open.</summary>
    public bool IsReviewing { get; private set; }

    /// <summary>Makes a plan. One with errors is not opened: they are shown where they are to be corrected.</summary>
    public async Task ReviewAsync(IReadOnlyList<MetadataChange> changes, CancellationToken ct = default)
    {
        if (IsBusy)
        {
            return;
        }

        IsBusy = true;
        try
        {
            Failures = [];
            Plan = await editor.PlanAsync(changes, actor.Value, ct);
            IsReviewing = Plan.CanApply;
        }
        finally
        {
            IsBusy = false;
        }
    }

    public void Close()
    {
        IsReviewing = false;
        Plan = null;
    }

    /// <summary>Applies the plan under review.</summary>
    /// <param name="options">What was typed beside it.</param>
    /// <param name="ct">Stops before the commit.</param>
    /// <returns>Whether it was applied.</returns>
    public async Task<bool> ApplyAsync(ApplyOptions options, CancellationToken ct = default)
    {
        if (IsBusy || Plan is not { } plan)
        {
            return false;
        }

        IsBusy = true;
        try
        {
            var result = await editor.ApplyAsync(plan.Id, actor.Value, options, ct);
            Failures = result.Errors;
            IsPreparing = result.Step is not null;
            if (result.Succeeded)
            {
                Close();
            }

            return result.Succeeded;
        }
        finally
        {
            IsBusy = false;
        }
    }

    /// <summary>Keeps a draft in this tab of the browser.</summary>
    public ValueTask KeepAsync<T>(string name, T draft) => script.InvokeVoidAsync("sessionStorage.setItem", Key(name), JsonSerializer.Serialize(draft));

    /// <summary>The draft kept earlier; null when there is none that can be read.</summary>
    public async Task<T?> KeptAsync<T>(string name)
        where T : class
    {
        var json = await script.InvokeAsync<string?>("sessionStorage.getItem", Key(name));
        try
        {
            return json is null ? null : JsonSerializer.Deserialize<T>(json);
        }
        catch (JsonException)
        {
            // Kept by an earlier version of the page.
            return null;
        }
    }

    public ValueTask ForgetAsync(string name) => script.InvokeVoidAsync("sessionStorage.removeItem", Key(name));

    private static string Key(string name) => "crm-designer:" + name;
}
