using System.Collections.Frozen;

namespace Crm.Workflows;

/// <summary>The kinds of activities there are.</summary>
internal sealed class ActivityCatalog
{
    /// <summary>Code of an incident about a kind nobody knows.</summary>
    public const string Unknown = "unknown_activity";

    private readonly FrozenDictionary<string, Activity> byType = new Activity[]
    {
        new Flowchart(), new Sequence(), new If(), new Switch(), new ForEach(), new Fork(), new Break(),
        new FlowDecision(), new FlowSwitch(), new FlowFork(), new FlowJoin(), new SetVariable(), new Pass("Elsa.Start"), new Pass("Elsa.End"), new Finish(), new Fault(), new WriteLine(),
        new Trigger(TriggerKinds.Created), new Trigger(TriggerKinds.Changed), new Trigger(TriggerKinds.Deleted), new Trigger(TriggerKinds.StageEntered), new Trigger(TriggerKinds.StageLeft),
        new Delay(), new StartAt(), new WaitForRecord(), new SetFields(), new CreateRecord(), new UpdateRecord(),
    }.ToFrozenDictionary(a => a.Type, StringComparer.Ordinal);

    public IEnumerable<Activity> All => byType.Values;

    public Activity? Find(string type) => byType.GetValueOrDefault(type);
}
