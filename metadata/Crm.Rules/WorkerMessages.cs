using System.Buffers;
using System.Text.Json;

namespace Crm.Rules;

/// <summary>What host and worker say to each other.</summary>
internal static class WorkerMessages
{
    /// <summary>How a worker ends that has no memory left to say so.</summary>
    public const int OutOfMemory = 3;

    /// <summary>A message that asks whether a script can be read.</summary>
    public static byte[] Check(string script) => Write(json => json.WriteString("check", script));

    /// <summary>A message that runs a script on records.</summary>
    /// <param name="call">The script and for whom it runs.</param>
    /// <param name="records">Each an object with <c>record</c>, <c>before</c> and <c>changed</c>, as JSON.</param>
    public static byte[] Run(ScriptCall call, IEnumerable<ReadOnlyMemory<byte>> records) => Write(json =>
    {
        json.WriteString("script", call.Script);
        json.WriteNumber("budget", (int)call.Budget.TotalMilliseconds);
        json.WriteStartObject("user");
        json.WriteString("id", call.UserId);
        json.WriteString("name", call.UserName);
        json.WriteBoolean("is_administrator", call.IsAdministrator);
        json.WriteEndObject();
        json.WriteString("now", call.Now.UtcDateTime);
        json.WriteStartArray("records");
        foreach (var record in records)
        {
            json.WriteRawValue(record.Span, skipInputValidation: true);
        }

        json.WriteEndArray();
    });

    /// <summary>Messages that touch what every rule uses.</summary>
    public static IEnumerable<byte[]> WarmUp()
    {
        var call = new ScriptCall(
            "var d = new Date(now); if (changed.includes('a') && /x+/.test(record.b)) { record.a = record.a * 2 + d.getDay(); record.b = record.b.padStart(5, '0'); } refuse('a', 'b');",
            TimeSpan.FromSeconds(30), Guid.Empty, "", false, DateTimeOffset.UnixEpoch);
        yield return Check(call.Script);
        yield return Run(call, Enumerable.Repeat<ReadOnlyMemory<byte>>("""{"record":{"a":1,"b":"x","c":["y"]},"before":{"a":0},"changed":["a"]}"""u8.ToArray(), 50));
        yield return Run(call with { Script = "throw new Error('x');" }, ["""{"record":{},"before":null,"changed":[]}"""u8.ToArray()]);
    }

    /// <summary>One JSON object.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
