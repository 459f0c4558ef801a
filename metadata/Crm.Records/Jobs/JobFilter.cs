namespace Crm.Records.Jobs;

/// <summary>Which jobs are listed, newest first.</summary>
public sealed record JobFilter
{
    /// <summary>Those of a kind; null for all.</summary>
    public string? Kind { get; init; }

    /// <summary>Those in a state; null for all.</summary>
    public JobState? State { get; init; }

    /// <summary>Those that were asked for before this one: the last of the page before; null for the first page.</summary>
    public Guid? Before { get; init; }

    /// <summary>How many at most.</summary>
    public int Top { get; init; } = 50;
}
