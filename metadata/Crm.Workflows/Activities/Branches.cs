using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Crm.Workflows;

/// <summary>Runs activities one after the other.</summary>
internal sealed class Sequence() : ContainerActivity("Elsa.Sequence")
{
    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) => new(Next(context));

    public override ImmutableArray<string>? ChildEnded(ActivityContext context, ActivityNode child, ImmutableArray<string> outcomes) => Next(context);

    private static ImmutableArray<string>? Next(ActivityContext context)
    {
        var index = context.Frame.Data["next"]?.GetValue<int>() ?? 0;
        if (index >= context.Node.Items.Length)
        {
            return Done;
        }

        context.Frame.Data["next"] = index + 1;
        context.Run.Schedule(context.Node.Items[index], context.Frame);
        return null;
    }
}

/// <summary>Runs one of two activities.</summary>
internal sealed class If() : ContainerActivity("Elsa.If")
{
    public override void Check(ActivityCheck check) => check.Condition("condition");

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        if (!context.Node.Ports.TryGetValue(await context.HoldsAsync(context.Node.Json["condition"], ct) ? "then" : "else", out var next))
        {
            return Done;
        }

        context.Run.Schedule(next, context.Frame);
        return null;
    }
}

/// <summary>Runs the activity of the first case that holds, or of all of them.</summary>
internal sealed class Switch() : ContainerActivity("Elsa.Switch")
{
    public override void Check(ActivityCheck check) => check.Cases();

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var matches = await MatchesAsync(context, ct);
        ImmutableArray<ActivityNode> next = matches.IsEmpty
            ? context.Node.Ports.TryGetValue("default", out var other) ? [other] : []
            : [.. matches.Select(m => m.Activity).OfType<ActivityNode>()];
        foreach (var activity in next)
        {
            context.Run.Schedule(activity, context.Frame);
        }

        context.Frame.Data["left"] = next.Length;
        return next.IsEmpty ? Done : null;
    }

    public override ImmutableArray<string>? ChildEnded(ActivityContext context, ActivityNode child, ImmutableArray<string> outcomes)
    {
        var left = context.Frame.Data["left"]!.GetValue<int>() - 1;
        context.Frame.Data["left"] = left;
        return left == 0 ? Done : null;
    }

    /// <summary>Cases that hold: the first, or all of them when the switch says so.</summary>
    public static async ValueTask<ImmutableArray<SwitchCase>> MatchesAsync(ActivityContext context, CancellationToken ct)
    {
        var isAny = await context.TextAsync("mode", ct) is "MatchAny" or "1";
        var matches = ImmutableArray.CreateBuilder<SwitchCase>();
        foreach (var option in context.Node.Cases)
        {
            if (await context.HoldsAsync(option.Condition, ct))
            {
                matches.Add(option);
                if (!isAny)
                {
                    break;
                }
            }
        }

        return matches.ToImmutable();
    }
}

/// <summary>Runs its body once for each item of a list.</summary>
internal sealed class ForEach() : ContainerActivity("Elsa.ForEach")
{
    public override void Check(ActivityCheck check) => check.Input("items");

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var items = await context.GetAsync("items", ct) switch
        {
            JsonArray list => list,
            null => [],
            var single => [single.DeepClone()],
        };
        if (items.Count > RunLimits.Items)
        {
            throw new ActivityFailedException("loop", Texts.Of("TooManyItems", items.Count, RunLimits.Items));
        }

        context.Frame.Data["items"] = items.DeepClone();
        return Next(context);
    }

    public override ImmutableArray<string>? ChildEnded(ActivityContext context, ActivityNode child, ImmutableArray<string> outcomes) => Next(context);

    private static ImmutableArray<string>? Next(ActivityContext context)
    {
        var data = context.Frame.Data;
        var items = data["items"]!.AsArray();
        var index = data["next"]?.GetValue<int>() ?? 0;
        if (index >= items.Count || !context.Node.Ports.TryGetValue("body", out var body))
        {
            return Done;
        }

        data["next"] = index + 1;
        data["variables"] = new JsonObject { ["CurrentIndex"] = index, ["CurrentValue"] = items[index]?.DeepClone() };
        if (context.Node.Output("currentValue") is { } variable)
        {
            context.Run.SetVariable(variable, items[index]);
        }

        context.Run.Schedule(body, context.Frame);
        return null;
    }
}

/// <summary>Runs several branches, and goes on after all of them or after the first.</summary>
internal sealed class Fork() : ContainerActivity("Elsa.Fork")
{
    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        foreach (var branch in context.Node.Items)
        {
            context.Run.Schedule(branch, context.Frame);
        }

        context.Frame.Data["left"] = context.Node.Items.Length;
        return context.Node.Items.IsEmpty ? Ended(Done) : new((ImmutableArray<string>?)null);
    }

    public override ImmutableArray<string>? ChildEnded(ActivityContext context, ActivityNode child, ImmutableArray<string> outcomes)
    {
        var left = context.Frame.Data["left"]!.GetValue<int>() - 1;
        context.Frame.Data["left"] = left;
        return left == 0 || context.Node.Literal("joinMode") is "WaitAny" or "1" ? Done : null;
    }
}

/// <summary>Leaves the loop around it.</summary>
internal sealed class Break() : Activity("Elsa.Break")
{
    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        for (var frame = context.Frame; frame is not null; frame = context.Run.State.Frames.Find(f => f.Id == frame.Parent))
        {
            if (context.Run.Graph.TryFind(frame.Activity, out var node) && node.Type == "Elsa.ForEach")
            {
                context.Run.End(frame, Done);
                return new((ImmutableArray<string>?)null);
            }
        }

        throw new ActivityFailedException("loop", Texts.Of("BreakOutside"));
    }
}
