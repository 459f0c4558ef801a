namespace Crm.Records.Importing.Workbooks;

/// <summary>
/// A part of a workbook as it is unpacked. What the archive says of its size is not believed: the bytes are counted as they come, and a text or an attribute that does not end is
/// stopped before it is held in memory.
/// </summary>
/// <param name="inner">The part.</param>
/// <param name="packed">How many bytes it takes in the archive.</param>
/// <param name="most">How many it may have.</param>
internal sealed class LimitedPart(Stream inner, long packed, long most) : Stream
{
    // Below this nothing is said of how well it is packed.
    private const long AlwaysTaken = 64 * 1024 * 1024;

    // Rows that repeat one another are packed a hundredfold; what is packed more is not made by a spreadsheet.
    private const long MaxRatio = 300;

    private const long MaxGap = 4 * 1024 * 1024;

    private readonly byte[] tail = new byte[Verbatim.Length - 1];
    private long total;
    private long gap;

    // Such a text is held as a whole by the reader of XML, however long it is. No spreadsheet writes one; nor any other encoding than UTF-8, in which it would not be found.
    private static ReadOnlySpan<byte> Verbatim => "<![CDATA["u8;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        CheckText(buffer[..read]);
        total += read;
        var last = buffer[..read].LastIndexOf((byte)'<');
        gap = last < 0 ? gap + read : read - last;
        if (total > most || gap > MaxGap || (total > AlwaysTaken && total / Math.Max(packed, 1) > MaxRatio))
        {
            throw new ImportFileException(ImportCodes.TooLarge, Texts.Of("UnpacksTooLarge"), "file");
        }

        return read;
    }

    private void CheckText(ReadOnlySpan<byte> bytes)
    {
        Span<byte> seam = stackalloc byte[2 * tail.Length];
        tail.CopyTo(seam);
        var begin = bytes[..Math.Min(bytes.Length, tail.Length)];
        begin.CopyTo(seam[tail.Length..]);
        if (bytes.IndexOf(Verbatim) >= 0 || seam.IndexOf(Verbatim) >= 0 || (total == 0 && begin.ContainsAny((byte)0, (byte)0xFE, (byte)0xFF)))
        {
            throw new InvalidDataException("The part is not written as those of workbooks are.");
        }

        var end = bytes[Math.Max(0, bytes.Length - tail.Length)..];
        tail.AsSpan(end.Length).CopyTo(tail);
        end.CopyTo(tail.AsSpan(tail.Length - end.Length));
    }

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
