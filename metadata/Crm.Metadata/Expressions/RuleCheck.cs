using Crm.Rules;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with the rules of an entity.</summary>
internal static class RuleCheck
{
    /// <summary>Most rules of an entity; each is asked at every save.</summary>
    public const int MaxRules = 100;

    private const int MaxMessage = 500;

    // Less is lost in the moments a machine is busy; more would keep the record locked for everybody else.
    private const int MinBudget = 50;
    private const int MaxBudget = 10_000;

    public static void Problems(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity)
    {
        if (entity.Rules.Length > MaxRules)
        {
            SnapshotCheck.Add(problems, PlanCodes.Limit, entity.Name, "TooManyRules", entity.Label, MaxRules);
        }

        foreach (var rule in entity.Rules)
        {
            var target = entity.Name + "." + LayerEdit.Short(rule.Name);
            if (Names.Problem(rule.Name, Names.MaxFieldLength) is { } problem)
            {
                problems.Add(new PlanMessage(PlanCodes.Name, problem, target));
                continue;
            }

            var label = rule.Label ?? Names.ToLabel(rule.Name);
            SnapshotCheck.Label(problems, target, label);
            if (rule.Message is { } message && (message.Length > MaxMessage || message.Any(char.IsControl)))
            {
                SnapshotCheck.Add(problems, ErrorCodes.Length, target, "RuleMessageWrong", label, MaxMessage);
            }

            if (rule.Kind == RuleKind.Script)
            {
                Script(problems, entity, rule, target, label);
                continue;
            }

            if (rule.Kind == RuleKind.Duplicate)
            {
                Duplicate(problems, entity, rule, target, label);
                continue;
            }

            if (!Rule.TryParse(snapshot, entity, rule, out var parsed, out var error))
            {
                SnapshotCheck.Add(problems, PlanCodes.Expression, target, "RuleWrong", label, error.Message);
            }

            Fields(problems, entity, rule, parsed, target, label);
        }
    }

    private static void Duplicate(List<PlanMessage> problems, EntityDefinition entity, RuleDefinition rule, string target, string label)
    {
        if (rule.Fields.IsEmpty || rule.Duplicate is null)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Required, target, "RuleWithoutFields", label);
            return;
        }

        if (rule.Duplicate.Similarity is < DuplicateDefinition.LeastSimilarity or > 100)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Range, target, "DuplicateSimilarity", label, DuplicateDefinition.LeastSimilarity);
        }

        if (rule.Condition.Length > 0 || !rule.Options.IsEmpty)
        {
            SnapshotCheck.Add(problems, PlanCodes.Option, target, "DuplicateStrangeOption", label);
        }

        foreach (var name in rule.Fields)
        {
            if (!entity.TryField(name, out var field) || field.IsHidden)
            {
                SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownField", entity.Label, LayerEdit.Short(name));
            }
            else if (!DuplicateFields.CanCompare(field))
            {
                SnapshotCheck.Add(problems, PlanCodes.Option, target, "DuplicateField", label, field.Label);
            }
        }

        // Without one of them every new record would read the whole table.
        if (!rule.Fields.Any(f => entity.TryField(f, out var field) && DuplicateFields.IsIndexed(field)))
        {
            SnapshotCheck.Add(problems, PlanCodes.Option, target, "DuplicateNotIndexed", label);
        }
    }

    /// <summary>What can be said of a script without reading it; a worker process says the rest, see <see cref="ScriptChecks"/>.</summary>
    private static void Script(List<PlanMessage> problems, EntityDefinition entity, RuleDefinition rule, string target, string label)
    {
        if (rule.Script is not { } script || string.IsNullOrWhiteSpace(script.Text))
        {
            SnapshotCheck.Add(problems, ErrorCodes.Required, target, "RuleWithoutScript", label);
            return;
        }

        if (script.Text.Length > ScriptWorkers.MaxLength)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Length, target, "ScriptTooLong", label, ScriptWorkers.MaxLength);
        }

        if (script.Budget is < MinBudget or > MaxBudget)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Range, target, "ScriptBudget", label, MinBudget, MaxBudget);
        }

        if (rule.Message is not null || !rule.Options.IsEmpty || rule.Condition.Length > 0)
        {
            SnapshotCheck.Add(problems, PlanCodes.Option, target, "ScriptStrangeOption", label);
        }

        if (rule.Fields.IsEmpty && script.When == ScriptMoment.Calculate)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Required, target, "RuleWithoutFields", label);
        }

        foreach (var name in rule.Fields)
        {
            if (!entity.TryField(name, out var field) || field.IsHidden)
            {
                SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownField", entity.Label, LayerEdit.Short(name));
            }
            else if (script.When == ScriptMoment.Calculate && (field.IsCalculated || field.Type is ManyToManyType || field.Type == Sdk.Fields.AutoNumber || (field.IsSystem && field.Name is not ("owner" or "is_active"))))
            {
                SnapshotCheck.Add(problems, ErrorCodes.ReadOnly, target, "RuleReadOnlyField", label, field.Label);
            }
        }
    }

    private static void Fields(List<PlanMessage> problems, EntityDefinition entity, RuleDefinition rule, Rule? parsed, string target, string label)
    {
        var lookup = rule.Kind == RuleKind.Options ? rule.Fields.Select(f => entity.TryField(f, out var found) ? found : null).FirstOrDefault(f => f?.Type is ReferenceType) : null;
        if (rule.Fields.IsEmpty && rule.Kind != RuleKind.Valid)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Required, target, "RuleWithoutFields", label);
        }

        if (lookup is not null)
        {
            if (rule.Fields.Length > 1 || !rule.Options.IsEmpty)
            {
                SnapshotCheck.Add(problems, PlanCodes.Option, target, "RuleLookupAlone", label, lookup.Label);
            }
            else if (parsed?.Condition.Paths.Any(p => p.IsLookedUp && p.Steps[0].Name == lookup.Name) == false)
            {
                SnapshotCheck.Add(problems, PlanCodes.Expression, target, "RuleWithoutCandidate", label, lookup.Label, lookup.Type.NavigationProperty(lookup));
            }
        }
        else if (rule.Options.IsEmpty == (rule.Kind == RuleKind.Options))
        {
            SnapshotCheck.Add(problems, PlanCodes.Option, target, rule.Options.IsEmpty ? "RuleWithoutOptions" : "RuleStrangeOptions", label);
        }

        foreach (var name in rule.Fields)
        {
            if (!entity.TryField(name, out var field) || field.IsHidden)
            {
                SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownField", entity.Label, LayerEdit.Short(name));
            }
            else if (rule.Kind != RuleKind.Valid && (field.IsReadOnly || (field.IsSystem && field.Name != "owner")))
            {
                SnapshotCheck.Add(problems, ErrorCodes.ReadOnly, target, "RuleReadOnlyField", label, field.Label);
            }
            else if (rule.Kind == RuleKind.Options && lookup is null)
            {
                var known = field.Stages?.Stages.Select(s => s.Name) ?? field.Choices.Select(c => c.Name);
                foreach (var option in rule.Options.Except(known, StringComparer.Ordinal))
                {
                    SnapshotCheck.Add(problems, ErrorCodes.Unknown, target, "RuleUnknownOption", label, field.Label, LayerEdit.Short(option));
                }
            }
        }
    }
}
