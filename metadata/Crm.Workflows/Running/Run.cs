using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>A run in memory, between two commits: takes one activity after another from the queue, and remembers what is to be written.</summary>
internal sealed class Run(InstanceRow instance, WorkflowGraph graph, RunState state, ActivityCatalog activities, IRecordService records, MetadataSnapshot snapshot, TimeProvider time)
{
    public InstanceRow Instance => instance;

    public WorkflowGraph Graph => graph;

    public RunState State { get; private set; } = state;

    /// <summary>Reads records; what is written goes through the step.</summary>
    public IRecordService Records => records;

    public MetadataSnapshot Snapshot => snapshot;

    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Lines of the journal to be written.</summary>
    public List<JournalLine> Journal { get; } = [];

    /// <summary>Bookmarks to be written.</summary>
    public List<Bookmark> NewBookmarks { get; } = [];

    /// <summary>Frames that ended, so that their bookmarks go.</summary>
    public HashSet<int> Ended { get; } = [];

    /// <summary>Bookmarks whose moment or event has come.</summary>
    public List<Guid> Woken { get; } = [];

    public Incident? Incident { get; private set; }

    public bool IsFinished => State is { Queue.Count: 0, Frames.Count: 0 };

    /// <summary>Whether it has nothing to do before something happens.</summary>
    public bool IsIdle => State.Queue.Count == 0;

    public string Status => Incident is not null ? "faulted" : !IsIdle ? "running" : IsFinished ? "finished" : "suspended";

    /// <summary>A run nobody has begun.</summary>
    public static RunState Begin(WorkflowGraph graph)
    {
        var state = new RunState();
        foreach (var variable in graph.Variables)
        {
            state.Variables[variable.Id] = variable.Value?.DeepClone();
        }

        state.Queue.Add(new WorkItem(graph.Root!.Id, 0));
        return state;
    }

    /// <summary>What to go back to when the next activity fails.</summary>
    public RunMark Mark() => new(State.ToJson(), Journal.Count, [.. NewBookmarks], [.. Ended]);

    /// <summary>Forgets what was done since, and says why.</summary>
    public void Fail(RunMark mark, string code, string message)
    {
        State = RunState.Of(mark.State);
        Journal.RemoveRange(mark.Journal, Journal.Count - mark.Journal);
        NewBookmarks.Clear();
        NewBookmarks.AddRange(mark.Bookmarks);
        Ended.Clear();
        Ended.UnionWith(mark.Ended);
        graph.TryFind(State.Queue[0].Activity, out var node);
        Incident = new Incident(node?.Id, node?.Name, code, message, Now);
        Journal.Add(new JournalLine(Now, node?.Id, node?.Type, node?.Name, "Faulted", null, message));
    }

    /// <summary>Whether something happened that is not written yet.</summary>
    public bool HasUnwritten => Journal.Count > 0;

    /// <summary>Goes on at an activity that waited.</summary>
    public void Resume(int frame, string activity, Wake why)
    {
        if (State.Frames.Find(f => f.Id == frame) is { } waiting && !State.Queue.Exists(i => i.Frame == frame))
        {
            State.Queue.Add(new WorkItem(activity, waiting.Parent, frame, why));
            Woken.Add(why.Bookmark);
        }
    }

    /// <summary>Forgets what was written.</summary>
    public void Written()
    {
        Journal.Clear();
        NewBookmarks.Clear();
        Ended.Clear();
        Woken.Clear();
    }

    /// <summary>Runs the next activity.</summary>
    /// <returns>What it wants written.</returns>
    /// <exception cref="ActivityFailedException">It cannot do what it should.</exception>
    public async Task<IReadOnlyList<RecordChange>> StepAsync(CancellationToken ct)
    {
        var item = State.Queue[0];
        var node = graph.TryFind(item.Activity, out var found) ? found : throw new ActivityFailedException("definition", Texts.Of("ActivityGone", item.Activity));
        var activity = activities.Find(node.Type) ?? throw new ActivityFailedException(ActivityCatalog.Unknown, Texts.Of("UnknownActivity", node.Name, node.Type));
        if (++State.Steps > RunLimits.Steps)
        {
            throw new ActivityFailedException("loop", Texts.Of("TooManySteps", RunLimits.Steps));
        }

        State.Queue.RemoveAt(0);
        var frame = State.Frames.Find(f => f.Id == item.Frame);
        if (frame is null)
        {
            frame = new Frame { Id = ++State.LastFrame, Activity = node.Id, Parent = item.Parent };
            State.Frames.Add(frame);
            Note(node, "Started");
        }
        else
        {
            Note(node, "Resumed");
        }

        var context = new ActivityContext(this, node, frame);
        var outcomes = item.Wake is { } wake ? await activity.ResumeAsync(context, wake, ct) : await activity.ExecuteAsync(context, ct);
        if (outcomes is { } ended)
        {
            End(frame, ended);
        }

        return context.Changes;
    }

