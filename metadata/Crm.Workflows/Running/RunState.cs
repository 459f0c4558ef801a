using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crm.Workflows;

/// <summary>How far a run is: all of it, as stored between two steps.</summary>
internal sealed class RunState
{
    /// <summary>Values of variables, by id.</summary>
    public Dictionary<string, JsonNode?> Variables { get; init; } = [];

    /// <summary>Activities under way.</summary>
    public List<Frame> Frames { get; init; } = [];

    /// <summary>Activities to be run next, in order.</summary>
    public List<WorkItem> Queue { get; init; } = [];

    public int LastFrame { get; set; }

    /// <summary>Activities run since it last waited.</summary>
    public int Steps { get; set; }

    public string ToJson() => JsonSerializer.Serialize(this);

    public static RunState Of(string json) => JsonSerializer.Deserialize<RunState>(json)!;
}

/// <summary>An activity under way: a container with children, or one that waits.</summary>
internal sealed class Frame
{
    public int Id { get; init; }

    public required string Activity { get; init; }

    /// <summary>The frame of the container; 0 for the root.</summary>
    public int Parent { get; init; }

    /// <summary>What the activity keeps for itself.</summary>
    public JsonObject Data { get; init; } = [];
}

/// <summary>An activity to be run.</summary>
/// <param name="Activity">Which.</param>
/// <param name="Parent">The frame of its container; 0 for the root.</param>
/// <param name="Frame">The frame that goes on; 0 when it begins.</param>
/// <param name="Wake">Why it goes on.</param>
internal sealed record WorkItem(string Activity, int Parent, int Frame = 0, Wake? Wake = null);

/// <summary>Why an activity that waited goes on.</summary>
/// <param name="Bookmark">What it waited at.</param>
/// <param name="EventKind">What happened to the record: 0 create, 1 update, 2 delete; null when the moment came.</param>
internal sealed record Wake(Guid Bookmark, short? EventKind);

/// <summary>A line of the journal, before it is written.</summary>
internal sealed record JournalLine(DateTimeOffset At, string? ActivityId, string? ActivityType, string? ActivityName, string Event, string? Outcome, string? Message);

/// <summary>Where a run waits.</summary>
internal sealed record Bookmark(Guid Id, int Frame, string ActivityId, DateTimeOffset? DueAt, Watch? Watch, DateTimeOffset CreatedAt);

/// <summary>What a run waits for to happen to a record.</summary>
/// <param name="Entity">The record's entity.</param>
/// <param name="RecordId">The record.</param>
/// <param name="Version">Its version when the wait began: what was older does not count.</param>
/// <param name="Kinds">Which changes.</param>
/// <param name="Fields">One of them must have changed; empty for any.</param>
internal sealed record Watch(string Entity, Guid RecordId, long Version, short[] Kinds, string[] Fields);

/// <summary>Why a run cannot go on.</summary>
/// <param name="ActivityId">The activity that failed.</param>
/// <param name="Activity">Its name.</param>
/// <param name="Code">Stable code, as of a refused save.</param>
/// <param name="Message">For people.</param>
/// <param name="At">When.</param>
internal sealed record Incident(string? ActivityId, string? Activity, string Code, string Message, DateTimeOffset At);

/// <summary>An activity cannot do what it should, for a reason people can read.</summary>
internal sealed class ActivityFailedException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
