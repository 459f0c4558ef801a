using System.Collections.Immutable;
using Crm.Records.Bulk;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Pages.Bulk;

/// <summary>What happens to one field of many records.</summary>
internal enum BulkMode
{
    /// <summary>All get the same value.</summary>
    Set,

    /// <summary>The value is taken away.</summary>
    Empty,

    /// <summary>Texts are added to those that are there.</summary>
    Add,

    /// <summary>Texts are taken out.</summary>
    Remove,
}

/// <summary>What a user is putting together: fields, what happens to each, and the values, typed into the editors of the form.</summary>
internal sealed class BulkDraft
{
    private readonly GridOperation operation;

    public BulkDraft(GridOperation operation, FieldText text)
    {
        this.operation = operation;
        var entity = operation.Selection.Entity;
        Form = new FormModel(entity, new Record(entity.Name, Guid.Empty, 0, ImmutableDictionary<string, object?>.Empty), text);
        Offered = [.. entity.Fields.Where(f => CanChange(f)).OrderBy(f => f.IsSystem)];
    }

    /// <summary>The values; of no record in particular, so that no rule speaks before the preview asks it.</summary>
    public FormModel Form { get; }

    /// <summary>Fields that can be given the same value everywhere.</summary>
    public ImmutableArray<FieldDefinition> Offered { get; }

    /// <summary>Fields chosen, in their order.</summary>
    public List<(FieldDefinition Field, BulkMode Mode)> Chosen { get; } = [];

    /// <summary>What may happen to a field.</summary>
    public static IEnumerable<BulkMode> Modes(FieldDefinition field) =>
        field.Type is TextListType ? [BulkMode.Add, BulkMode.Remove, BulkMode.Set, BulkMode.Empty] : field.IsSystem || field.Type is StageType ? [BulkMode.Set] : [BulkMode.Set, BulkMode.Empty];

    /// <summary>Adds a field.</summary>
    public void Choose(string name)
    {
        if (Offered.FirstOrDefault(f => f.Name == name) is { } field && Chosen.TrueForAll(c => c.Field.Name != name))
        {
            Chosen.Add((field, Modes(field).First()));
        }
    }

    /// <summary>Decides what happens to a field.</summary>
    public void Change(string name, BulkMode mode)
    {
        var at = Chosen.FindIndex(c => c.Field.Name == name);
        Chosen[at] = (Chosen[at].Field, mode);
    }

    /// <summary>Leaves a field as it is after all.</summary>
    public void Leave(FieldDefinition field)
    {
        Form.Set(field, null);
        Chosen.RemoveAll(c => c.Field.Name == field.Name);
    }

    /// <summary>What is still missing or cannot be read; null when it can be tried.</summary>
    public string? Problem() =>
        operation.IsDelete ? null
        : Chosen.Count == 0 ? BulkPageTexts.Of("ChooseField")
        : !Form.IsReadable ? BulkPageTexts.Of("Unreadable")
        : Chosen.FirstOrDefault(c => c.Mode != BulkMode.Empty && ValueOf(c.Field) is null).Field is { } missing ? BulkPageTexts.Of("NoValue", missing.Label)
        : null;

    /// <summary>The change to send.</summary>
    public BulkRequest ToRequest() => new(operation.Selection.Entity.Name, operation.IsDelete ? BulkAction.Delete : BulkAction.Update)
    {
        Ids = operation.Selection.Ids,
        Query = operation.Selection.Query,
        Set = Chosen.Where(c => c.Mode is BulkMode.Set or BulkMode.Empty).SelectMany(c => c.Mode == BulkMode.Empty ? [new(c.Field.Name, null)] : Properties(c.Field, ValueOf(c.Field)!)).ToDictionary(StringComparer.Ordinal),
        Add = Lists(BulkMode.Add),
        Remove = Lists(BulkMode.Remove),
    };

    private static bool CanChange(FieldDefinition field) =>
        field is { IsHidden: false, IsReadOnly: false, IsUnique: false } && !field.Type.Columns.IsEmpty
        && field.Type is not FileType && field.Type.Name is not ("auto_number" or "key")
        && (!field.IsSystem || field.Name is "owner" or "is_active");

    // A switch that was not touched says no.
    private object? ValueOf(FieldDefinition field) => Form[field.Name] ?? (field.Type == Fields.YesNo ? false : null);

    // Values by property, each of a kind that JSON can hold.
    private static IEnumerable<KeyValuePair<string, object?>> Properties(FieldDefinition field, object value)
    {
        var cells = new object?[field.Type.Columns.Length];
        field.Type.ToColumns(value, cells);
        return field.Type.Columns.Zip(cells, (column, cell) => new KeyValuePair<string, object?>(field.Name + column.Suffix, cell));
    }

    private Dictionary<string, ImmutableArray<string>> Lists(BulkMode mode) =>
        Chosen.Where(c => c.Mode == mode).ToDictionary(c => c.Field.Name, c => ValueOf(c.Field) is ImmutableArray<string> texts ? texts : [], StringComparer.Ordinal);
}
