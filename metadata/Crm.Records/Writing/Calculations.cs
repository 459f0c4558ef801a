using Crm.Sdk;

namespace Crm.Records;

/// <summary>Gives formula fields their values: after everybody who may set values has done so, and before they are checked.</summary>
internal static class Calculations
{
    public static void Apply(ChangeRun run)
    {
        foreach (var field in run.Table.Fields.Where(f => f.Definition.RollUp is not null))
        {
            // Nothing can point to a record before it is there.
            var none = field.Definition.RollUp!.Function is RollUpFunction.Count or RollUpFunction.Sum ? FormulaValue.Of(field.Definition, 0m) : null;
            foreach (var change in run.Going.Where(c => c.Kind == ChangeKind.Create))
            {
                change.Values[field.Index] = none;
            }
        }

        var formulas = EntityExpressions.Of(run.Session.Snapshot, run.Table.Entity).Formulas;
        if (formulas.IsEmpty)
        {
            return;
        }

        foreach (var change in run.Going.Where(c => c.Kind != ChangeKind.Delete))
        {
            // In their order, so that a formula sees the new value of the one it reads.
            foreach (var formula in formulas)
            {
                if (run.Table.TryField(formula.Field.Name, out var field))
                {
                    change.Values[field.Index] = FormulaValue.Of(field.Definition, formula.Expression.Evaluate(change.ValueAt, run.Session.Now));
                }
            }
        }
    }
}
