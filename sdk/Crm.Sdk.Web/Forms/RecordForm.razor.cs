using System.Data.Common;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Crm.Sdk.Web.Forms;

/// <summary>Edits one record.</summary>
public sealed partial class RecordForm : ComponentBase, IAsyncDisposable
{
    // Whoever is overtaken more often than this is told.
    private const int Retries = 3;

    private DotNetObjectReference<RecordForm>? self;
    private FormBrowser? browser;
    private bool isGone;
    private FormModel? attached;
    private FormLayout layout = new([]);
    private ElementReference root;
    private string? failure;
    private bool restored;
    private bool isDraftDue;
    private bool isReady;
    private string? focusDue;
    private bool acceptsDuplicates;

    /// <summary>What is edited. Another model starts the form anew.</summary>
    [Parameter, EditorRequired]
    public FormModel Form { get; set; } = null!;

    /// <summary>Under which name the browser keeps what was typed; the address of the page.</summary>
    [Parameter, EditorRequired]
    public string DraftKey { get; set; } = "";

    /// <summary>Told of a keyboard shortcut: <c>save</c>, <c>save-close</c>, <c>save-new</c> or <c>back</c>.</summary>
    [Parameter]
    public EventCallback<string> Command { get; set; }

    /// <summary>Told after a conflict was resolved and saved.</summary>
    [Parameter]
    public EventCallback Saved { get; set; }

    /// <summary>Told after anything in the form changed.</summary>
    [Parameter]
    public EventCallback Changed { get; set; }

    /// <summary>Whether a save is under way.</summary>
    public bool IsSaving { get; private set; }

    [Inject]
    private IRecordService Records { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    /// <summary>Saves what was typed, up to the last key. A second call while one is under way does nothing.</summary>
    /// <returns>Whether everything typed is stored now.</returns>
    public async Task<bool> SaveAsync()
    {
        if (IsSaving || Form.ReadOnlyReason is not null)
        {
            return false;
        }

        IsSaving = true;
        failure = null;
        await Changed.InvokeAsync();
        try
        {
            if (browser is not null)
            {
                Form.Take(await browser.CollectAsync());
            }

            if (!Form.IsNew && !Form.IsChanged)
            {
                return true;
            }

            if (Form.Disputes is { Count: > 0 } disputes)
            {
                Form.AskAboutDisputes();
                focusDue = layout.Fields.FirstOrDefault(f => disputes.Contains(f.Name))?.Name;
                return false;
            }

            news = null;

            return await SendAsync();
        }
        catch (Exception error) when (error is DbException or TimeoutException)
        {
            // Nobody knows whether it was stored; saying so and keeping what was typed is all that is honest.
            failure = FormTexts.Text("NoAnswer");
            return false;
        }
        finally
        {
            IsSaving = false;
            LookAgain();
            StateHasChanged();
            await Changed.InvokeAsync();
        }
    }

    /// <summary>Deletes the record; errors are shown in the form.</summary>
    public async Task<bool> DeleteAsync()
    {
        if (IsSaving || Form.Stored is not { } stored)
        {
            return false;
        }

        IsSaving = true;
        try
        {
            var result = await Records.SaveAsync(RecordChange.Delete(stored.Entity, stored.Id, stored.Version) with { Source = "form" });
            if (result.Succeeded)
            {
                await ForgetDraftAsync();
            }
            else
            {
                await TakeAsync(result);
            }

            return result.Succeeded;
        }
        finally
        {
            IsSaving = false;
            LookAgain();
            StateHasChanged();
        }
    }

    /// <summary>Forgets what was typed, here and in the browser.</summary>
    public async Task DiscardAsync()
    {
        restored = false;
        Form.Discard();
        await ForgetDraftAsync();
    }

    /// <summary>Takes what was typed but not left yet, so that <see cref="FormModel.IsChanged"/> tells the truth.</summary>
    public async Task CollectAsync()
    {
        if (browser is not null)
        {
            Form.Take(await browser.CollectAsync());
        }
    }

    /// <summary>Called by the browser.</summary>
    [JSInvokable]
    public Task Shortcut(string name) => Command.InvokeAsync(name);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (attached is not null)
        {
            attached.Changed -= OnChanged;
        }

        isGone = true;
        live?.Dispose();
        self?.Dispose();
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    protected override void OnParametersSet()
    {
        if (ReferenceEquals(attached, Form))
        {
            return;
        }

        if (attached is not null)
        {
            attached.Changed -= OnChanged;
        }

        attached = Form;
        attached.Changed += OnChanged;
        FollowOthers();
        attached.Expressions ??= EntityExpressions.Of(Metadata.Current, Form.Entity);
        layout = FormLayout.Of(Form.Entity);
        (failure, restored) = (null, false);
    }

    /// <inheritdoc/>
    protected override Task OnParametersSetAsync() => Form.LookUpAsync(Records);

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            var started = new FormBrowser(Script);
            try
            {
                await StartAsync(started);
            }
            catch (Exception problem) when (isGone && problem is ObjectDisposedException or JSException)
            {
                // The user went on to another page while the browser was being asked.
                await started.DisposeAsync();
            }

            return;
        }

