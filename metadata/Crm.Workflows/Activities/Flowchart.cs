using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Crm.Workflows;

/// <summary>
/// Runs activities along connections. An activity that is over puts a token on each connection that begins at one of its outcomes; where several connections
/// meet, the next activity begins once nothing that is under way can still arrive there, unless a join says otherwise.
/// </summary>
internal sealed class Flowchart() : ContainerActivity("Elsa.Flowchart")
{
    public override void Check(ActivityCheck check)
    {
        var ids = check.Node.Items.Select(i => i.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var connection in check.Node.Connections)
        {
            foreach (var end in new[] { connection.Source, connection.Target }.Where(e => !ids.Contains(e)))
            {
                check.Problem(Texts.Of("ConnectionNowhere", check.Node.Name, end));
            }

            if (check.Node.Items.FirstOrDefault(i => i.Id == connection.Source) is { } source && check.Find(source.Type)?.Outcomes(source) is { } outcomes && !outcomes.Contains(connection.Port))
            {
                check.Problem(source, Texts.Of("NoSuchOutcome", source.Name, connection.Port, string.Join(", ", outcomes)));
            }
        }

        foreach (var circle in FlowMap.Of(check.Node).Circles().Where(c => !c.Any(n => check.Rests(n))))
        {
            check.Problem(circle[0], Texts.Of("CircleWithoutWait", string.Join(" → ", circle.Append(circle[0]).Select(n => n.Name))));
        }
    }

    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var (node, trigger) = (context.Node, context.Run.Instance.TriggerActivity);
        var start = node.Items.FirstOrDefault(i => i.Id == trigger) ?? FlowMap.Of(node).Start;
        if (start is null)
        {
            return Ended(Done);
        }

        context.Run.Schedule(start, context.Frame);
        return new((ImmutableArray<string>?)null);
    }

    public override ImmutableArray<string>? ChildEnded(ActivityContext context, ActivityNode child, ImmutableArray<string> outcomes)
    {
        // It ends the flowchart, whatever else is under way.
        if (child.Type is "Elsa.End")
        {
            return Done;
        }

        var tokens = Tokens(context);
        for (var i = 0; i < context.Node.Connections.Length; i++)
        {
            var connection = context.Node.Connections[i];
            if (connection.Source == child.Id && outcomes.Contains(connection.Port) && !tokens.Contains(i))
            {
                tokens.Add(i);
            }
        }

        Settle(context, tokens);
        context.Frame.Data["tokens"] = new JsonArray([.. tokens.Select(t => (JsonNode)t)]);
        return Active(context).Any() ? null : Done;
    }

    /// <summary>Schedules whatever can begin.</summary>
    private static void Settle(ActivityContext context, List<int> tokens)
    {
        var map = FlowMap.Of(context.Node);
        for (var again = true; again;)
        {
            again = false;
            foreach (var target in tokens.Select(t => context.Node.Connections[t].Target).Distinct(StringComparer.Ordinal).ToList())
            {
                if (!IsReady(context, map, target, tokens))
                {
                    continue;
                }

                if (FlowJoin.ModeOf(map[target]) == FlowJoin.Any)
                {
                    CancelBefore(context, map, target);
                }

                tokens.RemoveAll(t => context.Node.Connections[t].Target == target);
                context.Run.Schedule(map[target], context.Frame);
                again = true;
            }
        }
    }

    private static bool IsReady(ActivityContext context, FlowMap map, string target, List<int> tokens)
    {
        var inbound = map.Forward(target);
        var arrived = tokens.Where(t => context.Node.Connections[t].Target == target).ToList();
        if (inbound.Count < 2 || arrived.Exists(t => !inbound.Contains(t)))
        {
            return true;
        }

        switch (FlowJoin.ModeOf(map[target]))
        {
            case FlowJoin.Any:
                return true;
            case FlowJoin.All:
                return inbound.All(arrived.Contains);
            default:
                var before = map.Before(target);
                return !Active(context).Any(before.Contains)
                    && !tokens.Select(t => context.Node.Connections[t].Target).Any(t => t != target && before.Contains(t) && FlowJoin.ModeOf(map[t]) != FlowJoin.All);
        }
    }

    private static void CancelBefore(ActivityContext context, FlowMap map, string target)
    {
        var before = map.Before(target);
        context.Run.State.Queue.RemoveAll(i => i.Frame == 0 && i.Parent == context.Frame.Id && before.Contains(i.Activity));
        foreach (var frame in context.Run.State.Frames.Where(f => f.Parent == context.Frame.Id && before.Contains(f.Activity)).ToList())
        {
            context.Run.Note(map[frame.Activity], "Cancelled");
            context.Run.Cancel(frame);
        }
    }

    /// <summary>Activities of the flowchart that are under way or about to begin.</summary>
    private static IEnumerable<string> Active(ActivityContext context) =>
        context.Run.State.Frames.Where(f => f.Parent == context.Frame.Id).Select(f => f.Activity)
            .Concat(context.Run.State.Queue.Where(i => i.Frame == 0 && i.Parent == context.Frame.Id).Select(i => i.Activity));

    private static List<int> Tokens(ActivityContext context) => [.. (context.Frame.Data["tokens"] as JsonArray ?? []).Select(t => t!.GetValue<int>())];
}

