namespace Crm.Sdk.Web.Forms;

public sealed partial class FormModel
{
    private RuleVerdict? verdict;
    private Dictionary<string, object?>? calculated;

    /// <summary>Formulas and rules of the entity, asked after every change as the server will ask them; null for none.</summary>
    public EntityExpressions? Expressions
    {
        get;
        set
        {
            field = value;
            AskAgain();
        }
    }

    /// <summary>The clock of <c>today()</c> and <c>now()</c>.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    private RuleVerdict? Verdict => verdict ??= Expressions is { Rules.IsEmpty: false } known ? known.Judge(name => this[name], Clock.GetUtcNow(), LookedUp) : null;

    /// <summary>Whether a field is shown: no rule hides it.</summary>
    public bool IsVisible(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Verdict?.IsVisible(field.Name) != false;
    }

    /// <summary>Whether a field needs a value, by itself or by a rule.</summary>
    public bool IsRequired(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Verdict?.IsRequired(field) ?? field.IsRequired;
    }

    /// <summary>The rule's words why a field stays as it is; null when it may be changed.</summary>
    public string? WhyKept(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Verdict?.Keeps(field)?.Message;
    }

    /// <summary>Whether a choice may be chosen; the one that is stored stays in sight.</summary>
    public bool Offers(FieldDefinition field, string choice)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Verdict?.Allows(field.Name, choice) != false || Equals(this[field.Name], choice);
    }

    /// <summary>Which records a lookup may lead to; null for all.</summary>
    public Candidates? CandidatesOf(FieldDefinition lookup) => Verdict?.CandidatesOf(lookup);

    private bool IsKept(string name) => Verdict?.IsReadOnly(name) == true;

    private bool IsShown(string name) => Verdict?.IsVisible(name) != false;

    /// <summary>The values of formulas for what was typed; only the server's are stored.</summary>
    private Dictionary<string, object?> Calculated()
    {
        if (calculated is null)
        {
            calculated = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var formula in Expressions?.Formulas ?? [])
            {
                // What follows from a record that has not been read is shown as it was stored.
                calculated[formula.Field.Name] = formula.Expression.Paths.All(IsKnown)
                    ? FormulaValue.Of(formula.Field, formula.Expression.Evaluate(p => p.IsLookedUp ? LookedUp(p) : p.ValueOf(this[p.Field.Name]), Clock.GetUtcNow()))
                    : Before(formula.Field.Name);
            }
        }

        return calculated;
    }

    private void AskAgain() => (verdict, calculated) = (null, null);
}
