using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>Edits several phone numbers or addresses. Rows that are still empty live here; what is in the others is the form's.</summary>
public sealed partial class SeveralEditor : FieldEditorComponent
{
    private readonly List<EditedRow> rows = [];
    private ImmutableDictionary<string, string>? shown;
    private EditedRow? added;
    private ElementReference add;
    private bool isAddFocused;

    private SeveralType Several => (SeveralType)Field.Type;

    private ImmutableArray<ChoiceDefinition> Kinds => Several.KindsOf(Field);

    private string InputType => Several.Single.Name switch { "phone" => "tel", "email" => "email", _ => "text" };

    // A button cannot be required or wrong; help and error are the field's, whatever there is of it.
    private Dictionary<string, object> ButtonAria => Aria.Where(a => a.Key == "aria-describedby" && rows.Count == 0).ToDictionary(StringComparer.Ordinal);

    private int? Longest => Field.MaxLength ?? (Several.Single as SingleTextType)?.DefaultMaxLength;

    /// <inheritdoc/>
    protected override void OnParametersSet()
    {
        // What somebody else changed (a draft, another version, giving up) comes in here; what was typed here is known.
        if (shown is null || !IsSame(Form.Parts(Field).Texts, shown))
        {
            rows.Clear();
            rows.AddRange(SeveralRows.Read(Form.Parts(Field)).Select(r => new EditedRow { Kind = r.Kind, Value = r.Value }));
            shown = Form.Parts(Field).Texts;
        }
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (added is { } row)
        {
            added = null;
            await row.Input.FocusAsync();
        }
        else if (isAddFocused)
        {
            isAddFocused = false;
            await add.FocusAsync();
        }
    }

    private void Add()
    {
        // Two numbers are seldom for the same.
        var kind = Kinds.FirstOrDefault(k => rows.TrueForAll(r => r.Kind != k.Name)) ?? Kinds[0];
        rows.Add(added = new EditedRow { Kind = kind.Name });
    }

    private void SetKind(EditedRow row, ChangeEventArgs change)
    {
        row.Kind = change.Value as string ?? row.Kind;
        Tell();
    }

    private void SetValue(EditedRow row, ChangeEventArgs change)
    {
        row.Value = change.Value as string ?? "";
        Tell();
    }

    private void Remove(EditedRow row)
    {
        rows.Remove(row);
        isAddFocused = true;
        Tell();
    }

    private void Tell()
    {
        Form.Type(Field, SeveralRows.Write(rows.Select(r => (r.Kind, r.Value))));
        shown = Form.Parts(Field).Texts;
    }

    private static bool IsSame(ImmutableDictionary<string, string> left, ImmutableDictionary<string, string> right) =>
        ReferenceEquals(left, right) || (left.Count == right.Count && left.All(p => right.GetValueOrDefault(p.Key) == p.Value));

    private sealed class EditedRow
    {
        public string Kind { get; set; } = "";

        public string Value { get; set; } = "";

        public ElementReference Input { get; set; }
    }
}
