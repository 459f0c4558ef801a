using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Crm.Workflows;

/// <summary>Goes one way or the other.</summary>
internal sealed class FlowDecision() : Activity("Elsa.FlowDecision")
{
    public override ImmutableArray<string>? Outcomes(ActivityNode node) => ["True", "False", Connection.Done];

    public override void Check(ActivityCheck check) => check.Condition("condition");

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) =>
        [await context.HoldsAsync(context.Node.Json["condition"], ct) ? "True" : "False"];
}

/// <summary>Goes the way of the first case that holds, or of all of them.</summary>
internal sealed class FlowSwitch() : Activity("Elsa.FlowSwitch")
{
    public override ImmutableArray<string>? Outcomes(ActivityNode node) => [.. node.Cases.Select(c => c.Label), "Default", Connection.Done];

    public override void Check(ActivityCheck check) => check.Cases();

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var matches = await Switch.MatchesAsync(context, ct);
        return matches.IsEmpty ? ["Default"] : [.. matches.Select(m => m.Label)];
    }
}

/// <summary>Goes several ways at once.</summary>
internal sealed class FlowFork() : Activity("Elsa.FlowFork")
{
    public override ImmutableArray<string>? Outcomes(ActivityNode node) => null;

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) => await context.GetAsync("branches", ct) switch
    {
        JsonArray list => [.. list.Select(b => b?.ToString() ?? "")],
        JsonValue text when text.ToString() is ['[', ..] json && JsonNode.Parse(json) is JsonArray list => [.. list.Select(b => b?.ToString() ?? "")],
        _ => Done,
    };
}

/// <summary>Where several ways meet.</summary>
internal sealed class FlowJoin() : Activity(Name)
{
    public const string Any = "WaitAny";
    public const string All = "WaitAll";

    private const string Name = "Elsa.FlowJoin";

    /// <summary>What it waits for; null for whatever is under way, as other activities do.</summary>
    public static string? ModeOf(ActivityNode node) => node.Type != Name ? null : node.Literal("mode") switch
    {
        All or "0" => All,
        "WaitAllActive" or "1" => null,
        _ => Any,
    };

    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) => Ended(Done);
}

/// <summary>Gives a variable a value.</summary>
internal sealed class SetVariable() : Activity("Elsa.SetVariable")
{
    public override void Check(ActivityCheck check)
    {
        check.Variable(check.Node.Json["variable"]);
        check.Input("value");
    }

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        context.Run.SetVariable(ActivityContext.VariableKey(context.Node.Json["variable"]), await context.GetAsync("value", ct));
        return Done;
    }
}

/// <summary>Does nothing but go on.</summary>
internal sealed class Pass(string type) : Activity(type)
{
    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) => Ended(Done);
}

/// <summary>Ends the whole run.</summary>
internal sealed class Finish() : Activity("Elsa.Finish")
{
    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        context.Run.Note(context.Node, "Completed");
        context.Run.Finish();
        return new((ImmutableArray<string>?)null);
    }
}

/// <summary>Ends the run as failed.</summary>
internal sealed class Fault() : Activity("Elsa.Fault")
{
    public override ImmutableArray<string>? Outcomes(ActivityNode node) => [Connection.Done];

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) =>
        throw new ActivityFailedException(await context.TextAsync("code", ct) ?? "fault", await context.TextAsync("message", ct) ?? context.Node.Name);
}

/// <summary>Writes a line into the journal.</summary>
internal sealed class WriteLine() : Activity("Elsa.WriteLine")
{
    public override void Check(ActivityCheck check) => check.Input("text");

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        context.Run.Note(context.Node, "Written", message: await context.TextAsync("text", ct));
        return Done;
    }
}
