using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>
/// Links of a record. What is stored is read here; what somebody adds, changes and removes is kept by the form as <see cref="LinkChanges"/>, so that saving it
/// takes nothing away that others linked meanwhile.
/// </summary>
public sealed partial class LinksEditor : FieldEditorComponent, IDisposable
{
    private const int MostShown = 50;

    private List<LinkRow> stored = [];
    private List<LinkRow> rows = [];
    private Record? readFor;
    private long count;
    private bool isRead;

    [Inject]
    private IRecordService Records { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    [Inject]
    private TimeProvider Clock { get; set; } = null!;

    private TypeAhead<FoundRecord> Search { get; } = new();

    private bool CanEdit => Form.CanEdit(Field);

    private string? Active => Search.Active >= 0 && Search.IsOpen ? $"{InputId}-option-{Search.Active}" : null;

    private LinkView View => Field.Link!;

    private EntityDefinition? LinkEntity => Metadata.Current.TryEntity(View.Entity, out var entity) && !entity.IsHidden ? entity : null;

    private EntityDefinition? Target => Metadata.Current.TryEntity(Field.Target ?? "", out var entity) ? entity : null;

    /// <summary>Fields of the link itself.</summary>
    private IEnumerable<FieldDefinition> OwnFields => LinkEntity is { } entity ? LinkRow.OwnFields(entity) : [];

    private LinkChanges Changes => Form[Field.Name] as LinkChanges ?? new LinkChanges([], [], IsComplete: false);

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        if (!isRead || !ReferenceEquals(readFor, Form.Stored))
        {
            readFor = Form.Stored;
            await ReadAsync();
            isRead = true;
        }

        await ShowAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => Search.Dispose();

    private async Task ReadAsync()
    {
        (stored, count) = ([], 0);
        if (Form.Stored is { } record && LinkEntity is { } links && Target is { } target)
        {
            var page = await Records.QueryAsync(new RecordQuery
            {
                Entity = links.Name,
                Select = [View.Far, .. target.TitleFields.Select(t => $"{View.Far}.{t}"), .. OwnFields.Select(f => f.Name)],
                Filter = Filter.Equal(View.Near, record.Id),
                Top = MostShown,
                Count = true,
            });
            count = page.Count ?? 0;
            stored = [.. page.Records.Select(r => new LinkRow(r.Get<Guid>(View.Far), RecordTitles.Of(target, t => r[$"{View.Far}.{t}"]), OwnFields.ToImmutableDictionary(f => f.Name, f => r[f.Name]), IsNew: false))];
            foreach (var row in stored)
            {
                Form.Titles.Learn(row.Id, row.Title);
            }
        }
    }

    /// <summary>What is stored, with what was typed on top.</summary>
    private async Task ShowAsync()
    {
        var changes = Changes;
        await Form.Titles.LearnAsync(Records, Metadata.Current, changes.Links.Select(l => ((string?)Field.Target, (object?)l.Id)));
        var changed = changes.Links.ToDictionary(l => l.Id);
        rows =
        [
            .. stored.Where(r => !changes.Removed.Contains(r.Id)).Select(r => changed.TryGetValue(r.Id, out var link) ? r with { Values = r.Values.SetItems(link.Values) } : r),
            .. changes.Links.Where(l => !stored.Exists(r => r.Id == l.Id)).Select(l => new LinkRow(l.Id, Form.Titles[l.Id] ?? l.Id.ToString(), l.Values.ToImmutableDictionary(), IsNew: true)),
        ];
    }

    private Task OpenAsync() => Search.IsOpen ? Task.CompletedTask : FindAsync(Search.Text);

    private Task FindAsync(string? text) =>
        Target is { } target
            ? Search.FindAsync(text, ct => RecordSearch.FindAsync(Records, target, text ?? "", null, id => rows.Exists(r => r.Id == id), ct))
            : Task.CompletedTask;

    private async Task KeyAsync(KeyboardEventArgs key)
    {
        switch (key.Key)
        {
            case "ArrowDown" when !Search.IsOpen:
                await FindAsync(Search.Text);
                break;
            case "ArrowDown":
                Search.Move(1);
                break;
            case "ArrowUp":
                Search.Move(-1);
                break;
            case "Enter" when !key.CtrlKey && Search.Chosen is { } chosen:
                Add(chosen);
                break;
            case "Escape":
                Search.Clear();
                break;
        }
    }

    private void Add(FoundRecord found)
    {
        Form.Titles.Learn(found.Id, found.Title);
        Search.Clear();
        var changes = Changes;
        // Whoever takes away and adds again has changed nothing.
        Keep(changes.Removed.Contains(found.Id)
            ? changes with { Removed = changes.Removed.Remove(found.Id) }
            : changes with { Links = changes.Links.Add(new LinkedRecord(found.Id, LinkedRecord.NoValues)) });
    }

    private void Remove(LinkRow row)
    {
        var changes = Changes;
        changes = changes with { Links = changes.Links.RemoveAll(l => l.Id == row.Id) };
        Keep(row.IsNew ? changes : changes with { Removed = changes.Removed.Add(row.Id) });
    }

    /// <summary>Takes what was typed into a field of the link; what cannot be read goes as it is, and is refused with the record.</summary>
    private void Give(LinkRow row, FieldDefinition own, object? typed)
    {
        var value = typed is string text && new FieldText(Display, Clock).TryRead(own, FieldParts.Of(text), out var read, out _) ? read : typed;
        var changes = Changes;
        var before = changes.Links.FirstOrDefault(l => l.Id == row.Id);
        var values = (before?.Values ?? LinkedRecord.NoValues).ToImmutableDictionary().SetItem(own.Name, value);
        if (stored.Find(r => r.Id == row.Id) is { } was)
        {
            values = values.RemoveRange(values.Where(v => own.Type.AreEqual(v.Value, was.Values.GetValueOrDefault(v.Key))).Select(v => v.Key).ToList());
        }

        var links = changes.Links.RemoveAll(l => l.Id == row.Id);
        Keep(changes with { Links = row.IsNew || !values.IsEmpty ? links.Add(new LinkedRecord(row.Id, values)) : links });
    }

    private void Keep(LinkChanges changes) =>
        Form.Set(Field, changes is { IsComplete: false, Links.IsEmpty: true, Removed.IsEmpty: true } ? null : changes);

    private string Shown(LinkRow row, FieldDefinition own) =>
        row.Values.GetValueOrDefault(own.Name) switch
        {
            string text => text,
            var value => new FieldText(Display, Clock).Write(own, value)[FieldParts.Main],
        };
}

/// <summary>A linked record in a form.</summary>
/// <param name="Id">The record at the far side.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Values">What the link itself says.</param>
/// <param name="IsNew">Whether it is still to be linked.</param>
internal sealed record LinkRow(Guid Id, string Title, ImmutableDictionary<string, object?> Values, bool IsNew)
{
    /// <summary>Fields of a link beside the two records it links.</summary>
    public static IEnumerable<FieldDefinition> OwnFields(EntityDefinition links) =>
        links.Fields.Where(f => !f.IsHidden && !f.IsSystem && f.Name != links.Link?.Left && f.Name != links.Link?.Right);

    /// <summary>Whether a field of the link can be typed in its row; the others are changed where the link itself is open.</summary>
    public static bool CanType(FieldDefinition field) =>
        !field.IsReadOnly && (field.Type == Fields.Choice || field.Type == Fields.YesNo || field.Type == Fields.Date || field.Type == Fields.Text
            || field.Type == Fields.Integer || field.Type == Fields.Decimal || field.Type == Fields.Percent);
}
