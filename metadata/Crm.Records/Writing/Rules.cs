using Crm.Sdk;

namespace Crm.Records;

/// <summary>Asks the entity's rules about every change, whichever door it came through.</summary>
internal static class Rules
{
    /// <summary>Refuses what rules refuse.</summary>
    /// <returns>What the rules say of each change; empty when the entity has none.</returns>
    public static Dictionary<PendingChange, RuleVerdict> Check(ChangeRun run)
    {
        var verdicts = new Dictionary<PendingChange, RuleVerdict>();
        var expressions = EntityExpressions.Of(run.Session.Snapshot, run.Table.Entity);
        if (expressions.Rules.IsEmpty)
        {
            return verdicts;
        }

        foreach (var change in run.Going.Where(c => c.Kind != ChangeKind.Delete))
        {
            var verdict = expressions.Judge(name => run.Table.TryField(name, out var field) ? change.Values[field.Index] : null, run.Session.Now);
            verdicts.Add(change, verdict);
            foreach (var error in verdict.Errors(change.DiffersFromStart))
            {
                // A value that could not be read is told as that.
                if (error.Field is null || !change.HasError(error.Field))
                {
                    change.Refuse(error.Field, error.Code, error.Message);
                }
            }
        }

        return verdicts;
    }
}
