using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Changes of rules in the customer's layer.</summary>
internal static class RuleEdit
{
    public static void Set(LayerEdit edit, string entityName, RuleDefinition rule)
    {
        if (edit.Find(entityName) is not { } entity)
        {
            return;
        }

        var shape = edit.Custom(entityName);
        edit.Put(shape.With(rule with { Origin = Origins.Custom }) with { RemovedRules = shape.RemovedRules.Remove(rule.Name) });
        edit.Step(entityName, "StepSetRule", rule.Label ?? rule.Name, entity.Label);
    }

    public static void Remove(LayerEdit edit, string entityName, string name)
    {
        if (edit.Find(entityName) is not { } entity)
        {
            return;
        }

        if (entity.Rules.FirstOrDefault(r => r.Name == name) is not { } rule)
        {
            edit.Error(ErrorCodes.Unknown, entityName, "UnknownRule", entity.Label, LayerEdit.Short(name));
            return;
        }

        var shape = edit.Custom(entityName);
        edit.Put(shape with { Rules = shape.Rules.RemoveAll(r => r.Name == name) });
        if (SnapshotBuilder.Bare(edit.Layers, entityName)!.Rules.Any(r => r.Name == name))
        {
            edit.Put(edit.Custom(entityName) with { RemovedRules = shape.RemovedRules.Add(name) });
        }

        edit.Step(entityName, "StepRemoveRule", rule.Label ?? rule.Name, entity.Label);
    }
}
