using System.Buffers.Binary;

namespace Crm.Rules;

/// <summary>Messages between host and worker: four bytes of length, then JSON in UTF-8.</summary>
internal static class Frames
{
    /// <summary>Longest message, in bytes.</summary>
    public const int MaxBytes = 32 * 1024 * 1024;

    /// <summary>The next message; null at the end.</summary>
    public static byte[]? Read(Stream stream)
    {
        Span<byte> head = stackalloc byte[4];
        if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
        {
            return null;
        }

        var message = new byte[Length(head)];
        return stream.ReadAtLeast(message, message.Length, throwOnEndOfStream: false) < message.Length ? null : message;
    }

    public static async ValueTask<byte[]?> ReadAsync(Stream stream, CancellationToken ct)
    {
        var head = new byte[4];
        if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct) < head.Length)
        {
            return null;
        }

        var message = new byte[Length(head)];
        return await stream.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, ct) < message.Length ? null : message;
    }

    /// <summary>Writes a message in one piece.</summary>
    public static void Write(Stream stream, ReadOnlySpan<byte> message)
    {
        var frame = new byte[message.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(frame, message.Length);
        message.CopyTo(frame.AsSpan(4));
        stream.Write(frame);
        stream.Flush();
    }

    public static async ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> message, CancellationToken ct)
    {
        var frame = new byte[message.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(frame, message.Length);
        message.CopyTo(frame.AsMemory(4));
        await stream.WriteAsync(frame, ct);
        await stream.FlushAsync(ct);
    }

    private static int Length(ReadOnlySpan<byte> head) =>
        BinaryPrimitives.ReadInt32LittleEndian(head) is >= 0 and <= MaxBytes and var length ? length : throw new InvalidDataException("A message is too long.");
}
