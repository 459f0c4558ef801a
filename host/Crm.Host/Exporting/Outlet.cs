namespace Crm.Host.Exporting;

/// <summary>Holds what somebody writes who knows no waiting, such as an archive, until <see cref="DrainAsync"/> sends it on.</summary>
/// <param name="target">Where it goes.</param>
internal sealed class Outlet(Stream target) : Stream
{
    private readonly MemoryStream held = new();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sends what is held.</summary>
    public async Task DrainAsync(CancellationToken ct)
    {
        await target.WriteAsync(held.GetBuffer().AsMemory(0, (int)held.Length), ct);
        await target.FlushAsync(ct);
        held.SetLength(0);
    }

    public override void Write(byte[] buffer, int offset, int count) => held.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => held.Write(buffer);

    public override void Flush()
    {
        // Only on request.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            held.Dispose();
        }

        base.Dispose(disposing);
    }
}
