namespace Crm.Sdk.Web;

/// <summary>Ids that lead from a message a user saw to the entry in the log.</summary>
public static class ErrorIds
{
    /// <summary>A new id, short enough to be read out over the phone.</summary>
    public static string Next() => Guid.CreateVersion7().ToString("N")[^10..];
}
