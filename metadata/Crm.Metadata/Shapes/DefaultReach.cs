using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What everybody may do while no role says otherwise.</summary>
public static class DefaultReach
{
    /// <summary>How far an operation goes with records of a visibility.</summary>
    public static Reach Of(Visibility visibility, AccessOperation operation) => operation switch
    {
        AccessOperation.Read => visibility == Visibility.Private ? Reach.Own : Reach.All,
        AccessOperation.Write or AccessOperation.Delete => visibility == Visibility.PublicWrite ? Reach.All : Reach.Own,
        AccessOperation.Share => Reach.Own,
        _ => Reach.All,
    };
}