/// <summary>The connections of a flowchart, looked at from the start: which lead on, and which lead back.</summary>
internal sealed class FlowMap
{
    private static readonly ConditionalWeakTable<ActivityNode, FlowMap> Known = [];

    private readonly ActivityNode flowchart;
    private readonly Dictionary<string, ActivityNode> nodes;
    private readonly ILookup<string, int> outbound;
    private readonly HashSet<int> back = [];
    private readonly Dictionary<string, HashSet<string>> before = new(StringComparer.Ordinal);

    private FlowMap(ActivityNode flowchart)
    {
        this.flowchart = flowchart;
        nodes = flowchart.Items.DistinctBy(i => i.Id).ToDictionary(i => i.Id, StringComparer.Ordinal);
        outbound = Enumerable.Range(0, flowchart.Connections.Length)
            .Where(i => nodes.ContainsKey(flowchart.Connections[i].Source) && nodes.ContainsKey(flowchart.Connections[i].Target))
            .ToLookup(i => flowchart.Connections[i].Source, StringComparer.Ordinal);
        var targets = flowchart.Connections.Select(c => c.Target).ToHashSet(StringComparer.Ordinal);
        Start = flowchart.Items.FirstOrDefault(i => i.Id == ActivityNode.Text(flowchart.Json["start"]))
            ?? flowchart.Items.FirstOrDefault(i => i.CanStart)
            ?? flowchart.Items.FirstOrDefault(i => !targets.Contains(i.Id))
            ?? flowchart.Items.FirstOrDefault();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var first in flowchart.Items.Where(i => !targets.Contains(i.Id)).Prepend(Start).OfType<ActivityNode>().Concat(flowchart.Items))
        {
            Visit(first.Id, seen, []);
        }
    }

    /// <summary>Where it begins when no event says otherwise.</summary>
    public ActivityNode? Start { get; }

    public ActivityNode this[string id] => nodes[id];

    public static FlowMap Of(ActivityNode flowchart) => Known.GetValue(flowchart, f => new FlowMap(f));

    /// <summary>Connections to an activity that do not lead back.</summary>
    public List<int> Forward(string target) => [.. outbound.SelectMany(g => g).Where(i => flowchart.Connections[i].Target == target && !back.Contains(i))];

    /// <summary>Activities from which connections lead to one, without going back.</summary>
    public HashSet<string> Before(string target)
    {
        if (!before.TryGetValue(target, out var found))
        {
            found = new HashSet<string>(StringComparer.Ordinal);
            var next = new Queue<string>([target]);
            while (next.TryDequeue(out var at))
            {
                foreach (var source in Forward(at).Select(i => flowchart.Connections[i].Source).Where(found.Add))
                {
                    next.Enqueue(source);
                }
            }

            before[target] = found;
        }

        return found;
    }

    /// <summary>Circles, each as its activities in order.</summary>
    public IEnumerable<ImmutableArray<ActivityNode>> Circles()
    {
        foreach (var connection in back.Select(i => flowchart.Connections[i]))
        {
            if (PathOf(connection.Target, connection.Source) is { } path)
            {
                yield return [.. path.Select(id => nodes[id])];
            }
        }
    }

    private void Visit(string id, HashSet<string> seen, HashSet<string> path)
    {
        if (!seen.Add(id))
        {
            return;
        }

        path.Add(id);
        foreach (var connection in outbound[id])
        {
            var target = flowchart.Connections[connection].Target;
            if (path.Contains(target))
            {
                back.Add(connection);
            }
            else
            {
                Visit(target, seen, path);
            }
        }

        path.Remove(id);
    }

    private List<string>? PathOf(string from, string to)
    {
        var came = new Dictionary<string, string?>(StringComparer.Ordinal) { [from] = null };
        var next = new Queue<string>([from]);
        while (next.TryDequeue(out var at))
        {
            if (at == to)
            {
                var path = new List<string>();
                for (string? step = to; step is not null; step = came[step])
                {
                    path.Insert(0, step);
                }

                return path;
            }

            foreach (var target in outbound[at].Select(i => flowchart.Connections[i].Target).Where(t => came.TryAdd(t, at)))
            {
                next.Enqueue(target);
            }
        }

        return null;
    }
}
