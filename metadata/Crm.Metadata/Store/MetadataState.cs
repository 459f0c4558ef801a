using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Effective definitions together with the layers they were made of, both of one version.</summary>
/// <param name="Snapshot">Effective definitions.</param>
/// <param name="Layers">What each layer says.</param>
public sealed record MetadataState(MetadataSnapshot Snapshot, MetadataLayers Layers)
{
    /// <summary>Definitions made of layers.</summary>
    public static MetadataState Of(MetadataLayers layers) => new(SnapshotBuilder.Build(layers), layers);
}
