using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with calculated fields: what cannot be read, with its place, and circles.</summary>
internal static class CalculationCheck
{
    public static void Problems(List<PlanMessage> problems, MetadataSnapshot snapshot)
    {
        var graph = new CalculationGraph(snapshot);
        foreach (var entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            // A hidden field keeps what it has; nobody sees it, so that nothing it needs has to stay.
            foreach (var field in entity.Fields.Where(f => !f.IsHidden && (f.Formula ?? (object?)f.RollUp) is not null))
            {
                Field(problems, snapshot, graph, entity, field);
            }
        }
    }

    private static void Field(List<PlanMessage> problems, MetadataSnapshot snapshot, CalculationGraph graph, EntityDefinition entity, FieldDefinition field)
    {
        var target = entity.Name + "." + field.Name;
        if (field.RollUp is not null && !RollUp.TryParse(snapshot, entity, field, out _, out var problem))
        {
            SnapshotCheck.Add(problems, PlanCodes.Expression, target, "RollUpWrong", field.Label, problem);
        }
        else if (field.Formula is not null && !Formula.TryParse(snapshot, entity, field, out _, out var error))
        {
            SnapshotCheck.Add(problems, PlanCodes.Expression, target, "FormulaWrong", field.Label, error.Message);
        }
        else if (graph.Circle(target) is { } circle)
        {
            SnapshotCheck.Add(problems, PlanCodes.Expression, target, "FormulaCircle", field.Label, string.Join(" → ", circle));
        }
    }
}
