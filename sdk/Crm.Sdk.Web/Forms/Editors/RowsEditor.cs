using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>An editor of several values, each in a row with what it is for.</summary>
public abstract class RowsEditor : FieldEditorComponent
{
    private ImmutableDictionary<string, string>? shown;
    private EditedRow? added;
    private bool isAddFocused;

    /// <summary>What values may be for.</summary>
    protected ImmutableArray<ChoiceDefinition> Kinds => ((KindsType)Field.Type).KindsOf(Field);

    /// <summary>A button cannot be required or wrong; help and error are the field's, whatever there is of it.</summary>
    protected IReadOnlyDictionary<string, object> ButtonAria => Aria.Where(a => a.Key == "aria-describedby" && RowCount == 0).ToDictionary(StringComparer.Ordinal);

    /// <summary>The button that adds a row.</summary>
    protected ElementReference AddButton { get; set; }

    /// <summary>How many rows there are.</summary>
    protected abstract int RowCount { get; }

    /// <summary>Takes the rows from the form.</summary>
    protected abstract void ReadRows();

    /// <summary>The rows as the form takes them.</summary>
    protected abstract FieldParts WriteRows();

    /// <inheritdoc/>
    protected override void OnParametersSet()
    {
        // What somebody else changed (a draft, another version, giving up) comes in here; what was typed here is known.
        if (shown is null || !IsSame(Form.Parts(Field).Texts, shown))
        {
            ReadRows();
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
            await AddButton.FocusAsync();
        }
    }

    /// <summary>The kind of another value: two numbers are seldom for the same.</summary>
    protected string NextKind(IEnumerable<string> used) => (Kinds.FirstOrDefault(k => !used.Contains(k.Name)) ?? Kinds[0]).Name;

    /// <summary>Puts the cursor into a row that is new.</summary>
    protected T Focus<T>(T row)
        where T : EditedRow
    {
        added = row;
        return row;
    }

    /// <summary>Says that a row is gone; the cursor, which was in it, goes to the button.</summary>
    protected void Removed()
    {
        isAddFocused = true;
        Tell();
    }

    /// <summary>Gives the rows to the form.</summary>
    protected void Tell()
    {
        Form.Type(Field, WriteRows());
        shown = Form.Parts(Field).Texts;
    }

    private static bool IsSame(ImmutableDictionary<string, string> left, ImmutableDictionary<string, string> right) =>
        ReferenceEquals(left, right) || (left.Count == right.Count && left.All(p => right.GetValueOrDefault(p.Key) == p.Value));

    /// <summary>A row.</summary>
    protected class EditedRow
    {
        /// <summary>Its first input.</summary>
        public ElementReference Input { get; set; }
    }
}
