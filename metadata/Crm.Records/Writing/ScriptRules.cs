using System.Text.Json;
using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Runs the scripts of an entity's rules: one call to a worker process for each rule and all records of a run. Deletions are none of their business.</summary>
internal static class ScriptRules
{
    /// <summary>Scripts that may set values: first those that follow a change, then those that calculate.</summary>
    public static async Task SetAsync(ChangeRun run, CancellationToken ct)
    {
        if (run.Table.Scripts.IsEmpty)
        {
            return;
        }

        await RunAsync(run, ScriptMoment.Change, ct);
        await RunAsync(run, ScriptMoment.Calculate, ct);
    }

    /// <summary>Scripts that look at final values.</summary>
    public static Task CheckAsync(ChangeRun run, CancellationToken ct) => run.Table.Scripts.IsEmpty ? Task.CompletedTask : RunAsync(run, ScriptMoment.Validate, ct);

    private static async Task RunAsync(ChangeRun run, ScriptMoment when, CancellationToken ct)
    {
        var actor = run.Session.Actor;
        foreach (var rule in run.Table.Scripts.Where(r => r.Script!.When == when))
        {
            var asked = run.Going.Where(c => c.Kind != ChangeKind.Delete && (when == ScriptMoment.Calculate || rule.Fields.IsEmpty || rule.Fields.Any(f => c.Table.TryField(f, out _) && c.Changes(f)))).ToList();
            if (asked.Count == 0)
            {
                continue;
            }

            var call = new ScriptCall(rule.Script!.Text, TimeSpan.FromMilliseconds(rule.Script.Budget), actor.UserId, actor.Name, actor.IsAdministrator, run.Session.Now);
            var answers = await run.Session.Engine.Scripts.RunAsync(call, [.. asked.Select(ScriptInput.Of)], ct);
            for (var i = 0; i < asked.Count; i++)
            {
                Take(asked[i], rule, answers[i]);
            }
        }
    }

    private static void Take(PendingChange change, RuleDefinition rule, ScriptAnswer answer)
    {
        var label = rule.Label ?? Names.ToLabel(rule.Name);
        var problem = answer.Failure is { } failure ? ScriptTexts.Say(failure) : Forbidden(change.Table, rule, answer);
        if (problem is not null)
        {
            if (rule.Script!.OnFailure == ScriptFailing.Refuse)
            {
                change.Refuse(null, ErrorCodes.Rule, Texts.Of("ScriptFailed", label, problem));
            }

            return;
        }

        foreach (var given in answer.Set.GroupBy(s => change.Table.TryResolve(s.Key, out var field, out _) ? field : null))
        {
            change.SetByRule(rule.Name, ChangeInput.Of(given.Key!, given.Select(g => (change.Table.TryResolve(g.Key, out _, out var part) ? part : -1, Input(g.Value)))));
        }

        foreach (var (property, message) in answer.Refused)
        {
            var field = property is not null && change.Table.TryResolve(property, out var found, out _) ? found.Name : null;
            change.Refuse(field, ErrorCodes.Rule, Texts.Of("ScriptRefused", message, label));
        }
    }

    /// <summary>What a script may not do at its moment; null when it did nothing of the kind.</summary>
    private static string? Forbidden(EntityTable table, RuleDefinition rule, ScriptAnswer answer)
    {
        foreach (var (name, _) in answer.Set)
        {
            if (!table.TryResolve(name, out var field, out _))
            {
                return Texts.Of("ScriptNoField", name);
            }

            if (field.IsStamp || field.IsCalculated || field.Type is ManyToManyType || ReferenceEquals(field.Type, Fields.AutoNumber))
            {
                return Texts.Of("ScriptProtected", name);
            }

            if (rule.Script!.When == ScriptMoment.Validate || (rule.Script.When == ScriptMoment.Calculate && !rule.Fields.Contains(field.Name)))
            {
                return Texts.Of(rule.Script.When == ScriptMoment.Validate ? "ScriptSetsWhileChecking" : "ScriptSetsAnother", name);
            }
        }

        foreach (var (name, _) in answer.Refused)
        {
            if (rule.Script!.When == ScriptMoment.Calculate)
            {
                return Texts.Of("ScriptRefusesWhileCalculating");
            }

            if (name is not null && !table.TryResolve(name, out _, out _))
            {
                return Texts.Of("ScriptNoField", name);
            }
        }

        return null;
    }

    private static object? Input(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? whole : json.TryGetDecimal(out var number) ? number : json.GetDouble(),
        JsonValueKind.Array => json.EnumerateArray().Select(Input).ToList(),
        JsonValueKind.Object => json.EnumerateObject().ToDictionary(p => p.Name, p => Input(p.Value), StringComparer.Ordinal),
        _ => null,
    };
}
