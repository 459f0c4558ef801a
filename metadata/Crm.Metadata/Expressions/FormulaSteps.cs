using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Steps that give the records that are there the values of new and changed formulas.</summary>
internal static class FormulaSteps
{
    public static IEnumerable<PlanStep> Of(MetadataSnapshot before, MetadataSnapshot after)
    {
        foreach (var entity in after.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            // A table made by the same plan is empty.
            if (!before.TryEntity(entity.Name, out var known))
            {
                continue;
            }

            var changed = new HashSet<string>(StringComparer.Ordinal);
            foreach (var formula in EntityExpressions.Of(after, entity).Formulas)
            {
                if (IsChanged(known, formula) || formula.Expression.Paths.Any(p => changed.Contains(p.Field.Name)))
                {
                    changed.Add(formula.Field.Name);
                    yield return Fill(entity, formula);
                }
            }
        }
    }

    private static bool IsChanged(EntityDefinition before, Formula formula)
    {
        var field = formula.Field;
        return !before.TryField(field.Name, out var old) || old.IsHidden
            || (old.Formula, old.Scale, old.MaxLength) != (field.Formula, field.Scale, field.MaxLength);
    }

    private static PlanStep Fill(EntityDefinition entity, Formula formula)
    {
        var column = Sql.Quote(formula.Field.Name);
        var value = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix)).Write(formula);
        return new PlanStep(
            MetadataTexts.Of("StepFillFormula", formula.Field.Label, entity.Label),
            $"UPDATE {Sql.Table(entity.Name)} AS r SET {column} = {value} WHERE r.{column} IS DISTINCT FROM {value}",
            StepLock.Writes,
            entity.Name)
        {
            Work = StepWork.Fill,
            Online = OnlineStep.Fill(entity.Name, formula.Field.Name, $"{column} = {value}", $"r.{column} IS DISTINCT FROM {value}"),
        };
    }
}