    /// <summary>Puts an activity at the end of the queue.</summary>
    public void Schedule(ActivityNode node, Frame parent) => State.Queue.Add(new WorkItem(node.Id, parent.Id));

    /// <summary>Waits at an activity.</summary>
    public void Wait(ActivityContext context, DateTimeOffset? dueAt, Watch? watch = null)
    {
        NewBookmarks.Add(new Bookmark(Guid.CreateVersion7(), context.Frame.Id, context.Node.Id, dueAt, watch, Now));
        State.Steps = 0;
        Note(context.Node, "Suspended", message: dueAt is { } due ? due.ToString("u", System.Globalization.CultureInfo.InvariantCulture) : null);
    }

    /// <summary>An activity is done: its container goes on.</summary>
    public void End(Frame frame, ImmutableArray<string> outcomes)
    {
        graph.TryFind(frame.Activity, out var node);
        Cancel(frame);
        Note(node!, "Completed", outcomes is [Connection.Done] ? null : string.Join(", ", outcomes));
        if (State.Frames.Find(f => f.Id == frame.Parent) is { } parent && graph.TryFind(parent.Activity, out var container)
            && activities.Find(container.Type) is ContainerActivity activity && activity.ChildEnded(new ActivityContext(this, container, parent), node!, outcomes) is { } ended)
        {
            End(parent, ended);
        }
    }

    /// <summary>Ends a frame and everything in it without a word to its container.</summary>
    public void Cancel(Frame frame)
    {
        State.Frames.Remove(frame);
        Ended.Add(frame.Id);
        NewBookmarks.RemoveAll(b => b.Frame == frame.Id);
        State.Queue.RemoveAll(i => i.Frame == frame.Id || (i.Frame == 0 && i.Parent == frame.Id));
        foreach (var child in State.Frames.Where(f => f.Parent == frame.Id).ToList())
        {
            if (graph.TryFind(child.Activity, out var node))
            {
                Note(node, "Cancelled");
            }

            Cancel(child);
        }
    }

    /// <summary>Ends everything.</summary>
    public void Finish()
    {
        State.Queue.Clear();
        foreach (var frame in State.Frames.ToList())
        {
            Cancel(frame);
        }
    }

    public void Note(ActivityNode node, string what, string? outcome = null, string? message = null) =>
        Journal.Add(new JournalLine(Now, node.Id, node.Type, node.Name, what, outcome, message));

    /// <summary>The value of a variable as seen from a frame: those of loops around it first.</summary>
    public JsonNode? Variable(Frame frame, string key)
    {
        for (var at = frame; at is not null; at = State.Frames.Find(f => f.Id == at.Parent))
        {
            if (at.Data["variables"] is JsonObject own && own.TryGetPropertyValue(key, out var value))
            {
                return value;
            }
        }

        var slot = graph.FindVariable(key) ?? throw new ActivityFailedException("variable", Texts.Of("UnknownVariable", key));
        return State.Variables.GetValueOrDefault(slot.Id);
    }

    public void SetVariable(string key, JsonNode? value)
    {
        var slot = graph.FindVariable(key) ?? throw new ActivityFailedException("variable", Texts.Of("UnknownVariable", key));
        State.Variables[slot.Id] = value?.DeepClone();
    }
}

/// <summary>A place in a run to go back to.</summary>
internal sealed record RunMark(string State, int Journal, ImmutableArray<Bookmark> Bookmarks, ImmutableHashSet<int> Ended);

/// <summary>What keeps a run from going round for ever.</summary>
internal static class RunLimits
{
    /// <summary>Activities between two waits.</summary>
    public const int Steps = 10_000;

    /// <summary>Runs that set off one another by what they write, one below the other.</summary>
    public const int Depth = 10;

    /// <summary>Runs that follow from one.</summary>
    public const int Chain = 1_000;

    /// <summary>Activities of a definition.</summary>
    public const int Activities = 500;

    /// <summary>Rounds of a loop over a list.</summary>
    public const int Items = 1_000;
}
