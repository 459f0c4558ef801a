using System.Buffers;
using System.Text.Json;

namespace Crm.Records;

/// <summary>A record as a script sees it: its properties as the API knows them.</summary>
internal static class ScriptInput
{
    public static ReadOnlyMemory<byte> Of(PendingChange change)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WritePropertyName("record");
            Write(json, change.Table, change.Values);
            json.WritePropertyName("before");
            if (change.Stored is { } stored)
            {
                Write(json, change.Table, stored);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteStartArray("changed");
            foreach (var field in change.Table.Fields.Where(f => !f.IsStamp && change.Changes(f.Name)))
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

    private static void Write(Utf8JsonWriter json, EntityTable table, object?[] values)
    {
        json.WriteStartObject();
        foreach (var field in table.Fields)
        {
            for (var i = 0; i < field.Columns.Length; i++)
            {
                json.WritePropertyName(field.Columns[i].Name);
                ValueJson.Write(json, field.Type, i, values[field.Index]);
            }
        }

        json.WriteEndObject();
    }
}
