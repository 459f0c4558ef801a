using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>What a formula's result becomes in its field.</summary>
public static class FormulaValue
{
    /// <summary>Types a formula may have.</summary>
    public static ImmutableArray<FieldType> Types { get; } = [Fields.Text, Fields.Decimal, Fields.Integer, Fields.Percent, Fields.YesNo, Fields.Date, Fields.DateTime];

    /// <summary>What an expression must give for a field of this type; null when the type cannot be calculated.</summary>
    public static ExpressionType? Wanted(FieldType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return !Types.Contains(type) ? null : type.Columns[0].Storage switch
        {
            StorageKind.Text => ExpressionType.Text,
            StorageKind.Integer or StorageKind.Decimal => ExpressionType.Number,
            StorageKind.Boolean => ExpressionType.YesNo,
            StorageKind.Date => ExpressionType.Date,
            _ => ExpressionType.Instant,
        };
    }

    /// <summary>The value to store: numbers rounded half away from zero to the field's digits, texts cut to its length.</summary>
    /// <param name="field">The field.</param>
    /// <param name="value">What <see cref="Expression.Evaluate"/> gave.</param>
    public static object? Of(FieldDefinition field, object? value)
    {
        ArgumentNullException.ThrowIfNull(field);
        return value switch
        {
            decimal number when field.Type.Columns[0].Storage == StorageKind.Integer => (long)Math.Round(number, 0, MidpointRounding.AwayFromZero),
            decimal number => Math.Round(number, DigitsOf(field), MidpointRounding.AwayFromZero),
            string text when LengthOf(field) is var longest && text.Length > longest => string.Concat(text.EnumerateRunes().Take(longest)),
            _ => value,
        };
    }

    /// <summary>Digits after the point of a formula that gives a decimal number.</summary>
    public static int DigitsOf(FieldDefinition field) => field?.Scale ?? 2;

    /// <summary>Longest text of a formula, in characters.</summary>
    public static int LengthOf(FieldDefinition field) => field?.MaxLength ?? (field?.Type as SingleTextType)?.DefaultMaxLength ?? 255;
}
