using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Sdk;

/// <summary>A rule and its condition.</summary>
/// <param name="Definition">The rule.</param>
/// <param name="Condition">Its condition.</param>
public sealed record Rule(RuleDefinition Definition, Expression Condition)
{
    /// <summary>Reads the condition of a rule.</summary>
    /// <param name="snapshot">The definitions.</param>
    /// <param name="entity">The rule's entity.</param>
    /// <param name="definition">The rule.</param>
    /// <param name="rule">The rule with its condition.</param>
    /// <param name="error">What is wrong with it and where.</param>
    public static bool TryParse(
        MetadataSnapshot snapshot, EntityDefinition entity, RuleDefinition definition, [NotNullWhen(true)] out Rule? rule, [NotNullWhen(false)] out ExpressionError? error)
    {
        ArgumentNullException.ThrowIfNull(definition);
        rule = null;
        if (!Expression.TryParse(definition.Condition, new ExpressionScope(snapshot, entity), out var condition, out error))
        {
            return false;
        }

        if (condition.Type != ExpressionType.YesNo)
        {
            error = new ExpressionError(condition.Position, Texts.Of("ExprAt", condition.Position, Texts.Of("RuleCondition", Texts.Of("ExprType_" + condition.Type))));
            return false;
        }

        rule = new Rule(definition, condition);
        return true;
    }

    /// <summary>Whether the rule says which records a lookup may lead to, and not when which choices are left.</summary>
    /// <param name="field">A field the rule is about.</param>
    internal bool Filters(FieldDefinition field) => Definition.Kind == RuleKind.Options && field.Type is ReferenceType;
}

/// <summary>What the rules of an entity say about one record: asked by the form and by every write alike.</summary>
public sealed class RuleVerdict
{
    private readonly EntityDefinition entity;
    private readonly ImmutableArray<Rule> rules;
    private readonly Func<string, object?> values;
    private readonly Func<FieldPath, object?> read;
    private readonly DateTimeOffset now;
    private readonly bool[] holds;

    internal RuleVerdict(EntityDefinition entity, ImmutableArray<Rule> rules, Func<string, object?> values, Func<FieldPath, object?>? lookedUp, DateTimeOffset now)
    {
        (this.entity, this.rules, this.values, this.now) = (entity, rules, values, now);
        read = p => p.IsLookedUp ? lookedUp?.Invoke(p) : p.ValueOf(values(p.Field.Name));
        holds = [.. rules.Select(r => r.Condition.Evaluate(read, now) is true)];
    }

    /// <summary>Whether a field is shown.</summary>
    public bool IsVisible(string field) => HiddenBy(field) is null;

    /// <summary>Whether a rule demands a value, or the field itself does and is shown.</summary>
    public bool IsRequired(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return (field.IsRequired || Find(RuleKind.Required, field.Name, when: true) is not null) && IsVisible(field.Name);
    }

    /// <summary>Whether a rule keeps the field as it is.</summary>
    public bool IsReadOnly(string field) => Find(RuleKind.ReadOnly, field, when: true) is not null;

    /// <summary>What a change of the field would be refused with, because a rule keeps it as it is or does not show it; null when it may be changed.</summary>
    public ValidationError? Keeps(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Find(RuleKind.ReadOnly, field.Name, when: true) is { } kept ? new ValidationError(field.Name, ErrorCodes.Rule, Say(kept, field, "RuleReadOnly"))
            : HiddenBy(field.Name) is { } hiding ? new ValidationError(field.Name, ErrorCodes.Rule, Say(hiding, field, "RuleHidden"))
            : null;
    }

    /// <summary>Whether a choice may be chosen.</summary>
    public bool Allows(string field, string choice) => !Holding(RuleKind.Options, field).Any(r => !r.Options.Contains(choice));

