namespace Crm.Metadata;

/// <summary>What our own triggers refuse with.</summary>
public static class SqlStates
{
    /// <summary>A value does not fit the type its column is just being given; the error names the column and the type.</summary>
    public const string Unconvertible = "CRM01";
}
