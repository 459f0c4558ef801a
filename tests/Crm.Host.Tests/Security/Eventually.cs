namespace Crm.Host.Tests.Security;

/// <summary>For what is announced to hosts and therefore follows a moment later.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Asks until the answer is the expected one.</summary>
    public static async Task AsyncEqual<T>(T expected, Func<Task<T>> actual)
    {
        using var patience = new CancellationTokenSource(Patience);
        var last = await actual();
        while (!EqualityComparer<T>.Default.Equals(last, expected) && !patience.IsCancellationRequested)
        {
            last = await actual();
        }

        Assert.Equal(expected, last);
    }
}
