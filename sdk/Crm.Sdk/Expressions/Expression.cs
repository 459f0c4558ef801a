using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Sdk;

/// <summary>
/// A checked expression over the fields of an entity: what formulas and rules are written in. There is one language, one checker and one evaluator for every
/// door; docs/decisions/0010 tells why. Immutable and safe to share.
/// </summary>
public abstract class Expression
{
    /// <summary>Longest text of an expression, in characters.</summary>
    public const int MaxLength = 4000;

    /// <summary>How deep parentheses and functions may nest: what a stranger sends must not exhaust the stack.</summary>
    public const int MaxDepth = 50;

    /// <summary>Greatest number there is; what would be greater is empty.</summary>
    public const decimal MaxNumber = 1_000_000_000_000_000_000m;

    /// <summary>Functions that are called by their name.</summary>
    public static ImmutableArray<FunctionUsage> Functions { get; } =
        [.. ExpressionLibrary.Functions.Where(f => f.Usage.StartsWith(f.Name + "(", StringComparison.Ordinal)).Select(f => new FunctionUsage(f.Name, f.Usage)).OrderBy(f => f.Name, StringComparer.Ordinal)];

    private protected Expression(ExpressionType type, int position) => (Type, Position) = (type, position);

    /// <summary>What it gives.</summary>
    public ExpressionType Type { get; }

    /// <summary>Where it begins in the text; the first character is 1.</summary>
    public int Position { get; }

    /// <summary>Paths of all fields it reads.</summary>
    public IEnumerable<FieldPath> Paths => Fields.Select(f => f.Path);

    /// <summary>Every place where it reads a field, from left to right.</summary>
    public abstract IEnumerable<Field> Fields { get; }

    /// <summary>Reads and checks an expression.</summary>
    /// <param name="text">What somebody wrote.</param>
    /// <param name="scope">The fields it may name.</param>
    /// <param name="expression">The expression.</param>
    /// <param name="error">What is wrong and where.</param>
    public static bool TryParse(string text, ExpressionScope scope, [NotNullWhen(true)] out Expression? expression, [NotNullWhen(false)] out ExpressionError? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(scope);
        try
        {
            expression = new ExpressionParser(text, scope).Parse();
            error = null;
            return true;
        }
        catch (ExpressionException problem)
        {
            expression = null;
            error = problem.Error;
            return false;
        }
    }

    /// <summary>The value for one record: <c>string</c>, <c>decimal</c>, <c>bool</c>, <see cref="DateOnly"/>, <see cref="DateTimeOffset"/>, <see cref="Guid"/>, <c>string[]</c> or null.</summary>
    /// <param name="values">The value of a path, as <see cref="FieldPath.ValueOf"/> gives it.</param>
    /// <param name="now">The moment <c>today()</c> and <c>now()</c> mean.</param>
    public abstract object? Evaluate(Func<FieldPath, object?> values, DateTimeOffset now);

    /// <summary>A value that was written down.</summary>
    public sealed class Literal : Expression
    {
        internal Literal(ExpressionType type, object? value, int position)
            : base(type, position) => Value = value;

        /// <summary>The value.</summary>
        public object? Value { get; }

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => [];

        /// <inheritdoc/>
        public override object? Evaluate(Func<FieldPath, object?> values, DateTimeOffset now) => Value;
    }

    /// <summary>The value of a field.</summary>
    public sealed class Field : Expression
    {
        internal Field(FieldPath path, ExpressionType type, int position)
            : base(type, position) => Path = path;

        /// <summary>Which field.</summary>
        public FieldPath Path { get; }

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => [this];

        /// <inheritdoc/>
        public override object? Evaluate(Func<FieldPath, object?> values, DateTimeOffset now)
        {
            ArgumentNullException.ThrowIfNull(values);
            return values(Path) switch
            {
                long number => (decimal)number,
                string { Length: 0 } => null,
                var value => value,
            };
        }
    }

    /// <summary>An operator or a function with what it works on.</summary>
    public sealed class Call : Expression
    {
        private readonly ExpressionFunction function;

        internal Call(ExpressionFunction function, ImmutableArray<Expression> arguments, ExpressionType type, int position)
            : base(type, position)
        {
            (this.function, Arguments) = (function, arguments);
            Height = 1 + arguments.Select(a => a is Call call ? call.Height : 1).DefaultIfEmpty().Max();
        }

        /// <summary>The function's name, or the operator: <c>+</c>, <c>and</c>, <c>is_empty</c>.</summary>
        public string Function => function.Name;

        /// <summary>What it works on.</summary>
        public ImmutableArray<Expression> Arguments { get; }

        internal int Height { get; }

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => Arguments.SelectMany(a => a.Fields);

        /// <inheritdoc/>
        public override object? Evaluate(Func<FieldPath, object?> values, DateTimeOffset now)
        {
            var arguments = new object?[Arguments.Length];
            for (var i = 0; i < arguments.Length; i++)
            {
                arguments[i] = Arguments[i].Evaluate(values, now);
            }

            return function.Apply(arguments, now);
        }
    }
}

