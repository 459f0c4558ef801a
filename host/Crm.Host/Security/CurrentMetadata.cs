using Crm.Metadata;
using Crm.Records;
using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>The definitions as whoever acts in this scope sees them: what is forbidden to them is not there.</summary>
internal sealed class CurrentMetadata : IMetadata, IDisposable
{
    private readonly MetadataStore store;
    private readonly RecordEngine engine;
    private readonly CurrentActor actor;

    public CurrentMetadata(MetadataStore store, RecordEngine engine, CurrentActor actor)
    {
        (this.store, this.engine, this.actor) = (store, engine, actor);
        store.Changed += Tell;
    }

    public event Action<MetadataSnapshot>? Changed;

    public MetadataSnapshot Current => actor.IsSet ? engine.SnapshotOf(actor.Value) : store.Current;

    public void Dispose() => store.Changed -= Tell;

    private void Tell(MetadataSnapshot full) => Changed?.Invoke(Current);
}
