using System.Data.Common;
using Crm.Records;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Pages.Parts;

/// <summary>One note as the page shows it.</summary>
internal sealed class Note(Record record)
{
    /// <summary>As it is stored.</summary>
    public Record Record { get; set; } = record;

    public Guid Id => Record.Id;

    public string Text => Record.Get<string>("text") ?? "";

    public bool IsPinned => Record.Get<bool?>("is_pinned") == true;

    public bool IsEditing { get; set; }

    /// <summary>What the editor starts with; another text than the stored one when a draft was found.</summary>
    public string Start { get; set; } = "";

    /// <summary>Why it was not saved.</summary>
    public string? Problem { get; set; }

    /// <summary>What somebody wanted it to say while somebody else had changed it.</summary>
    public string? Mine { get; set; }
}

/// <summary>The notes of one record: pinned ones first, then the newest, page by page.</summary>
/// <param name="records">The door, as whoever reads.</param>
/// <param name="metadata">The definitions as they see them.</param>
/// <param name="about">The record.</param>
internal sealed class NoteList(IRecordService records, IMetadata metadata, RecordRef about)
{
    /// <summary>The entity.</summary>
    public const string Entity = "note";

    private readonly List<Note> items = [];
    private string? next;
    private RecordChange? unanswered;

    public IReadOnlyList<Note> Items => items;

    public bool HasMore => next is not null;

    /// <summary>Who wrote them, by id.</summary>
    public RecordTitles Authors { get; } = new();

    /// <summary>Reads the first notes, or those that follow.</summary>
    public async Task ReadAsync(CancellationToken ct = default)
    {
        var page = await records.QueryAsync(PartRecords.Query(Entity, about, [new Sort("is_pinned", Descending: true), new Sort("created_at", Descending: true)], next), ct);
        next = page.Next;
        items.AddRange(page.Records.Where(r => items.TrueForAll(n => n.Id != r.Id)).Select(r => new Note(r)));
        await LearnAsync(page.Records, ct);
    }

    /// <summary>Finds a note, also one that is not shown yet; null when there is none.</summary>
    public async Task<Note?> FindAsync(Guid id, CancellationToken ct = default)
    {
        if (items.Find(n => n.Id == id) is { } shown)
        {
            return shown;
        }

        if (await records.FindAsync(Entity, id, ct) is not { } record || !about.Equals(record["about"]))
        {
            return null;
        }

        await LearnAsync([record], ct);
        return Place(new Note(record));
    }

    /// <summary>Writes a new note.</summary>
    /// <returns>The note, or why there is none.</returns>
    public async Task<(Note? Note, string? Problem)> AddAsync(string text, CancellationToken ct = default)
    {
        // Written again after an answer that never came, it has the same id: it is there once, whatever became of the first time.
        var change = RecordChange.Create(Entity, new Dictionary<string, object?>(StringComparer.Ordinal) { ["about"] = about, ["text"] = text });
        change = (unanswered is null ? change : change with { Id = unanswered.Id }) with { Source = "form" };
        var (record, problem) = unanswered is not null && await records.FindAsync(Entity, change.Id, ct) is { } stored ? (stored, null) : await SaveAsync(change, ct);
        unanswered = record is null && problem is null ? change : null;
        if (record is null)
        {
            return (null, problem ?? PartTexts.Of("NoAnswer"));
        }

        await LearnAsync([record], ct);
        return (Place(new Note(record)), null);
    }

    /// <summary>Gives a note another text, unless somebody else did meanwhile.</summary>
    /// <returns>Whether it has that text now.</returns>
    public async Task<bool> WriteAsync(Note note, string text, CancellationToken ct = default)
    {
        var result = await TryAsync(RecordChange.Update(Entity, note.Id, new Dictionary<string, object?>(StringComparer.Ordinal) { ["text"] = text }, note.Record.Version), ct);
        note.Problem = result is null ? PartTexts.Of("NoAnswer") : ProblemOf(result);
        if (result?.Stored is { } theirs)
        {
            (note.Record, note.Mine, note.IsEditing) = (theirs, text, false);
            await LearnAsync([theirs], ct);
        }
        else if (result?.Record is { } saved)
        {
            (note.Record, note.Mine) = (saved, null);
        }

        return result?.Succeeded == true;
    }

    /// <summary>Puts a note on top, or back into its place.</summary>
    public async Task PinAsync(Note note, CancellationToken ct = default)
    {
        // Whoever changed the text meanwhile is not in the way of that.
        var (record, problem) = await SaveAsync(RecordChange.Update(Entity, note.Id, new Dictionary<string, object?>(StringComparer.Ordinal) { ["is_pinned"] = !note.IsPinned }), ct);
        note.Problem = record is null ? problem ?? PartTexts.Of("NoAnswer") : null;
        if (record is not null)
        {
            note.Record = record;
            Place(note);
        }
    }

    /// <summary>Deletes a note; it is in the recycle bin.</summary>
    /// <returns>Whether it is gone.</returns>
    public async Task<bool> DeleteAsync(Note note, CancellationToken ct = default)
    {
        var result = await TryAsync(RecordChange.Delete(Entity, note.Id), ct);
        note.Problem = result is null ? PartTexts.Of("NoAnswer") : result.Errors.Any(e => e.Code == ErrorCodes.NotFound) ? null : ProblemOf(result);
        if (note.Problem is null)
        {
            items.Remove(note);
        }

        return note.Problem is null;
    }

    private static string? ProblemOf(SaveResult result) => result.Succeeded ? null : string.Join(' ', result.Errors.Select(e => e.Message));

    private async Task<(Record? Record, string? Problem)> SaveAsync(RecordChange change, CancellationToken ct) =>
        await TryAsync(change, ct) is { } result ? (result.Record, ProblemOf(result)) : (null, null);

    /// <summary>Null when nobody knows whether it was saved.</summary>
    private async Task<SaveResult?> TryAsync(RecordChange change, CancellationToken ct)
    {
        try
        {
            return await records.SaveAsync(change with { Source = "form" }, ct);
        }
        catch (Exception problem) when (problem is DbException or TimeoutException or UnknownOutcomeException)
        {
            return null;
        }
    }

    private Note Place(Note note)
    {
        items.Remove(note);
        var place = items.FindIndex(n => n.IsPinned == note.IsPinned ? n.Record.Get<DateTimeOffset>("created_at") <= note.Record.Get<DateTimeOffset>("created_at") : note.IsPinned);
        items.Insert(place < 0 ? items.Count : place, note);
        return note;
    }

    private Task LearnAsync(IEnumerable<Record> notes, CancellationToken ct) =>
        Authors.LearnAsync(records, metadata.Current, notes.SelectMany(n => new[] { n["created_by"], n["modified_by"] }).Select(id => ((string?)"user", id)), ct);
}
