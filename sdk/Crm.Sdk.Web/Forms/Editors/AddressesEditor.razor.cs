using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>Edits several addresses. Rows that are still empty live here; what is in the others is the form's.</summary>
public sealed partial class AddressesEditor : RowsEditor
{
    private readonly List<EditedAddress> rows = [];

    /// <inheritdoc/>
    protected override int RowCount => rows.Count;

    /// <inheritdoc/>
    protected override void ReadRows()
    {
        rows.Clear();
        rows.AddRange(SeveralRows.ReadAddresses(Form.Parts(Field)).Select(r => new EditedAddress(r.ToDictionary(StringComparer.Ordinal))));
    }

    /// <inheritdoc/>
    protected override FieldParts WriteRows() => SeveralRows.WriteAddresses(rows.Select(r => r.Parts));

    private void Add() => rows.Add(Focus(new EditedAddress(new(StringComparer.Ordinal)) { Kind = NextKind(rows.Select(r => r.Kind)) }));

    private void SetKind(EditedAddress row, ChangeEventArgs change)
    {
        row.Kind = change.Value as string ?? row.Kind;
        Tell();
    }

    private void SetPart(EditedAddress row, string part, ChangeEventArgs change)
    {
        row.Parts[part] = change.Value as string ?? "";
        Tell();
    }

    private void Remove(EditedAddress row)
    {
        rows.Remove(row);
        Removed();
    }

    private sealed class EditedAddress(Dictionary<string, object?> parts) : EditedRow
    {
        public Dictionary<string, object?> Parts { get; } = parts;

        public string Kind
        {
            get => this["kind"];
            set => Parts["kind"] = value;
        }

        public string this[string part] => Parts.GetValueOrDefault(part) as string ?? "";
    }
}
