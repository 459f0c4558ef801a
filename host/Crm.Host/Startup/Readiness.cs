namespace Crm.Host.Startup;

/// <summary>Whether the start has come to its end.</summary>
internal sealed class Readiness
{
    private volatile bool isReady;

    public bool IsReady => isReady;

    /// <summary>The password made for the first administrator; null unless this start made one. Shown once, stored nowhere.</summary>
    public string? NewAdminPassword { get; set; }

    public void SetReady() => isReady = true;
}
