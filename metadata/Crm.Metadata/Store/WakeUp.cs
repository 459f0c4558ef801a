namespace Crm.Metadata;

/// <summary>Lets a loop sleep until somebody calls, or for a while. Calls while it is awake count once.</summary>
public sealed class WakeUp : IDisposable
{
    private readonly SemaphoreSlim called = new(0, 1);

    /// <summary>Ends the sleep, or the next one.</summary>
    public void Call()
    {
        try
        {
            called.Release();
        }
        catch (Exception problem) when (problem is SemaphoreFullException or ObjectDisposedException)
        {
            // Called already, or nobody sleeps here any more.
        }
    }

    /// <summary>Sleeps until a call or, without one, for the given time; also returns when cancelled, without throwing, because the loop looks for itself.</summary>
    public async Task SleepAsync(TimeSpan atMost, CancellationToken ct) =>
        await ((Task)called.WaitAsync(atMost < TimeSpan.Zero ? TimeSpan.Zero : atMost, ct)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <inheritdoc/>
    public void Dispose() => called.Dispose();
}
