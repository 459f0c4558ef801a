using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>Finds a record by what it is called.</summary>
public sealed partial class LookupEditor : FieldEditorComponent, IDisposable
{
    private const int Offered = 8;

    // Where a query cannot say which records a rule allows, as many are read to find some.
    private const int Looked = 200;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(120);

    private CancellationTokenSource? search;
    private ImmutableArray<Option> options = [];
    private string? typed;
    private string? entity;
    private int active = -1;
    private bool isSearching;

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

    private Guid? Chosen => Form[Field.Name] is RecordRef any ? any.Id : Form[Field.Name] as Guid?;

    private string Title => Chosen is { } id ? Form.Titles[id] ?? id.ToString() : "";

    private string Shown => typed ?? Title;

    private bool IsOpen { get; set; }

    private string ListId => InputId + "-list";

    private string? ActiveId => active >= 0 && IsOpen ? OptionId(active) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        search?.Cancel();
        search?.Dispose();
    }

    private string OptionId(int index) => $"{InputId}-option-{index}";

    private string NewLink(EntityDefinition target) =>
        $"/e/{target.Name}/new" + (string.IsNullOrWhiteSpace(typed) || target.TitleFields.IsEmpty ? "" : $"?{target.TitleFields[0]}={Uri.EscapeDataString(typed)}");

    private Task OpenAsync() => IsOpen ? Task.CompletedTask : FindAsync(typed ?? "");

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
        if (TargetEntity is not { } target)
        {
            return;
        }

        search?.Cancel();
        search?.Dispose();
        search = new CancellationTokenSource();
        var ct = search.Token;
        IsOpen = true;
        isSearching = true;
        try
        {
            if (text.Length > 0)
            {
                // A fast typist asks once.
                await Task.Delay(Pause, ct);
            }

            var candidates = Form.CandidatesOf(Field);
            var inUse = Filter.Equal("is_active", true);
            var hints = target.SearchFields.Where(f => !target.TitleFields.Contains(f)).Take(1).ToImmutableArray();
            var page = await Records.QueryAsync(
                new RecordQuery
                {
                    Entity = target.Name,
                    Select = [.. target.TitleFields.Concat(hints).Concat(candidates?.Select ?? []).Distinct(StringComparer.Ordinal)],
                    Search = string.IsNullOrWhiteSpace(text) ? null : text.Trim(),
                    SearchMode = SearchMode.BestFirst,
                    Filter = candidates is null ? inUse : Filter.AllOf(inUse, candidates.Filter),
                    Sort = [.. target.TitleFields.Take(1).Select(f => new Sort(f))],
                    Top = candidates?.IsExact == false ? Looked : Offered,
                },
                ct);
            ct.ThrowIfCancellationRequested();
            options = [.. page.Records.Where(r => candidates?.Allows(r) != false).Take(Offered).Select(r => new Option(r.Id, RecordTitles.Of(target, r), string.Join(' ', hints.Select(h => target.Field(h).Type.Format(target.Field(h), r[h], System.Globalization.CultureInfo.CurrentCulture)))))];
            active = options.IsEmpty || text.Length == 0 ? -1 : 0;
            isSearching = false;
        }
        catch (OperationCanceledException)
        {
            // A newer search took over.
        }
    }

    private async Task KeyAsync(KeyboardEventArgs key)
    {
        switch (key.Key)
        {
            case "ArrowDown" when !IsOpen:
                await FindAsync(typed ?? "");
                break;
            case "ArrowDown" when !options.IsEmpty:
                active = (active + 1) % options.Length;
                break;
            case "ArrowUp" when !options.IsEmpty:
                active = active <= 0 ? options.Length - 1 : active - 1;
                break;
            case "Enter" when IsOpen && active >= 0 && active < options.Length && !key.CtrlKey:
                Pick(options[active]);
                break;
            case "Tab" when IsOpen && active >= 0 && active < options.Length && !string.IsNullOrWhiteSpace(typed):
                // Whoever types a name and goes on means the first match.
                Pick(options[active]);
                break;
            case "Escape":
                Close();
                break;
        }
    }

    private void Pick(Option option)
    {
        Form.Titles.Learn(option.Id, option.Title);
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

    private void Leave(FocusEventArgs focus) => Close();

    private void Close()
    {
        search?.Cancel();
        typed = null;
        IsOpen = false;
        isSearching = false;
        active = -1;
    }

    private sealed record Option(Guid Id, string Title, string Hint);
}