    /// <summary>Which records a lookup may lead to; null when no rule says anything about that.</summary>
    public Candidates? CandidatesOf(FieldDefinition lookup)
    {
        ArgumentNullException.ThrowIfNull(lookup);
        ImmutableArray<Expression> conditions = [.. rules.Where(r => r.Filters(lookup) && r.Definition.Fields.Contains(lookup.Name)).Select(r => r.Condition)];
        return conditions.IsEmpty ? null : new Candidates(lookup, conditions, read, now);
    }

    /// <summary>Every reason to refuse the record.</summary>
    /// <param name="isChanged">Whether a field is to hold something else than before; for a new record: something else than it starts with.</param>
    public IEnumerable<ValidationError> Errors(Func<string, bool> isChanged)
    {
        ArgumentNullException.ThrowIfNull(isChanged);
        foreach (var (known, index) in rules.Select((r, i) => (r, i)))
        {
            var rule = known.Definition;
            if (rule.Kind == RuleKind.Valid)
            {
                if (!holds[index] && rule.Fields.All(f => values(f) is not null))
                {
                    yield return new ValidationError(rule.Fields.FirstOrDefault(), ErrorCodes.Rule, Say(rule, null, "RuleValid"));
                }

                continue;
            }

            foreach (var field in rule.Fields.Select(f => entity.TryField(f, out var found) ? found : null).OfType<FieldDefinition>())
            {
                if (Breaks(known, holds[index], field, isChanged) is { } text)
                {
                    yield return new ValidationError(field.Name, ErrorCodes.Rule, Say(rule, field, text));
                }
            }
        }
    }

    private string? Breaks(Rule rule, bool holds, FieldDefinition field, Func<string, bool> isChanged) => rule.Definition.Kind switch
    {
        RuleKind.Required when holds && values(field.Name) is null && IsVisible(field.Name) => "RuleRequired",
        RuleKind.ReadOnly when holds && isChanged(field.Name) => "RuleReadOnly",
        // What is not shown may be emptied, but nobody can give it a value without seeing it.
        RuleKind.Visible when !holds && values(field.Name) is not null && isChanged(field.Name) => "RuleHidden",
        // What could be chosen once stays until somebody touches it, or what it depends on: other records change without asking this one.
        RuleKind.Options when rule.Filters(field) => !holds && values(field.Name) is not null && rule.Condition.Paths.Select(p => p.IsLookedUp ? p.Steps[0].Name : p.Field.Name).Append(field.Name).Any(isChanged) ? "RuleCandidates" : null,
        RuleKind.Options when holds && Chosen(field).Any(c => !rule.Definition.Options.Contains(c)) => "RuleOptions",
        _ => null,
    };

    private ImmutableArray<string> Chosen(FieldDefinition field) => values(field.Name) switch
    {
        string one => [one],
        ImmutableArray<string> several => several,
        _ => [],
    };

    private static string Say(RuleDefinition rule, FieldDefinition? field, string text)
    {
        var label = rule.Label ?? Names.ToLabel(rule.Name);
        return rule.Message is { } message ? Texts.Of("RuleMessage", message, label) : Texts.Of(text, label, field?.Label, string.Join(", ", rule.Options.Select(o => Label(field, o))));
    }

    private static string Label(FieldDefinition? field, string choice) =>
        field?.Choices.FirstOrDefault(c => c.Name == choice)?.Label ?? field?.Stages?.Find(choice)?.Label ?? choice;

    private RuleDefinition? HiddenBy(string field) => Find(RuleKind.Visible, field, when: false);

    private RuleDefinition? Find(RuleKind kind, string field, bool when)
    {
        for (var i = 0; i < rules.Length; i++)
        {
            if (rules[i].Definition.Kind == kind && holds[i] == when && rules[i].Definition.Fields.Contains(field))
            {
                return rules[i].Definition;
            }
        }

        return null;
    }

    private IEnumerable<RuleDefinition> Holding(RuleKind kind, string field) =>
        rules.Where((r, i) => r.Definition.Kind == kind && holds[i] && r.Definition.Fields.Contains(field)).Select(r => r.Definition);
}
