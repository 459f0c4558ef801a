using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Steps that give the records that are there the values of new and changed formulas and roll-ups.</summary>
internal static class CalculationSteps
{
    /// <summary>The steps, in their order.</summary>
    /// <param name="before">Definitions as they are.</param>
    /// <param name="after">Definitions as they will be.</param>
    /// <param name="renames">Fields that are called otherwise now.</param>
    /// <param name="values">Fields that are given other values by the same plan, with their entity.</param>
    public static IEnumerable<PlanStep> Of(MetadataSnapshot before, MetadataSnapshot after, IReadOnlyCollection<FieldRename> renames, IReadOnlyCollection<string> values)
    {
        var names = new FieldRenames(before, renames);
        var changed = new HashSet<string>(values, StringComparer.Ordinal);
        foreach (var node in new CalculationGraph(after).InOrder())
        {
            // A table made by the same plan is empty.
            if (before.TryEntity(node.Entity.Name, out var known) && (IsChanged(known, node.Field, names) || node.Reads.Any(changed.Contains)))
            {
                changed.Add(node.Name);
                yield return Fill(node, [.. TablesOf(node).Where(t => before.Entities.Keys.Any(e => Sql.Table(e) == t))]);
            }
        }
    }

    /// <summary>Tables of other records a calculated field follows from.</summary>
    public static ImmutableArray<string> TablesOf(CalculationGraph.Node node) =>
        node.RollUp is { } rollUp ? [Sql.Table(rollUp.Child.Name)] : new FormulaSql(node.Entity, node.Formula!).Tables;

    /// <summary>Whether the field calculates something else; the same under other names is the same.</summary>
    private static bool IsChanged(EntityDefinition before, FieldDefinition field, FieldRenames names) =>
        !before.TryField(names.Former(before.Name, field.Name), out var old) || old.IsHidden
        || (old.Formula is null ? null : names.Expression(before.Name, old.Formula), names.RollUp(old.RollUp), old.Scale, old.MaxLength) != (field.Formula, field.RollUp, field.Scale, field.MaxLength);

    private static PlanStep Fill(CalculationGraph.Node node, ImmutableArray<string> others)
    {
        // Whoever writes those records at this moment does not know yet what follows from them.
        var wait = others.IsEmpty ? null : $"LOCK TABLE {string.Join(", ", others)} IN SHARE MODE";
        return new PlanStep(MetadataTexts.Of("StepFillFormula", node.Field.Label, node.Entity.Label), (wait is null ? "" : wait + ";\n") + FillSql(node), StepLock.Writes, node.Entity.Name)
        {
            Work = StepWork.Fill,
            Follows = [.. node.Reads.Select(r => r[..r.IndexOf('.', StringComparison.Ordinal)]).Distinct(StringComparer.Ordinal)],
            Online = Later(node, wait),
        };
    }

    private static OnlineStep Later(CalculationGraph.Node node, string? wait)
    {
        if (node.RollUp is { } rollUp)
        {
            return OnlineStep.Calculate(node.Entity.Name, node.Field.Name, wait, RollUpGroup.WriteSome(rollUp, OnlineStep.BatchIds));
        }

        var formula = new FormulaSql(node.Entity, node.Formula!);
        return formula.Tables.IsEmpty
            ? OnlineStep.Fill(node.Entity.Name, node.Field.Name, formula.Set, formula.Differs)
            : OnlineStep.Calculate(node.Entity.Name, node.Field.Name, wait, formula.Update($"r.id = ANY({OnlineStep.BatchIds})"));
    }

    /// <summary>Gives every record that holds something else the value it should hold.</summary>
    public static string FillSql(CalculationGraph.Node node) =>
        node.RollUp is { } rollUp ? RollUpGroup.WriteAll(rollUp) : new FormulaSql(node.Entity, node.Formula!).Update(null);
}