        if (browser is null)
        {
            return;
        }

        if (isDraftDue)
        {
            isDraftDue = false;
            await browser.StoreDraftAsync(Form.DraftVersion);
        }

        if (focusDue is { } field)
        {
            focusDue = null;
            await browser.FocusAsync(field);
        }
    }

    private async Task StartAsync(FormBrowser started)
    {
        self = DotNetObjectReference.Create(this);
        await started.AttachAsync(root, self, DraftKey, Form.Stored?.Version ?? 0);
        browser = started;
        if (await browser.ReadDraftAsync() is { } draft && Form.ReadOnlyReason is null && Form.Restore(draft))
        {
            restored = true;
            await LearnTitlesAsync(Form);
        }
        else if (Form.IsNew)
        {
            await browser.FocusFirstAsync();
        }

        isReady = true;
        StateHasChanged();
    }

    private static string Describe(ValidationError error) => error.Code switch
    {
        ErrorCodes.NotFound => FormTexts.Text("Gone"),
        _ => error.Message,
    };

    private async Task<bool> SendAsync()
    {
        var accepts = acceptsDuplicates;
        acceptsDuplicates = false;
        var isStored = await SendAsync(accepts);
        for (var again = 0; again < Retries && Form.Conflict is { Fields.IsEmpty: true } other; again++)
        {
            // Somebody else saved a moment ago, but other fields: both are meant.
            news = News(Form, other.Theirs, [.. other.OnlyTheirs.Select(Form.Entity.Field)]);
            Form.Resolve(new HashSet<string>(StringComparer.Ordinal));
            isStored = await SendAsync(accepts);
        }

        return isStored;
    }

    private async Task<bool> SendAsync(bool accepts)
    {
        var change = Form.ToChange() with { AsksAboutDuplicates = !accepts };
        SaveResult result;
        if (Form.IsReadable)
        {
            result = await Records.SaveAsync(change);
        }
        else
        {
            // What cannot be read is not sent; a dry run finds everything else there is to correct, so that it is told at once.
            var verdict = (await Records.SaveManyAsync([change], new SaveOptions(DryRun: true)))[0];
            result = verdict with { Record = null, Errors = [.. verdict.Errors, new ValidationError(null, ErrorCodes.Type, FormTexts.Text("Unreadable"))] };
        }

        if (result.Succeeded)
        {
            restored = false;
        }

        await TakeAsync(result);
        if (browser is not null && result.Succeeded)
        {
            await browser.ClearDraftAsync();
        }

        return result.Succeeded;
    }

    private async Task TakeAsync(SaveResult result)
    {
        Form.Accept(result);
        await LearnTitlesAsync(Form);
        await Form.Titles.LearnAsync(Records, Metadata.Current, Form.RecordErrors.SelectMany(e => e.Records).Select(r => ((string?)r.Entity, (object?)r.Id)));
        if (Form.Conflict is { } conflict)
        {
            await Form.Titles.LearnAsync(Records, Metadata.Current, Form.Entity, name => conflict.Theirs[name]);
        }

        focusDue = layout.Fields.FirstOrDefault(f => Form.Error(f.Name) is not null)?.Name;
    }

    private async Task ResolveAsync(IReadOnlySet<string> keepMine)
    {
        Form.Resolve(keepMine);
        restored = false;
        if (await SaveAsync())
        {
            await Saved.InvokeAsync();
        }
    }

    // Whoever holds the form saves, so that what follows a save follows this one too.
    private Task SaveAnywayAsync()
    {
        acceptsDuplicates = true;
        return Command.InvokeAsync("save");
    }

    // A move of an untouched record is a decision of its own; with other changes open it waits for their save.
    private async Task StageMovedAsync()
    {
        if (!Form.IsNew && Form.ChangedFields.Count() == 1 && await SaveAsync())
        {
            await Saved.InvokeAsync();
        }
    }

    private async Task ForgetDraftAsync()
    {
        if (browser is not null)
        {
            await browser.ClearDraftAsync();
        }
    }

    private Task LearnTitlesAsync(FormModel form) =>
        form.Titles.LearnAsync(Records, Metadata.Current, form.Entity, name => form[name]);

    private void OnChanged()
    {
        isDraftDue = true;
        _ = InvokeAsync(async () =>
        {
            StateHasChanged();
            await Changed.InvokeAsync();
            if (!isGone && await Form.LookUpAsync(Records))
            {
                StateHasChanged();
            }
        });
    }
}
