using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Changed fields as JSON: name to [before, after] or, when a rule's script set it, [before, after, rule]; a value of several columns as a list of them.</summary>
internal static class HistoryJson
{
    /// <summary>One text per change.</summary>
    public static string[] Write(IReadOnlyList<PendingChange> changes, IReadOnlyList<IReadOnlyList<TableField>> fields)
    {
        return Write(changes.Count, (json, i) => Write(json, fields[i], changes[i]));
    }

    /// <summary>One text per record: fields from what to what.</summary>
    public static string[] Write(IReadOnlyList<IReadOnlyList<(TableField Field, object? Before, object? After)>> records) => Write(records.Count, (json, i) =>
    {
        json.WriteStartObject();
        foreach (var (field, before, after) in records[i])
        {
            Write(json, field, before, after);
        }

        json.WriteEndObject();
    });

    private static string[] Write(int count, Action<Utf8JsonWriter, int> write)
    {
        var texts = new string[count];
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        for (var i = 0; i < texts.Length; i++)
        {
            write(json, i);
            json.Flush();
            texts[i] = Encoding.UTF8.GetString(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
            json.Reset(buffer);
        }

        return texts;
    }

    /// <summary>Reads what <see cref="Write(IReadOnlyList{PendingChange}, IReadOnlyList{IReadOnlyList{TableField}})"/> wrote, maybe long ago.</summary>
    /// <param name="table">The entity as it is now.</param>
    /// <param name="text">The JSON.</param>
    /// <param name="names">The names that fields and entities have now.</param>
    /// <param name="entry">Id of the entry it is from.</param>
    public static ImmutableArray<FieldChange> Read(EntityTable table, string text, EntryNames names, long entry)
    {
        using var json = JsonDocument.Parse(text);
        var changes = ImmutableArray.CreateBuilder<FieldChange>();
        foreach (var property in json.RootElement.EnumerateObject())
        {
            var name = names.Field(entry, property.Name);
            var isVisible = table.TryField(name, out var field);
            if (isVisible || !table.Entity.TryField(name, out _))
            {
                changes.Add(new FieldChange(name, Now(ReadValue(field, property.Value[0])), Now(ReadValue(field, property.Value[1])))
                {
                    Rule = property.Value.GetArrayLength() > 2 ? property.Value[2].GetString() : null,
                });
            }
        }

        // jsonb keeps its own order; readers expect the order of the form.
        changes.Sort((a, b) => Place(a).CompareTo(Place(b)));
        return changes.DrainToImmutable();

        object? Now(object? value) => value is RecordRef reference ? reference with { Entity = names.Entity(entry, reference.Entity) } : value;

        int Place(FieldChange change) => table.TryField(change.Field, out var field) ? field.Index : int.MaxValue;
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<TableField> fields, PendingChange change)
    {
        json.WriteStartObject();
        foreach (var field in fields)
        {
            Write(json, field, change.Stored?[field.Index], change.Kind == ChangeKind.Delete ? null : change.Values[field.Index], change.SetBy?.GetValueOrDefault(field.Index));
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, TableField field, object? before, object? after, string? rule = null)
    {
        json.WriteStartArray(field.Name);
        WriteValue(json, field, before);
        WriteValue(json, field, after);
        if (rule is not null)
        {
            json.WriteStringValue(rule);
        }

        json.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter json, TableField field, object? value)
    {
        if (value is null)
        {
            json.WriteNullValue();
            return;
        }

        var cells = new object?[field.Columns.Length];
        field.Type.ToColumns(value, cells);
        if (cells.Length > 1)
        {
            json.WriteStartArray();
        }

        foreach (var cell in cells)
        {
            WriteCell(json, cell);
        }

        if (cells.Length > 1)
        {
            json.WriteEndArray();
        }
    }

    private static void WriteCell(Utf8JsonWriter json, object? cell)
    {
        switch (cell)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case Guid id:
                json.WriteStringValue(id);
                break;
            case DateOnly date:
                json.WriteStringValue(date.ToString("O", CultureInfo.InvariantCulture));
                break;
            case TimeOnly time:
                json.WriteStringValue(time.ToString("HH:mm:ss", CultureInfo.InvariantCulture));
                break;
            case DateTimeOffset instant:
                json.WriteStringValue(instant);
                break;
            case string[] list:
                json.WriteStartArray();
                foreach (var item in list)
                {
                    json.WriteStringValue(item);
                }

                json.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException($"History cannot hold a {cell.GetType()}.");
        }
    }

    private static object? ReadValue(TableField? field, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (field?.Type is ManyToManyType && json.ValueKind == JsonValueKind.Array)
        {
            return string.Join(", ", json.EnumerateArray().Select(i => i.ToString()));
        }

        // The field may be gone, or be of another type by now: then the value is shown as it was written.
        if (field is null || (field.Columns.Length > 1 && (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() != field.Columns.Length)))
        {
            return json.ToString();
        }

        var cells = new object?[field.Columns.Length];
        for (var i = 0; i < cells.Length; i++)
        {
            var cell = cells.Length > 1 ? json[i] : json;
            if (!TryCell(field.Columns[i].Storage, cell, out cells[i]))
            {
                return json.ToString();
            }
        }

        return field.Type.FromColumns(cells);
    }

    private static bool TryCell(StorageKind storage, JsonElement json, out object? cell)
    {
        cell = (storage, json.ValueKind) switch
        {
            (StorageKind.Text or StorageKind.Json, JsonValueKind.String) => json.GetString(),
            (StorageKind.Integer, JsonValueKind.Number) when json.TryGetInt64(out var number) => number,
            (StorageKind.Decimal, JsonValueKind.Number) when json.TryGetDecimal(out var number) => number,
            (StorageKind.Boolean, JsonValueKind.True) => true,
            (StorageKind.Boolean, JsonValueKind.False) => false,
            (StorageKind.Date, JsonValueKind.String) when DateOnly.TryParse(json.GetString(), CultureInfo.InvariantCulture, out var date) => date,
            (StorageKind.Time, JsonValueKind.String) when TimeOnly.TryParse(json.GetString(), CultureInfo.InvariantCulture, out var time) => time,
            (StorageKind.Instant, JsonValueKind.String) when json.TryGetDateTimeOffset(out var instant) => instant,
            (StorageKind.Reference, JsonValueKind.String) when json.TryGetGuid(out var id) => id,
            (StorageKind.TextList, JsonValueKind.Array) => json.EnumerateArray().Select(i => i.GetString() ?? "").ToArray(),
            _ => null,
        };
        return cell is not null || json.ValueKind == JsonValueKind.Null;
    }
}
