using System.Buffers;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>A record as a script sees it: its properties as the API knows them.</summary>
internal static class ScriptInput
{
    public static ReadOnlyMemory<byte> Of(PendingChange change) =>
        Of(change.Table, f => change.Values[f.Index], change.Stored is { } stored ? f => stored[f.Index] : null, change.Changes);

    /// <summary>A stored record as if somebody saved it with every field that has a value changed.</summary>
    public static ReadOnlyMemory<byte> Of(EntityTable table, Record record) => Of(table, f => record[f.Name], f => record[f.Name], f => record[f] is not null);

    private static ReadOnlyMemory<byte> Of(EntityTable table, Func<TableField, object?> values, Func<TableField, object?>? stored, Func<string, bool> changes)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WritePropertyName("record");
            Write(json, table, values);
            json.WritePropertyName("before");
            if (stored is not null)
            {
                Write(json, table, stored);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteStartArray("changed");
            foreach (var field in table.Fields.Where(f => !f.IsStamp && changes(f.Name)))
            {
                json.WriteStringValue(field.Name);
                foreach (var column in field.Columns.Where(c => c.Name != field.Name))
                {
                    json.WriteStringValue(column.Name);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, EntityTable table, Func<TableField, object?> values)
    {
        json.WriteStartObject();
        foreach (var field in table.Fields)
        {
            for (var i = 0; i < field.Columns.Length; i++)
            {
                json.WritePropertyName(field.Columns[i].Name);
                ValueJson.Write(json, field.Type, i, values(field));
            }
        }

        json.WriteEndObject();
    }
}
