using System.Globalization;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Expressions as SQL, for many records at once. Names come from the snapshot; what is written down in the expression was checked with the definition it is part
/// of, is no value of a request, and is quoted here. Gives what <see cref="Expression.Evaluate"/> gives.
/// </summary>
public sealed class ExpressionSql(Func<FieldPath, string> column)
{
    /// <summary>The value of an expression.</summary>
    public string Write(Expression expression) => expression switch
    {
        Expression.Literal literal => Literal(literal),
        Expression.Field field => Column(field.Path),
        Expression.Call call => Call(call),
        _ => throw new InvalidOperationException("Unknown expression."),
    };

    /// <summary>A condition that holds or does not: never null.</summary>
    public string Condition(Expression expression) =>
        expression is Expression.Call { Function: not ("if" or "coalesce") } call ? Write(call) : $"coalesce({Write(expression)}, false)";

    /// <summary>The value to store in a formula's field.</summary>
    public string Write(Formula formula)
    {
        ArgumentNullException.ThrowIfNull(formula);
        var value = Write(formula.Expression);
        return formula.Field.Type.Columns[0].Storage switch
        {
            StorageKind.Integer => $"round({value})::bigint",
            StorageKind.Decimal => string.Create(CultureInfo.InvariantCulture, $"round({value}, {FormulaValue.DigitsOf(formula.Field)})"),
            StorageKind.Text => string.Create(CultureInfo.InvariantCulture, $"left({value}, {FormulaValue.LengthOf(formula.Field)})"),
            _ => value,
        };
    }

    private static string Literal(Expression.Literal literal) => literal.Value switch
    {
        null => "NULL",
        string text => Sql.Literal(text),
        DateOnly date => "date " + Sql.Literal(date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        bool yes => yes ? "true" : "false",
        decimal number => number.ToString(CultureInfo.InvariantCulture) + "::numeric",
        _ => throw new InvalidOperationException($"A literal cannot be a {literal.Value.GetType().Name}."),
    };

    private string Column(FieldPath path)
    {
        var storage = path.Field.Type.Columns[path.Part].Storage;
        return storage == StorageKind.Integer ? column(path) + "::numeric" : column(path);
    }

    private string Call(Expression.Call call)
    {
        string At(int index) => Write(call.Arguments[index]);
        string When(int index) => Condition(call.Arguments[index]);
        string All() => string.Join(", ", call.Arguments.Select(Write));
        string Compare(string symbol) => $"coalesce({At(0)} {symbol} {At(1)}, false)";
        var isDate = call.Arguments is [{ Type: ExpressionType.Date }, ..];
        switch (call.Function)
        {
            case "+":
                return isDate ? $"crm.add_days({All()})" : $"crm.bound({At(0)} + {At(1)})";
            case "-" when isDate:
                return call.Type == ExpressionType.Number ? $"({At(0)} - {At(1)})::numeric" : $"crm.add_days({At(0)}, -{At(1)})";
            case "-" or "*":
                return $"crm.bound({At(0)} {call.Function} {At(1)})";
            case "/":
                return $"crm.divide({All()})";
            case "negate":
                return $"(- {At(0)})";
            case "&":
                return $"nullif(concat({Text(call.Arguments[0])}, {Text(call.Arguments[1])}), '')";
            case "=":
                return $"({At(0)} IS NOT DISTINCT FROM {At(1)})";
            case "<>":
                return $"({At(0)} IS DISTINCT FROM {At(1)})";
            case "<" or "<=" or ">" or ">=":
                return Compare(call.Function);
            case "in":
                return "(" + string.Join(" OR ", call.Arguments.Skip(1).Select(a => $"{At(0)} IS NOT DISTINCT FROM {Write(a)}")) + ")";
            case "is_empty":
                return $"({At(0)} IS NULL)";
            case "and" or "or":
                return $"({When(0)} {call.Function.ToUpperInvariant()} {When(1)})";
            case "not":
                return $"(NOT {When(0)})";
            case "if":
                var branches = Enumerable.Range(0, call.Arguments.Length / 2).Select(i => $" WHEN {When(2 * i)} THEN {At((2 * i) + 1)}");
                return $"CASE{string.Concat(branches)} ELSE {Write(call.Arguments[^1])} END";
            case "coalesce":
                return $"coalesce({All()})";
            case "upper" or "lower" or "abs" or "floor" or "ceil":
                return $"{call.Function}({All()})";
            case "trim":
                return $"nullif(btrim({At(0)}, ' '), '')";
            case "len":
                return $"char_length({At(0)})::numeric";
            case "left" or "right":
                return $"nullif({call.Function}({At(0)}, least(greatest(trunc({At(1)}), 0), 1000000)::integer), '')";
            case "text":
                return Text(call.Arguments[0]);
            case "contains" when call.Arguments[0].Type == ExpressionType.List:
                return $"coalesce({At(1)} = ANY({At(0)}), false)";
            case "contains":
                return $"coalesce(strpos({At(0)}, {At(1)}) > 0, false)";
            case "starts":
                return $"coalesce(starts_with({All()}), false)";
            case "ends":
                return $"coalesce(right({At(0)}, char_length({At(1)})) = {At(1)}, false)";
            case "round" when call.Arguments.Length == 1:
                return $"round({At(0)})";
            case "round":
                return $"round({At(0)}, least(greatest(trunc({At(1)}), 0), 10)::integer)";
            case "min":
                return $"least({All()})";
            case "max":
                return $"greatest({All()})";
            case "year" or "month" or "day":
                return $"extract({call.Function} FROM {At(0)})::numeric";
            case "weekday":
                return $"extract(isodow FROM {At(0)})::numeric";
            case "date":
                return $"({At(0)} AT TIME ZONE 'UTC')::date";
            case "add_days":
                return $"crm.add_days({All()})";
            case "add_months":
                return $"crm.add_months({All()}, 1)";
            case "add_years":
                return $"crm.add_months({All()}, 12)";
            default:
                throw new InvalidOperationException($"'{call.Function}' has no value that could be stored.");
        }
    }

    private string Text(Expression expression) => expression.Type switch
    {
        ExpressionType.Number => $"trim_scale({Write(expression)})::text",
        ExpressionType.Date => $"to_char({Write(expression)}, 'YYYY-MM-DD')",
        _ => Write(expression),
    };
}
