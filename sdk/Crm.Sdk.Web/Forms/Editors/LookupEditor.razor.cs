using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>Finds a record by what it is called.</summary>
public sealed partial class LookupEditor : FieldEditorComponent, IDisposable
{
    private readonly TypeAhead<FoundRecord> search = new();
    private string? typed;
    private string? entity;
    private bool takesFirst;

    [Inject]
    private IRecordService Records { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    private bool IsAny => Field.Type is AnyLookupType;

    /// <summary>Entities the record may be of, when there are several.</summary>
    private IEnumerable<EntityDefinition> Entities => Metadata.Current.Entities.Values
        .Where(e => !e.IsHidden && (Field.Targets.IsEmpty ? e.Origin != Origins.Platform : Field.Targets.Contains(e.Name)))
        .OrderBy(e => e.Label, StringComparer.CurrentCulture);

    private string Target => IsAny ? (Form[Field.Name] as RecordRef)?.Entity ?? entity ?? Entities.FirstOrDefault()?.Name ?? "" : RecordTitles.TargetOf(Field) ?? "";

    private EntityDefinition? TargetEntity => Metadata.Current.TryEntity(Target, out var entity) ? entity : null;

    /// <summary>Entities whose records are offered together, each with its icon; one, where the field cannot point to others.</summary>
    private ImmutableArray<EntityDefinition> Offered =>
        Field.Type is ReferenceType type && type.WaysOf(Field) is { Length: > 1 } ways
            ? [.. ways.Select(w => Metadata.Current.TryEntity(w.Target, out var each) && !each.IsHidden ? each : null).OfType<EntityDefinition>()]
            : TargetEntity is { } target ? [target] : [];

    /// <summary>The entity of the record chosen.</summary>
    private string EntityOf(Guid id) => IsAny ? Target : Form.Titles.EntityOf(id) ?? Target;

    private Guid? Chosen => Form[Field.Name] is RecordRef any ? any.Id : Form[Field.Name] as Guid?;

    private string Title => Chosen is { } id ? Form.Titles[id] ?? id.ToString() : "";

    private string Shown => typed ?? Title;

    private string ListId => InputId + "-list";

    private string? ActiveId => search is { IsOpen: true, Active: >= 0 } ? OptionId(search.Active) : null;

    /// <inheritdoc/>
    public void Dispose() => search.Dispose();

    private string OptionId(int index) => $"{InputId}-option-{index}";

    private string NewLink(EntityDefinition target) =>
        $"/e/{target.Name}/new" + (string.IsNullOrWhiteSpace(typed) || target.TitleFields.IsEmpty ? "" : $"?{target.TitleFields[0]}={Uri.EscapeDataString(typed)}");

    private Task OpenAsync() => search.IsOpen ? Task.CompletedTask : FindAsync(typed ?? "");

    private async Task SearchAsync(string? text)
    {
        typed = text ?? "";
        if (typed.Length == 0)
        {
            Form.Set(Field, null);
        }

        await FindAsync(typed);
    }

    private async Task FindAsync(string text)
    {
        if (TargetEntity is null)
        {
            return;
        }

        // A rule that says which records may be chosen says it of those of the first entity.
        var candidates = Form.CandidatesOf(Field);
        var offered = candidates is null ? Offered : [.. Offered.Where(e => e.Name == Target)];
        await search.FindAsync(text, async ct =>
        {
            var found = ImmutableArray.CreateBuilder<FoundRecord>();
            foreach (var target in offered)
            {
                found.AddRange(await RecordSearch.FindAsync(Records, target, text, candidates, null, ct));
            }

            return found.ToImmutable();
        });
        if (takesFirst && !search.IsSearching)
        {
            TakeFirst();
        }
    }

    private async Task KeyAsync(KeyboardEventArgs key)
    {
        switch (key.Key)
        {
            case "ArrowDown" when !search.IsOpen:
                await FindAsync(typed ?? "");
                break;
            case "ArrowDown":
                search.Move(1);
                break;
            case "ArrowUp":
                search.Move(-1);
                break;
            case "Enter" when !key.CtrlKey && search.Chosen is { } chosen:
                Pick(chosen);
                break;
            // Whoever types a name and goes on means the first match, found already or not.
            case "Tab" when search.IsOpen && !string.IsNullOrWhiteSpace(typed):
                if (search.IsSearching)
                {
                    takesFirst = true;
                }
                else
                {
                    TakeFirst();
                }

                break;
            case "Escape":
                Close();
                break;
        }
    }

    private void TakeFirst()
    {
        if (search.Chosen is { } chosen)
        {
            Pick(chosen);
        }
        else
        {
            Close();
        }
    }

    private void Pick(FoundRecord option)
    {
        Form.Titles.Learn(option.Id, option.Title, option.Entity.Name);
        Form.Set(Field, IsAny ? new RecordRef(Target, option.Id) : option.Id);
        Close();
    }

    private void ChooseEntity(ChangeEventArgs change)
    {
        Clear();
        entity = change.Value as string;
    }

    private void Clear()
    {
        Form.Set(Field, null);
        Close();
    }

    private void Leave(FocusEventArgs focus)
    {
        if (!takesFirst)
        {
            Close();
        }
    }

    private void Close()
    {
        (typed, takesFirst) = (null, false);
        search.Clear();
    }
}
