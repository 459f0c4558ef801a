using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>An operator or a function: which arguments it takes, what it gives, and how. Null means empty everywhere.</summary>
/// <param name="Name">As written, or the operator.</param>
/// <param name="Usage">How it is used, for messages.</param>
/// <param name="TypeOf">What it gives for these arguments; null when it does not take them.</param>
/// <param name="Apply">Gives the value.</param>
internal sealed record ExpressionFunction(
    string Name, string Usage, Func<ImmutableArray<Expression>, ExpressionType?> TypeOf, Func<object?[], DateTimeOffset, object?> Apply)
{
    // Higher trees come from long chains of operators; neither the evaluator nor the database is to be exhausted by them.
    private const int MaxHeight = 200;

    private static readonly FrozenDictionary<string, ExpressionFunction> All =
        ExpressionLibrary.Functions.ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);

    /// <summary>Checks the arguments and makes the call.</summary>
    public static Expression Bind(string name, ImmutableArray<Expression> arguments, int position)
    {
        if (!All.TryGetValue(name, out var function))
        {
            throw ExpressionException.At(position, "ExprFunction", name, string.Join(", ", All.Keys.Where(k => char.IsAsciiLetter(k[0]) && k is not ("and" or "or" or "not" or "in" or "is_empty" or "negate")).Order(StringComparer.Ordinal)));
        }

        if (name == "date" && arguments is [Expression.Literal { Value: string written } day])
        {
            return Inputs.ToDate(written) is { } date
                ? new Expression.Literal(ExpressionType.Date, date, position)
                : throw ExpressionException.At(day.Position, "ExprDate", written.Length > 40 ? written[..40] : written);
        }

        if (name is "=" or "<>" or "in")
        {
            arguments = WithChoices(arguments);
        }
        else if (name is "contains" && arguments is [Expression.Field { Path.Field: { Merged.IsEmpty: false } list }, Expression.Literal { Value: string word } literal])
        {
            arguments = [arguments[0], new Expression.Literal(ExpressionType.Text, list.NameNow(word), literal.Position)];
        }

        if (function.TypeOf(arguments) is not { } type)
        {
            throw ExpressionException.At(position, "ExprArguments", function.Usage, string.Join(", ", arguments.Select(a => Texts.Of("ExprType_" + a.Type))));
        }

        var call = new Expression.Call(function, arguments, type, position);
        return Height(call) <= MaxHeight ? call : throw ExpressionException.At(position, "ExprDepth", MaxHeight);
    }

    private static int Height(Expression expression) => expression is Expression.Call call ? call.Height : 1;

    /// <summary>A text compared with a choice must be one of the choices; its label will do.</summary>
    private static ImmutableArray<Expression> WithChoices(ImmutableArray<Expression> arguments)
    {
        var field = arguments.OfType<Expression.Field>().FirstOrDefault(f => !f.Path.Field.Choices.IsEmpty || f.Path.Field.Stages is not null)?.Path.Field;
        return field is null ? arguments : [.. arguments.Select(a => a is Expression.Literal { Value: string word } ? Choice(field, word, a.Position) : a)];
    }

    private static Expression.Literal Choice(FieldDefinition field, string word, int position) =>
        field.Type.TryNormalize(field, word, out var value, out var error) && value is string name
            ? new Expression.Literal(ExpressionType.Text, name, position)
            : throw new ExpressionException(new ExpressionError(position, Texts.Of("ExprAt", position, error?.Message)));
}
