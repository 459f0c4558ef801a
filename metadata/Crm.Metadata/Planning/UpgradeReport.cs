using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What a new version of a module could not change, because the customer had: their value stays, and a person decides. Pure.</summary>
internal static class UpgradeReport
{
    /// <summary>Compares what a module declared before with what it declares now.</summary>
    /// <param name="draft">The planned declaration.</param>
    /// <param name="module">Id of the module.</param>
    /// <param name="facts">What the records say against it.</param>
    public static IEnumerable<UpgradeFinding> Of(PlanDraft draft, string module, IEnumerable<PlanMessage> facts)
    {
        var findings = Properties(draft, module).Select(f => f.Kind == UpgradeKind.Gone ? f with { Text = Missed(draft, f) } : f).ToList();
        var hidden = findings.Select(Target).ToHashSet(StringComparer.Ordinal);
        // A field that is gone and stays shown because something reads it.
        findings.AddRange(draft.Warnings.Where(w => w.Target is not null && !hidden.Contains(w.Target)).Select(w => At(UpgradeKind.Gone, w, "hidden")));
        findings.AddRange(facts.Select(f => At(UpgradeKind.Records, f, f.Code)));
        return findings;
    }

    private static UpgradeFinding At(UpgradeKind kind, PlanMessage message, string property) => message.Target!.Split('.') is [var entity, var field]
        ? new UpgradeFinding(kind, entity, LayerSays.Key("fields", field, property), null, null, null) { Text = message.Message }
        : new UpgradeFinding(kind, message.Target, property, null, null, null) { Text = message.Message };

    private static string Target(UpgradeFinding finding) => LayerSays.Path(finding.Key) is ["fields", var field, _] ? finding.Entity + "." + field : finding.Entity;

    /// <summary>What went, and who misses it.</summary>
    private static string Missed(PlanDraft draft, UpgradeFinding finding)
    {
        var state = new MetadataState(draft.Snapshot, draft.After);
        var uses = LayerSays.Path(finding.Key) is ["fields", var field, _] ? WhereUsed.OfField(state, finding.Entity, field) : WhereUsed.OfEntity(state, finding.Entity);
        var missed = string.Join("; ", uses.Where(u => u.Kind != "module").Select(u => u.Text).Distinct(StringComparer.Ordinal));
        var messages = draft.Warnings.Where(w => w.Target == Target(finding)).Select(w => w.Message);
        return string.Join(' ', missed.Length == 0 ? messages : messages.Append(missed + "."));
    }

    private static IEnumerable<UpgradeFinding> Properties(PlanDraft draft, string module)
    {
        var (old, now) = (draft.Before.Find(module) ?? Layer.Empty(new ModuleInfo(module, module)), draft.After.Find(module)!);
        foreach (var entity in old.Entities.Keys.Union(now.Entities.Keys).Order(StringComparer.Ordinal))
        {
            var (before, after, yours) = (Renamed(LayerSays.Of(old.Entity(entity)), draft, entity), LayerSays.Of(now.Entity(entity)), LayerSays.Of(draft.After.Custom.Entity(entity)));
            foreach (var key in before.Keys.Union(after.Keys, StringComparer.Ordinal))
            {
                var (said, says) = (before.GetValueOrDefault(key), after.GetValueOrDefault(key));
                if (before.ContainsKey(key) == after.ContainsKey(key) && JsonNode.DeepEquals(said, says))
                {
                    continue;
                }

                if (LayerSays.Path(key) is ["hidden"] or ["fields", _, "hidden"])
                {
                    yield return new UpgradeFinding(says is null ? UpgradeKind.Back : UpgradeKind.Gone, entity, key, null, null, null);
                }
                else if (!draft.MergedLists.Contains((entity, key)) && yours.TryGetValue(key, out var mine) && !(after.ContainsKey(key) && JsonNode.DeepEquals(mine, says)))
                {
                    yield return new UpgradeFinding(UpgradeKind.Kept, entity, key, said?.ToJsonString(), says?.ToJsonString(), mine?.ToJsonString());
                }
            }
        }
    }

    /// <summary>What was said of a field under its former name is said of it now.</summary>
    private static OrderedDictionary<string, JsonNode?> Renamed(OrderedDictionary<string, JsonNode?> says, PlanDraft draft, string entity)
    {
        foreach (var rename in draft.Renames.Where(r => r.Entity == entity))
        {
            foreach (var (key, value) in says.Where(s => LayerSays.Path(s.Key) is ["fields", var name, _] && name == rename.From).ToList())
            {
                says.Remove(key);
                says[LayerSays.Key("fields", rename.To, LayerSays.Path(key)[2])] = value;
            }
        }

        return says;
    }
}

/// <summary>One thing a person should decide on, or at least know, after a module got a new version.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Entity">Name of the entity.</param>
/// <param name="Key">As <see cref="PropertyOrigin.Key"/>.</param>
/// <param name="Before">What the module said before, as JSON.</param>
/// <param name="After">What it says now.</param>
/// <param name="Yours">What the customer says.</param>
internal sealed record UpgradeFinding(UpgradeKind Kind, string Entity, string Key, string? Before, string? After, string? Yours)
{
    /// <summary>In words, where there is more to say than two values.</summary>
    public string? Text { get; init; }
}

/// <summary>What an upgrade met.</summary>
public enum UpgradeKind
{
    /// <summary>The module changed what the customer had changed, whose value stays.</summary>
    Kept,

    /// <summary>The module does not declare it any more.</summary>
    Gone,

    /// <summary>Records do not fit what the module asks of them now.</summary>
    Records,

    /// <summary>It is declared again: what was noted about its going is settled.</summary>
    Back,
}
