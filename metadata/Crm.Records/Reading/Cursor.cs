using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>
/// The place where a page ended: the sort values of its last row. It says nothing the reader has not seen; the checksum is there so that a mangled one is refused
/// instead of showing wrong rows.
/// </summary>
/// <param name="Values">Values of the sort keys and the id.</param>
internal sealed record Cursor(ImmutableArray<object?> Values)
{
    private const int ChecksumLength = 8;

    public string Write(RecordQuery query)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartArray();
            writer.WriteStringValue(OrderOf(query));
            foreach (var value in Values)
            {
                WriteValue(writer, value);
            }

            writer.WriteEndArray();
        }

        return Base64Url.EncodeToString([.. Checksum(json.WrittenSpan), .. json.WrittenSpan]);
    }

    public static Cursor? Read(RecordQuery query)
    {
        if (query.After is not { } text)
        {
            return null;
        }

        try
        {
            var bytes = Base64Url.DecodeFromChars(text);
            if (bytes.Length > ChecksumLength && Checksum(bytes.AsSpan(ChecksumLength)).AsSpan().SequenceEqual(bytes.AsSpan(0, ChecksumLength)))
            {
                using var json = JsonDocument.Parse(bytes.AsMemory(ChecksumLength));
                if (json.RootElement[0].GetString() == OrderOf(query))
                {
                    return new Cursor([.. json.RootElement.EnumerateArray().Skip(1).Select(ReadValue)]);
                }
            }
        }
        catch (Exception problem) when (problem is FormatException or JsonException or InvalidOperationException)
        {
            // Not ours: refused below.
        }

        throw new QueryException(ErrorCodes.BadRequest, Texts.Of("BadCursor"), "after");
    }

    private static string OrderOf(RecordQuery query) =>
        query.Entity + ":" + (QueryShape.ModeOf(query) is not SearchMode.Sorted and var mode ? mode + ":" : "") + string.Join(',', QueryShape.Sorts(query).Select(s => (s.Descending ? "-" : "+") + s.Path));

    private static byte[] Checksum(ReadOnlySpan<byte> json) => SHA256.HashData([.. Encoding.UTF8.GetBytes("crm cursor 1:"), .. json])[..ChecksumLength];

    // The kind of each value stands before it, so that reading needs no metadata.
    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case string text:
                json.WriteStringValue("t" + text);
                break;
            case long number:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"i{number}"));
                break;
            case decimal number:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"d{number}"));
                break;
            case DateOnly date:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"y{date.DayNumber}"));
                break;
            case TimeOnly time:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"c{time.Ticks}"));
                break;
            case DateTimeOffset instant:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"u{instant.UtcTicks}"));
                break;
            case Guid id:
                json.WriteStringValue($"g{id:N}");
                break;
            default:
                throw new InvalidOperationException($"A cursor cannot hold a {value.GetType()}.");
        }
    }

    private static object? ReadValue(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
        }

        var text = json.GetString()!;
        var value = text[1..];
        return text[0] switch
        {
            't' => value,
            'i' => long.Parse(value, CultureInfo.InvariantCulture),
            'd' => decimal.Parse(value, CultureInfo.InvariantCulture),
            'y' => DateOnly.FromDayNumber(int.Parse(value, CultureInfo.InvariantCulture)),
            'c' when long.Parse(value, CultureInfo.InvariantCulture) is >= 0 and < TimeSpan.TicksPerDay and var ticks => new TimeOnly(ticks),
            'u' => new DateTimeOffset(long.Parse(value, CultureInfo.InvariantCulture), TimeSpan.Zero),
            'g' => Guid.ParseExact(value, "N"),
            _ => throw new FormatException("Unknown kind of value."),
        };
    }
}
