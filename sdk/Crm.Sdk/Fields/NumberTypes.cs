using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>A field stored as one number.</summary>
public abstract class NumberType : FieldType
{
    internal static readonly ImmutableArray<FilterOperator> Ordered =
        [FilterOperator.Equal, FilterOperator.NotEqual, FilterOperator.Less, FilterOperator.LessOrEqual, FilterOperator.Greater, FilterOperator.GreaterOrEqual];

    /// <inheritdoc/>
    public override ImmutableArray<FilterOperator> Operators => Ordered;

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        if (field.Minimum > field.Maximum)
        {
            yield return Texts.Of("RangeReversed", field.Name);
        }

        if (field.Scale is < 0 or > 10)
        {
            yield return Texts.Of("ScaleRange", field.Name);
        }
    }

    /// <summary>The refusal of a number outside the field's range; null when it lies inside.</summary>
    protected static FieldError? RangeError(FieldDefinition field, decimal number)
    {
        ArgumentNullException.ThrowIfNull(field);
        if (field.Minimum is { } minimum && number < minimum)
        {
            return new FieldError(ErrorCodes.Range, Texts.Of("TooSmall", field.Label, minimum));
        }

        if (field.Maximum is { } maximum && number > maximum)
        {
            return new FieldError(ErrorCodes.Range, Texts.Of("TooGreat", field.Label, maximum));
        }

        return null;
    }

    /// <summary>Rounds half away from zero to the field's digits, as people do on paper.</summary>
    protected static decimal Round(FieldDefinition field, decimal number)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Math.Round(number, field.Scale ?? 2, MidpointRounding.AwayFromZero);
    }
}

/// <summary>A whole number.</summary>
internal sealed class IntegerType : NumberType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Integer)];

    public override string Name => "integer";

    public override Type ValueType => typeof(long);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override bool CanBeUnique => true;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = null;
        if (Inputs.ToDecimal(input) is not { } number || decimal.Truncate(number) != number || number is < long.MinValue or > long.MaxValue)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotInteger", field.Label));
            return false;
        }

        error = RangeError(field, number);
        value = error is null ? (long)number : null;
        return error is null;
    }

    // A field that holds numbers of four digits only holds years or codes: 1996 is not 1,996.
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is long number ? number.ToString(field is { Minimum: >= 1_000, Maximum: < 10_000 } ? "0" : "N0", culture) : "";
}

/// <summary>A decimal number or a percentage.</summary>
internal sealed class DecimalType(string name) : NumberType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Decimal)];

    public override string Name => name;

    public override Type ValueType => typeof(decimal);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = null;
        var read = input is string text && name == "percent" ? text.TrimEnd().TrimEnd('%') : input;
        if (Inputs.ToDecimal(read) is not { } number || Math.Abs(number) > 1e18m)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotNumber", field.Label));
            return false;
        }

        number = Round(field, number);
        error = RangeError(field, number);
        value = error is null ? number : null;
        return error is null;
    }

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is decimal number ? number.ToString("#,0.##########", culture) + (name == "percent" ? " %" : "") : "";
}

/// <summary>
/// An amount and a currency. Input without a currency takes <see cref="FieldDefinition.Currency"/>, then <see cref="FallbackCurrency"/>;
/// a caller that changes the amount of a stored value passes the stored currency along.
/// </summary>
public sealed class MoneyType : NumberType
{
    /// <summary>Currency of an amount when neither the input nor the field names one.</summary>
    public const string FallbackCurrency = "EUR";

    private static readonly ImmutableArray<FieldColumn> Parts =
        [new("amount", "", StorageKind.Decimal), new("currency", "_currency", StorageKind.Text, MaxLength: 3)];

    /// <inheritdoc/>
    public override string Name => "money";

    /// <inheritdoc/>
    public override Type ValueType => typeof(Money);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Parts;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        object? amountInput = input;
        object? currencyInput = null;
        switch (input)
        {
            case Money money:
                (amountInput, currencyInput) = (money.Amount, money.Currency);
                break;
            case IReadOnlyDictionary<string, object?> parts:
                amountInput = parts.GetValueOrDefault("amount");
                currencyInput = parts.GetValueOrDefault("currency");
                break;
            case string text when text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var first, var second]:
                (amountInput, currencyInput) = char.IsAsciiLetter(first[0]) ? (second, first) : (first, second);
                break;
        }

        if (amountInput is null or "")
        {
            error = null;
            return true;
        }

        if (Inputs.ToDecimal(amountInput) is not { } amount || Math.Abs(amount) > 1e15m)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotMoney", field.Label));
            return false;
        }

        var currency = (currencyInput as string)?.Trim().ToUpperInvariant() ?? field.Currency ?? FallbackCurrency;
        if (currency.Length != 3 || !currency.All(char.IsAsciiLetterUpper))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotCurrency", field.Label));
            return false;
        }

        amount = Round(field, amount);
        error = RangeError(field, amount);
        value = error is null ? new Money(amount, currency) : null;
        return error is null;
    }

    /// <inheritdoc/>
    public override object Complete(object input, object stored)
    {
        var currency = (stored as Money?)?.Currency;
        return input switch
        {
            Money => input,
            IReadOnlyDictionary<string, object?> parts when parts.ContainsKey("amount") && parts.ContainsKey("currency") => input,
            IReadOnlyDictionary<string, object?> parts => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["amount"] = parts.TryGetValue("amount", out var amount) ? amount : (stored as Money?)?.Amount,
                ["currency"] = parts.GetValueOrDefault("currency") ?? currency,
            },
            string text when text.Any(char.IsAsciiLetter) => input,
            _ => new Dictionary<string, object?>(StringComparer.Ordinal) { ["amount"] = input, ["currency"] = currency },
        };
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        var money = value as Money?;
        columns[0] = money?.Amount;
        columns[1] = money?.Currency;
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns) =>
        columns[0] is decimal amount ? new Money(amount, columns[1] as string ?? FallbackCurrency) : null;

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is Money money ? money.Amount.ToString("N2", culture) + " " + money.Currency : "";
}

/// <summary>The id of the record itself.</summary>
internal sealed class KeyType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Reference)];

    public override string Name => "key";

    public override Type ValueType => typeof(Guid);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override ImmutableArray<FilterOperator> Operators => NumberType.Ordered;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = Inputs.ToId(input);
        error = value is null ? new FieldError(ErrorCodes.Type, Texts.Of("NotId", field.Label)) : null;
        return error is null;
    }
}
