using Crm.Sdk;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Pages.Parts;

/// <summary>The notes of a record: written, changed in place, pinned and deleted. Each is saved when its field is left.</summary>
public sealed partial class NotesPanel
{
    private const string New = "new";

    private const int ShortLength = 60;

    // One after the other: nothing that was typed is lost while something else is saved.
    private Task last = Task.CompletedTask;
    private NoteList? list;
    private ElementReference root;
    private PartBrowser? browser;
    private PartRights rights = new(false, false, false);
    private bool isGone;
    private string? problem;
    private string? said;

    // The new note saved last, and whether the browser heard of it and emptied its field.
    private string? added;
    private bool isHeard;

    /// <summary>Entity of the record.</summary>
    [Parameter, EditorRequired]
    public EntityDefinition Entity { get; set; } = null!;

    /// <summary>The record.</summary>
    [Parameter, EditorRequired]
    public Record Record { get; set; } = null!;

    private int MaxLength => Metadata.Current.Entity(NoteList.Entity).Field("text").MaxLength ?? 0;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        isGone = true;
        // A fault was told where it happened.
        await last.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        var about = new RecordRef(Entity.Name, Record.Id);
        rights = await PartRecords.RightsAsync(Explainer, Metadata, Current.Value, about, NoteList.Entity);
        var found = new NoteList(Records, Metadata, about);
        await found.ReadAsync();
        list = found;
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (list is null || browser is not null || isGone)
        {
            return;
        }

        browser = new PartBrowser(Script);
        if (await browser.AttachAsync("./crm-notes.js", root, $"{Entity.Name}/{Record.Id}"))
        {
            // Written and left before the script was there.
            if (added is not null)
            {
                isHeard = await ForgetAsync(New, added);
            }

            await RestoreDraftsAsync(await browser.AskAsync<Dictionary<string, Draft>>("read"));
        }
    }

    // The new note stands in its field again already: the browser put it there.
    private async Task RestoreDraftsAsync(Dictionary<string, Draft> drafts)
    {
        foreach (var (name, draft) in drafts)
        {
            if (!Guid.TryParse(name, out var id) || await list!.FindAsync(id) is not { } note)
            {
                continue;
            }

            if (note.Text == draft.Text)
            {
                // It was saved; only the answer did not come back.
                await ForgetAsync(name, draft.Text);
            }
            else if (note.Record.Version == draft.Version)
            {
                (note.IsEditing, note.Start) = (true, draft.Text);
            }
            else
            {
                note.Mine = draft.Text;
            }
        }

        said = drafts.Count > 0 ? PartTexts.Of("DraftsRestored") : null;
        StateHasChanged();
    }

    private Task AddAsync(ChangeEventArgs change) => AfterAsync(async () =>
    {
        if (change.Value is not string text || string.IsNullOrWhiteSpace(text))
        {
            await ForgetAsync(New, "");
            return;
        }

        // A page that lost its connection sends again what stands in the field, besides what the browser sent when it was left.
        if (text == added && !(isHeard && await IsTypedAnewAsync(text)))
        {
            isHeard = isHeard || await ForgetAsync(New, text);
            return;
        }

        said = PartTexts.Of("Saving");
        (var note, problem) = await list!.AddAsync(text);
        said = null;
        if (note is not null)
        {
            (added, isHeard) = (text, await ForgetAsync(New, text));
            said = PartTexts.Of("NoteSaved");
            Toasts.Undoable(PartTexts.Of("NoteSaved"), () => TakeBackAsync(note, () => list.DeleteAsync(note)));
        }
    });

    private async Task<bool> IsTypedAnewAsync(string text) =>
        (await browser!.AskAsync<Dictionary<string, Draft>>("read")).TryGetValue(New, out var draft) && draft.Text == text;

    private Task WriteAsync(Note note, ChangeEventArgs change) => change.Value is string text ? WriteAsync(note, text) : Task.CompletedTask;

    private Task WriteAsync(Note note, string text) => AfterAsync(async () =>
    {
        var before = note.Text;
        if (text.Trim() == before || !await list!.WriteAsync(note, text))
        {
            return;
        }

        note.IsEditing = false;
        await ForgetAsync(note.Id.ToString(), text);
        said = PartTexts.Of("NoteSaved");
        Toasts.Undoable(PartTexts.Of("NoteSaved"), () => TakeBackAsync(note, () => list.WriteAsync(note, before)));
    });

    private Task DeleteAsync(Note note) => AfterAsync(async () =>
    {
        if (await list!.DeleteAsync(note))
        {
            await ForgetAsync(note.Id.ToString(), "");
            said = PartTexts.Of("NoteDeleted");
            Toasts.Undoable(PartTexts.Of("NoteDeleted"), () => RestoreAsync(note.Id));
        }
    });

    private async Task TakeTheirsAsync(Note note)
    {
        (note.Mine, note.Problem) = (null, null);
        await ForgetAsync(note.Id.ToString(), "");
    }

    private static void Edit(Note note) => (note.IsEditing, note.Start, note.Problem) = (true, note.Text, null);

    // Left without a change; what was changed is being saved, and says itself when it is.
    private void Leave(Note note)
    {
        if (last.IsCompleted && note.Problem is null)
        {
            note.IsEditing = false;
        }
    }

    // Called by a toast, which outlives the panel.
    private Task TakeBackAsync(Note note, Func<Task<bool>> undo) => InvokeAsync(async () =>
    {
        if (!await undo() && note.Problem is { } refused)
        {
            Toasts.Error(refused);
        }

        Show();
    });

    // As above.
    private Task RestoreAsync(Guid id) => InvokeAsync(async () =>
    {
        if (await PartRecords.RestoreAsync(Bin, Current.Value, Toasts, id) && !isGone)
        {
            await list!.FindAsync(id);
        }

        Show();
    });

    private void Show()
    {
        if (!isGone)
        {
            StateHasChanged();
        }
    }

    private Task AfterAsync(Func<Task> work) => last = RunAsync(last, work);

    private static async Task RunAsync(Task earlier, Func<Task> work)
    {
        await earlier.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        await work();
    }

    private async Task<bool> ForgetAsync(string name, string saved) => browser is not null && await browser.TellAsync("forget", name, saved);

    private string Author(Note note, string field) => note.Record[field] is Guid id && list!.Authors[id] is { } name ? name : PartTexts.Of("Somebody");

    private string Initials(Note note) => string.Concat(Author(note, "created_by").Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2).Select(w => char.ToUpperInvariant(w[0])));

    private string Edited(Note note) => note.Record.Version == 1 || note.Record["modified_at"] is not DateTimeOffset at ? "" : ", " + PartTexts.Of("ChangedBy", Author(note, "modified_by"), Display.Format(at));

    private static string Short(Note note) => note.Text.Length > ShortLength ? note.Text[..ShortLength] + "…" : note.Text;

    private sealed record Draft(string Text, long Version);
}
