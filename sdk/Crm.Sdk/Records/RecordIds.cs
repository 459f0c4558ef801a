using System.Buffers.Binary;

namespace Crm.Sdk;

/// <summary>
/// Ids of new records: UUIDs of version 7 (RFC 9562), each greater than the one before in this process, so that what is made together stays in the order it was made in.
/// </summary>
public static class RecordIds
{
    private static readonly Lock Gate = new();
    private static UInt128 last;

    /// <summary>An id nobody has.</summary>
    public static Guid Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7().TryWriteBytes(bytes, bigEndian: true, out _);
        var next = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        lock (Gate)
        {
            // Within a millisecond only chance would decide. One more of 62 random bits leaves time, version and variant alone.
            last = next > last ? next : last + 1;
            next = last;
        }

        BinaryPrimitives.WriteUInt128BigEndian(bytes, next);
        return new Guid(bytes, bigEndian: true);
    }
}
