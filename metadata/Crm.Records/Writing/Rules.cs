using Crm.Sdk;

namespace Crm.Records;

/// <summary>Asks the entity's rules about every change, whichever door it came through.</summary>
internal static class Rules
{
    /// <summary>Refuses what rules refuse.</summary>
    /// <returns>What the rules say of each change; empty when the entity has none.</returns>
    public static async Task<Dictionary<PendingChange, RuleVerdict>> CheckAsync(ChangeRun run, CancellationToken ct)
    {
        var verdicts = new Dictionary<PendingChange, RuleVerdict>();
        var expressions = EntityExpressions.Of(run.Session.Snapshot, run.Table.Entity);
        if (expressions.Rules.IsEmpty)
        {
            return verdicts;
        }

        var judged = run.Going.Where(c => c.Kind != ChangeKind.Delete).ToList();
        var lookedUp = expressions.LookedUpByRules.IsEmpty ? null : await LookedUp.LoadAsync(run, expressions.LookedUpByRules, judged, ct);
        foreach (var change in judged)
        {
            var verdict = expressions.Judge(name => run.Table.TryField(name, out var field) ? change.Values[field.Index] : null, run.Session.Now, p => lookedUp!.ValueOf(change, p));
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
