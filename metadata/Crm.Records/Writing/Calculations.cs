using Crm.Sdk;

namespace Crm.Records;

/// <summary>Gives formula fields their values: after everybody who may set values has done so, and before they are checked.</summary>
internal static class Calculations
{
    public static async Task ApplyAsync(ChangeRun run, CancellationToken ct)
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

        var plan = LookedUpPlan.Of(run.Session.Snapshot, run.Table.Entity);
        if (plan.HasFormulas)
        {
            await plan.LockLateAsync(run, ct);
            run.LookedUp = await LookedUp.LoadAsync(run, plan.FormulaPaths, [.. run.Going.Where(c => plan.NeedsFormulas(c))], ct);
        }

        Calculate(run, plan);
    }

    /// <summary>
    /// Calculates again what follows from records of the same run that have been refused meanwhile. Nothing is written yet; whoever refers to a record that is not going
    /// to be there is refused by the database.
    /// </summary>
    public static void Settle(ChangeRun run)
    {
        var plan = LookedUpPlan.Of(run.Session.Snapshot, run.Table.Entity);
        if (run.HasRefusals && plan.HasFormulas && run.Going.Any(c => c.Kind != ChangeKind.Delete && run.LookedUp!.ReadsOwn(c, plan.FormulaPaths)))
        {
            Calculate(run, plan);
            run.Seal();
        }
    }

    private static void Calculate(ChangeRun run, LookedUpPlan plan)
    {
        var formulas = EntityExpressions.Of(run.Session.Snapshot, run.Table.Entity).Formulas;
        if (formulas.IsEmpty)
        {
            return;
        }

        // In their order, so that a formula sees the new value of the one it reads, of another record of the run too.
        foreach (var formula in formulas)
        {
            if (!run.Table.TryField(formula.Field.Name, out var field))
            {
                continue;
            }

            var looksUp = formula.Expression.Paths.Any(p => p.IsLookedUp);
            foreach (var change in run.Going.Where(c => c.Kind != ChangeKind.Delete && (!looksUp || plan.NeedsFormulas(c))))
            {
                change.Values[field.Index] = FormulaValue.Of(field.Definition, formula.Expression.Evaluate(p => run.ValueOf(change, p), run.Session.Now));
            }
        }
    }
}
