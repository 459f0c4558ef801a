using System.Collections.Frozen;
using System.Data.Common;
using Crm.Sdk.Web.Forms;

namespace Crm.Sdk.Web;

/// <summary>One cell of a list while it is edited.</summary>
/// <param name="Path">The column.</param>
/// <param name="Field">The field edited.</param>
/// <param name="Form">The record with what was typed, judged by the same rules as in its form.</param>
public sealed record CellEdit(string Path, FieldDefinition Field, FormModel Form)
{
    /// <summary>Why nobody knows whether it was stored; null when there was an answer.</summary>
    public string? Failure { get; internal set; }

    /// <summary>Reasons to refuse that lie in other fields than the one edited, or in the record as a whole.</summary>
    public IEnumerable<string> OtherErrors =>
        Form.Entity.Fields.Where(f => f.Name != Field.Name).Select(f => Form.Error(f.Name)).OfType<string>().Concat(Form.RecordErrors.Select(e => e.Message));
}

/// <summary>A change made in a list, which can be taken back.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Id">The record.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Field">The field changed.</param>
/// <param name="Before">Its value before.</param>
/// <param name="After">Its value after.</param>
public sealed record CellChange(EntityDefinition Entity, Guid Id, string Title, FieldDefinition Field, object? Before, object? After);

/// <summary>Edits single cells of a list: the same form model, rules and door as the record's own form, one field at a time.</summary>
/// <param name="records">Reads and writes for the user.</param>
/// <param name="metadata">Rules and formulas.</param>
/// <param name="text">The user's formats.</param>
/// <param name="clock">The clock of rules.</param>
public sealed class GridEditing(IRecordService records, IMetadata metadata, FieldText text, TimeProvider clock)
{
    // Further back than this nobody remembers what Ctrl+Z would take back.
    private const int Remembered = 20;

    // What needs more room or other means than a cell has; its cell opens the record.
    private static readonly FrozenSet<string> InFormOnly =
        new[] { "address", "addresses", "auto_number", "emails", "file", "geolocation", "image", "json", "key", "many_to_many", "phones", "rich_text", "urls" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly List<CellChange> done = [];

    /// <summary>The cell edited now; null for none.</summary>
    public CellEdit? Current { get; private set; }

    /// <summary>The change that <see cref="UndoAsync"/> would take back; null for none.</summary>
    public CellChange? Last => done.Count == 0 ? null : done[^1];

    /// <summary>The field a column edits; null when its values are changed in the form only, or are calculated, or belong to another record.</summary>
    public static FieldDefinition? FieldOf(EntityDefinition entity, GridColumn column)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(column);
        return entity.TryField(column.ReferencePath ?? column.Path, out var field)
            && field is { IsHidden: false, IsReadOnly: false }
            && (!field.IsSystem || field.Name is "owner" or "is_active")
            && !InFormOnly.Contains(field.Type.Name)
                ? field
                : null;
    }

    /// <summary>Begins to edit a cell, on the record as it is stored now.</summary>
    /// <returns>Why the cell cannot be edited; null when it is.</returns>
    public async Task<string?> BeginAsync(EntityDefinition entity, Guid id, GridColumn column, CancellationToken ct = default)
    {
        Current = null;
        if (FieldOf(entity, column) is not { } field)
        {
            return Texts.Of("CellNotEdited", column.Label);
        }

        var snapshot = metadata.Current;
        if (await records.FindAsync(entity.Name, id, ct) is not { } stored)
        {
            return FormTexts.Text("Gone");
        }

        var form = new FormModel(entity, stored, text) { Clock = clock, Expressions = EntityExpressions.Of(snapshot, entity) };
        await form.LookUpAsync(records, ct);
        if (form.WhyKept(field) is { } reason)
        {
            return reason;
        }

        await form.Titles.LearnAsync(records, snapshot, entity, name => name == field.Name ? stored[name] : null, ct);
        Current = new CellEdit(column.Path, field, form);
        return null;
    }

    /// <summary>Stores what was typed; nothing is sent when the value is the one that was there.</summary>
    /// <returns>Whether the cell is done: stored, or unchanged. Otherwise it stays open and says why.</returns>
    public async Task<bool> SaveAsync(CancellationToken ct = default)
    {
        if (Current is not { } cell)
        {
            return true;
        }

        var form = cell.Form;
        cell.Failure = null;
        if (!form.IsChanged)
        {
            Current = null;
            return true;
        }

        if (!form.IsReadable)
        {
            form.Accept(SaveResult.Refused(new ValidationError(cell.Field.Name, ErrorCodes.Type, FormTexts.Text("Unreadable"))));
            return false;
        }

        SaveResult result;
        try
        {
            result = await records.SaveAsync(form.ToChange(), ct);
        }
        catch (Exception error) when (error is DbException or TimeoutException)
        {
            cell.Failure = FormTexts.Text("NoAnswer");
            return false;
        }

        var before = form.Before(cell.Field.Name);
        form.Accept(result);
        if (!result.Succeeded)
        {
            if (form.Conflict is { } conflict)
            {
                await form.Titles.LearnAsync(records, metadata.Current, form.Entity, name => name is "modified_by" || name == cell.Field.Name ? conflict.Theirs[name] : null, ct);
            }

            return false;
        }

        Remember(new CellChange(form.Entity, form.Id, RecordTitles.Of(form.Entity, result.Record), cell.Field, before, result.Record[cell.Field.Name]));
        Current = null;
        return true;
    }

    /// <summary>Decides between two versions, after somebody else saved in between.</summary>
    /// <param name="keepMine">Whether what was typed is stored over the other's value.</param>
    /// <param name="ct">Gives up.</param>
    public Task<bool> ResolveAsync(bool keepMine, CancellationToken ct = default)
    {
        if (Current is { } cell)
        {
            cell.Form.Resolve(keepMine ? new HashSet<string>(StringComparer.Ordinal) { cell.Field.Name } : new HashSet<string>(StringComparer.Ordinal));
            if (!keepMine)
            {
                cell.Form.Discard();
            }
        }

        return SaveAsync(ct);
    }

    /// <summary>Forgets what was typed.</summary>
    public void Cancel() => Current = null;

    /// <summary>Takes the last change back, by a new one. A value that somebody changed again is left alone.</summary>
    /// <returns>The change and why it could not be taken back, null when it was; nothing when there is nothing to take back.</returns>
    public async Task<(CellChange Change, string? Refusal)?> UndoAsync(CancellationToken ct = default)
    {
        if (Last is not { } last)
        {
            return null;
        }

        done.RemoveAt(done.Count - 1);
        var stored = await records.FindAsync(last.Entity.Name, last.Id, ct);
        if (stored is null)
        {
            return (last, FormTexts.Text("Gone"));
        }

        if (!last.Field.Type.AreEqual(stored[last.Field.Name], last.After))
        {
            return (last, Texts.Of("CellChangedSince", last.Field.Label, last.Title));
        }

        var values = new Dictionary<string, object?>(StringComparer.Ordinal) { [last.Field.Name] = last.Before };
        var result = await records.SaveAsync(RecordChange.Update(last.Entity.Name, last.Id, values, stored.Version) with { Source = "form" }, ct);
        return (last, result.Succeeded ? null : string.Join(' ', result.Errors.Select(e => e.Message)));
    }

    private void Remember(CellChange change)
    {
        done.Add(change);
        if (done.Count > Remembered)
        {
            done.RemoveAt(0);
        }
    }
}
