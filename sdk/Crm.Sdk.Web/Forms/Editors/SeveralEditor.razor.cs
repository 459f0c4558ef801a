using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>Edits several phone numbers or addresses. Rows that are still empty live here; what is in the others is the form's.</summary>
public sealed partial class SeveralEditor : RowsEditor
{
    private readonly List<EditedValue> rows = [];

    private SeveralType Several => (SeveralType)Field.Type;

    private string InputType => Several.Single.Name switch { "phone" => "tel", "email" => "email", _ => "text" };

    private int? Longest => Field.MaxLength ?? (Several.Single as SingleTextType)?.DefaultMaxLength;

    /// <inheritdoc/>
    protected override int RowCount => rows.Count;

    /// <inheritdoc/>
    protected override void ReadRows()
    {
        rows.Clear();
        rows.AddRange(SeveralRows.Read(Form.Parts(Field)).Select(r => new EditedValue { Kind = r.Kind, Value = r.Value }));
    }

    /// <inheritdoc/>
    protected override FieldParts WriteRows() => SeveralRows.Write(rows.Select(r => (r.Kind, r.Value)));

    private void Add() => rows.Add(Focus(new EditedValue { Kind = NextKind(rows.Select(r => r.Kind)) }));

    private void SetKind(EditedValue row, ChangeEventArgs change)
    {
        row.Kind = change.Value as string ?? row.Kind;
        Tell();
    }

    private void SetValue(EditedValue row, ChangeEventArgs change)
    {
        row.Value = change.Value as string ?? "";
        Tell();
    }

    private void Remove(EditedValue row)
    {
        rows.Remove(row);
        Removed();
    }

    private sealed class EditedValue : EditedRow
    {
        public string Kind { get; set; } = "";

        public string Value { get; set; } = "";
    }
}