/// <summary>A function of the language.</summary>
/// <param name="Name">As written.</param>
/// <param name="Usage">The ways to call it: <c>round(number), round(number, digits)</c>.</param>
public sealed record FunctionUsage(string Name, string Usage);

/// <summary>What an expression gives.</summary>
public enum ExpressionType
{
    /// <summary>Text; <c>string</c>. Names of choices and stages are texts.</summary>
    Text,

    /// <summary>A number; <c>decimal</c>.</summary>
    Number,

    /// <summary>Yes or no; <c>bool</c>.</summary>
    YesNo,

    /// <summary>A date without time; <see cref="DateOnly"/>.</summary>
    Date,

    /// <summary>An instant; <see cref="DateTimeOffset"/>.</summary>
    Instant,

    /// <summary>The id of a record; <see cref="Guid"/>.</summary>
    Reference,

    /// <summary>Several texts; <c>string[]</c>.</summary>
    List,

    /// <summary>The word <c>empty</c>.</summary>
    Empty,
}

/// <summary>What is wrong with an expression.</summary>
/// <param name="Position">Where; the first character is 1.</param>
/// <param name="Message">For the person who wrote it; names the position.</param>
public sealed record ExpressionError(int Position, string Message);

/// <summary>A field an expression reads: its own, or one of a record a lookup leads to.</summary>
/// <param name="Text">As written: <c>budget</c>, <c>company.country</c>.</param>
/// <param name="Steps">The lookups on the way; empty for a field of the record itself.</param>
/// <param name="Field">The field.</param>
/// <param name="Part">Which of its columns.</param>
public sealed record FieldPath(string Text, ImmutableArray<FieldDefinition> Steps, FieldDefinition Field, int Part)
{
    /// <summary>Whether a lookup leads there.</summary>
    public bool IsLookedUp => !Steps.IsEmpty;

    /// <summary>Whether the path leads to a field, or through it.</summary>
    /// <param name="start">The entity the path starts at.</param>
    /// <param name="owner">The field's entity.</param>
    /// <param name="field">The field.</param>
    public bool Reads(EntityDefinition start, EntityDefinition owner, FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return Along(start).Any(a => a.Entity == owner.Name && a.Field.Name == field?.Name);
    }

    /// <summary>Every field on the way, with the name of its entity; the last one is <see cref="Field"/>.</summary>
    /// <param name="start">The entity the path starts at.</param>
    public IEnumerable<(string Entity, FieldDefinition Field)> Along(EntityDefinition start)
    {
        ArgumentNullException.ThrowIfNull(start);
        var at = start.Name;
        foreach (var step in Steps.Append(Field))
        {
            yield return (at, step);
            at = (step.Type as ReferenceType)?.TargetOf(step) ?? "";
        }
    }

    /// <summary>What an expression sees of a value of <see cref="Field"/>: the value of the column the path names.</summary>
    /// <param name="value">A value of the field's type, or null.</param>
    public object? ValueOf(object? value)
    {
        if (value is null)
        {
            return null;
        }

        var columns = new object?[Field.Type.Columns.Length];
        Field.Type.ToColumns(value, columns);
        return columns[Part];
    }
}

/// <summary>What an expression may name.</summary>
/// <param name="Snapshot">The definitions; lookups lead through them.</param>
/// <param name="Entity">The entity whose fields are meant.</param>
public sealed record ExpressionScope(MetadataSnapshot Snapshot, EntityDefinition Entity)
{
    private const int MaxSegments = 4;

    /// <summary>How many lookups a path may follow; 0 where only fields of the record itself may be named.</summary>
    public int MaxLookups { get; init; } = MaxSegments - 1;

    /// <summary>Whether <c>today()</c> and <c>now()</c> may be used; not where the value is stored, because it would be wrong tomorrow.</summary>
    public bool AllowsNow { get; init; } = true;

    /// <summary>Finds a field; null when the path leads nowhere or through a hidden field.</summary>
    internal FieldPath? Find(string text)
    {
        var segments = text.Split('.');
        var steps = ImmutableArray.CreateBuilder<FieldDefinition>();
        var entity = Entity;
        if (segments.Length > MaxSegments)
        {
            return null;
        }

        foreach (var segment in segments[..^1])
        {
            var step = entity.TryField(segment, out var found) ? found : entity.Fields.FirstOrDefault(f => f.Type.NavigationProperty(f) == segment);
            if (step is not { IsHidden: false, Type: ReferenceType reference } || reference.TargetOf(step) is not { } target || !Snapshot.TryEntity(target, out entity))
            {
                return null;
            }

            steps.Add(step);
        }

        var name = segments[^1];
        if (entity.TryField(name, out var field) && !field.IsHidden)
        {
            return new FieldPath(text, steps.ToImmutable(), field, 0);
        }

        return entity.TryProperty(name, out var property) && !property.Field.IsHidden
            ? new FieldPath(text, steps.ToImmutable(), property.Field, property.Field.Type.Columns.IndexOf(property.Column))
            : null;
    }
}
