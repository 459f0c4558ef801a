using Crm.Records;

namespace Crm.Host.Pages.Import;

/// <summary>Tells how much of a stream was read, for the progress of an upload.</summary>
internal sealed class CountingStream(Stream inner, Action<long> counted) : ReadStream
{
    private long read;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var length = await inner.ReadAsync(buffer, cancellationToken);
        read += length;
        counted(read);
        return length;
    }

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }
}
