using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Crm.Sdk;

/// <summary>The expressions of one entity, read and checked once per snapshot.</summary>
public sealed class EntityExpressions
{
    private static readonly ConditionalWeakTable<MetadataSnapshot, ConcurrentDictionary<string, EntityExpressions>> Known = [];

    private readonly EntityDefinition entity;

    private EntityExpressions(MetadataSnapshot snapshot, EntityDefinition entity)
    {
        var formulas = new List<Formula>();
        foreach (var field in entity.Fields.Where(f => f is { Formula: not null, IsHidden: false }))
        {
            // One that cannot be read any more keeps the values it has; the planner and the check of consistency name it.
            if (Formula.TryParse(snapshot, entity, field, out var formula, out _))
            {
                formulas.Add(formula);
            }
        }

        Formulas = InOrder(entity, formulas);
        Rules = [.. entity.Rules.Where(r => r.Kind is not (RuleKind.Script or RuleKind.Duplicate)).Select(r => Rule.TryParse(snapshot, entity, r, out var rule, out _) ? rule : null).OfType<Rule>()];
        LookedUpByRules = [.. Rules.SelectMany(r => r.Condition.Paths).Where(p => p.IsLookedUp)];
        this.entity = entity;
    }

    /// <summary>Formulas, each after those of the same entity it reads.</summary>
    public ImmutableArray<Formula> Formulas { get; }

    /// <summary>Rules with a condition, in the order they are asked in.</summary>
    public ImmutableArray<Rule> Rules { get; }

    /// <summary>What rules read of the records that lookups lead to.</summary>
    public ImmutableArray<FieldPath> LookedUpByRules { get; }

    /// <summary>What the rules say about a record.</summary>
    /// <param name="values">The value of a field, by name, as it would be stored.</param>
    /// <param name="now">The moment <c>today()</c> and <c>now()</c> mean.</param>
    /// <param name="lookedUp">What an expression sees at the end of a path that follows lookups; without it such a value is empty.</param>
    public RuleVerdict Judge(Func<string, object?> values, DateTimeOffset now, Func<FieldPath, object?>? lookedUp = null) => new(entity, Rules, values, lookedUp, now);

    /// <summary>The expressions of an entity.</summary>
    /// <param name="snapshot">The definitions.</param>
    /// <param name="entity">One of its entities.</param>
    public static EntityExpressions Of(MetadataSnapshot snapshot, EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(entity);
        // Somebody may hold an entity of an earlier snapshot.
        return Known.GetOrCreateValue(snapshot).GetOrAdd(
            entity.Name, static (name, from) => new EntityExpressions(from.snapshot, from.snapshot.TryEntity(name, out var current) ? current : from.entity), (snapshot, entity));
    }

    private static ImmutableArray<Formula> InOrder(EntityDefinition entity, List<Formula> formulas)
    {
        var ordered = ImmutableArray.CreateBuilder<Formula>(formulas.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var formula in formulas)
        {
            Visit(formula);
        }

        return ordered.ToImmutable();

        // A circle is refused when planned; here it only must not hang.
        void Visit(Formula formula)
        {
            if (!seen.Add(formula.Field.Name))
            {
                return;
            }

            foreach (var needed in formulas.Where(f => formula.Expression.Paths.Any(p => p.Reads(entity, entity, f.Field))))
            {
                Visit(needed);
            }

            ordered.Add(formula);
        }
    }
}

/// <summary>A formula and the field it fills.</summary>
/// <param name="Field">The field.</param>
/// <param name="Expression">What it is calculated by.</param>
public sealed record Formula(FieldDefinition Field, Expression Expression)
{
    /// <summary>Reads the formula of a field.</summary>
    /// <param name="snapshot">The definitions.</param>
    /// <param name="entity">The field's entity.</param>
    /// <param name="field">A field with a formula.</param>
    /// <param name="formula">The formula.</param>
    /// <param name="error">What is wrong with it and where.</param>
    public static bool TryParse(
        MetadataSnapshot snapshot,
        EntityDefinition entity,
        FieldDefinition field,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Formula? formula,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out ExpressionError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        formula = null;
        var scope = new ExpressionScope(snapshot, entity) { AllowsNow = false, MaxLookups = 1 };
        if (!Expression.TryParse(field.Formula ?? "", scope, out var expression, out error))
        {
            return false;
        }

        if (FormulaValue.Wanted(field.Type) is not { } wanted)
        {
            error = new ExpressionError(1, Texts.Of("FormulaType", field.Label, field.Type.Name, string.Join(", ", FormulaValue.Types.Select(t => t.Name))));
            return false;
        }

        if (expression.Type != wanted)
        {
            error = new ExpressionError(expression.Position, Texts.Of("ExprAt", expression.Position, Texts.Of("FormulaResult", Texts.Of("ExprType_" + expression.Type), field.Label, Texts.Of("ExprType_" + wanted))));
            return false;
        }

        // Every save sets these, also one that leaves the formula alone.
        if (expression.Fields.FirstOrDefault(f => f.Path.Along(entity).First().Field is { IsSystem: true, Name: "version" or "modified_at" or "modified_by" }) is { } stamp)
        {
            error = new ExpressionError(stamp.Position, Texts.Of("ExprAt", stamp.Position, Texts.Of("FormulaStamp", stamp.Path.Text)));
            return false;
        }

        formula = new Formula(field, expression);
        return true;
    }
}
