namespace Crm.Workflows;

/// <summary>A run somebody holds.</summary>
internal sealed class InstanceRow
{
    public Guid Id { get; init; }

    public required string VersionId { get; init; }

    public int Version { get; init; }

    public required string Name { get; init; }

    public string? TriggerActivity { get; init; }

    public string? Entity { get; init; }

    public Guid? RecordId { get; init; }

    public string? State { get; init; }

    public int Attempts { get; init; }

    public Guid Lease { get; init; }

    public DateTime DueAt { get; init; }

    public long? EventId { get; init; }

    /// <summary>What history says a value was set by.</summary>
    public string Source => Texts.Of("Source", Name, Version);
}
