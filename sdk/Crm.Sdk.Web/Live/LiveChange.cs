using System.Collections.Immutable;

namespace Crm.Sdk.Web.Live;

/// <summary>Records of an entity changed. It says which, not how: whoever shows them reads them again, as far as their user may.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Versions">The versions the records have now, by id; empty when it is not known which ones changed.</param>
public sealed record LiveChange(string Entity, ImmutableDictionary<Guid, long> Versions)
{
    // More than any page shows at once.
    private const int MaxRecords = 1000;

    /// <summary>Whether any record may have changed.</summary>
    public bool IsAny => Versions.IsEmpty;

    /// <summary>Any record of an entity may have changed.</summary>
    public static LiveChange AnyOf(string entity) => new(entity, ImmutableDictionary<Guid, long>.Empty);

    /// <summary>Both changes in one.</summary>
    internal LiveChange With(LiveChange later) =>
        IsAny || later.IsAny || Versions.Count + later.Versions.Count > MaxRecords ? AnyOf(Entity) : this with { Versions = Versions.SetItems(later.Versions) };
}
