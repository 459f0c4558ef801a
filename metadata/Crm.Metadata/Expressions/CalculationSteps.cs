using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Steps that give the records that are there the values of new and changed formulas and roll-ups.</summary>
internal static class CalculationSteps
{
    public static IEnumerable<PlanStep> Of(MetadataSnapshot before, MetadataSnapshot after)
    {
        var changed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in new CalculationGraph(after).InOrder())
        {
            // A table made by the same plan is empty.
            if (before.TryEntity(node.Entity.Name, out var known) && (IsChanged(known, node.Field) || node.Reads.Any(changed.Contains)))
            {
                changed.Add(node.Name);
                yield return Fill(node);
            }
        }
    }

    private static bool IsChanged(EntityDefinition before, FieldDefinition field) =>
        !before.TryField(field.Name, out var old) || old.IsHidden
        || (old.Formula, old.RollUp, old.Scale, old.MaxLength) != (field.Formula, field.RollUp, field.Scale, field.MaxLength);

    private static PlanStep Fill(CalculationGraph.Node node)
    {
        var step = new PlanStep(MetadataTexts.Of("StepFillFormula", node.Field.Label, node.Entity.Label), null, StepLock.Writes, node.Entity.Name) { Work = StepWork.Fill };
        if (node.RollUp is not null)
        {
            // Not batch by batch: a batch that waited for a parent would overwrite what was rolled up meanwhile by what it had read before.
            return step with { Sql = FillSql(node) };
        }

        var column = Sql.Quote(node.Field.Name);
        var value = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix)).Write(node.Formula!);
        return step with
        {
            Sql = FillSql(node),
            Online = OnlineStep.Fill(node.Entity.Name, node.Field.Name, $"{column} = {value}", $"r.{column} IS DISTINCT FROM {value}"),
        };
    }

    /// <summary>Gives every record that holds something else the value it should hold.</summary>
    public static string FillSql(CalculationGraph.Node node)
    {
        if (node.RollUp is { } rollUp)
        {
            return RollUpGroup.WriteAll(rollUp);
        }

        var column = Sql.Quote(node.Field.Name);
        var value = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix)).Write(node.Formula!);
        return $"UPDATE {Sql.Table(node.Entity.Name)} AS r SET {column} = {value} WHERE r.{column} IS DISTINCT FROM {value}";
    }
}
