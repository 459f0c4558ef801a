using System.Diagnostics.CodeAnalysis;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>What a caller gave for one field: as a whole (<c>budget</c>), in parts (<c>budget_currency</c>), or both.</summary>
internal sealed class ChangeInput(TableField target)
{
    private object? whole;
    private bool hasWhole;
    private Dictionary<string, object?>? parts;
    private object? normalized;

    public TableField Field => target;

    /// <summary>Sorts a change's values by field; names and types that are wrong are refused.</summary>
    public static List<ChangeInput> Read(RecordChange change, EntityTable table, Action<string?, string, string> refuse)
    {
        var inputs = new List<ChangeInput>(change.Values.Count);
        foreach (var (name, value) in change.Values)
        {
            if (!table.TryResolve(name, out var field, out var part))
            {
                refuse(name, ErrorCodes.UnknownField, Texts.Of("UnknownField", table.Entity.Label, Shorten(name)));
                continue;
            }

            if (Find(inputs, field) is not { } input)
            {
                inputs.Add(input = new ChangeInput(field));
            }
            else if (field.Columns.Length == 1)
            {
                refuse(field.Name, ErrorCodes.BadRequest, Texts.Of("GivenTwice", field.Definition.Label));
                continue;
            }

            input.Give(part, value);
        }

        // A field of one column needs nothing of the stored row.
        inputs.RemoveAll(input => !input.NeedsStored && !input.TryNormalizeEarly(refuse));
        return inputs;
    }

    /// <summary>Input for a whole field or for one of its columns.</summary>
    public static ChangeInput Of(TableField field, int part, object? value)
    {
        var input = new ChangeInput(field);
        input.Give(part, value);
        return input;
    }

    /// <summary>Input for columns of a field, or for the field as a whole.</summary>
    public static ChangeInput Of(TableField field, IEnumerable<(int Part, object? Value)> given)
    {
        var input = new ChangeInput(field);
        foreach (var (part, value) in given)
        {
            input.Give(part, value);
        }

        return input;
    }

    /// <summary>The value to store, completed from the stored one where the input leaves parts open.</summary>
    public bool TryValue(object? stored, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        if (!NeedsStored)
        {
            value = normalized;
            error = null;
            return normalized is not null || TryNormalize(whole, out value, out error);
        }

        value = stored;
        if (hasWhole && (!TryNormalize(Complete(whole, stored), out value, out error) || parts is null))
        {
            return error is null;
        }

        if (parts is null || (hasWhole && value is null))
        {
            error = null;
            return true;
        }

        var columns = new object?[target.Columns.Length];
        target.Type.ToColumns(value, columns);
        var merged = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Length; i++)
        {
            merged[target.Columns[i].Part] = parts.TryGetValue(target.Columns[i].Part, out var part) ? part : columns[i];
        }

        return TryNormalize(merged, out value, out error);
    }

    // Values by kind leave the others as they are stored.
    private bool NeedsStored => target.Columns.Length > 1 || (target.Type is KindsType && whole is IReadOnlyDictionary<string, object?>);

    private static ChangeInput? Find(List<ChangeInput> inputs, TableField field)
    {
        foreach (var input in inputs)
        {
            if (ReferenceEquals(input.Field, field))
            {
                return input;
            }
        }

        return null;
    }

    private void Give(int part, object? value)
    {
        if (part < 0 || target.Columns.Length == 1)
        {
            (whole, hasWhole) = (value, true);
        }
        else
        {
            (parts ??= new(StringComparer.Ordinal))[target.Columns[part].Part] = value;
        }
    }

    private bool TryNormalizeEarly(Action<string?, string, string> refuse)
    {
        if (TryNormalize(whole, out normalized, out var error))
        {
            return true;
        }

        refuse(target.Name + error.At, error.Code, error.Message);
        return false;
    }

    private object? Complete(object? input, object? stored) =>
        input is null or "" || stored is null ? input : target.Type.Complete(input, stored);

    private bool TryNormalize(object? input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        if (input is null or "")
        {
            value = null;
            error = null;
            return true;
        }

        return target.Type.TryNormalize(target.Definition, input, out value, out error);
    }

    private static string Shorten(string name) => name.Length > 64 ? name[..64] + "…" : name;
}
