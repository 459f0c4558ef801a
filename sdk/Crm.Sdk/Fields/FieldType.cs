using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>What a field may hold. Stateless; one instance per kind. Owns normalising, checking, storage, operators and display of a value.</summary>
public abstract class FieldType
{
    private static readonly ImmutableArray<FilterOperator> Equality = [FilterOperator.Equal, FilterOperator.NotEqual];

    /// <summary>Stable name, as stored and as the API writes it.</summary>
    public abstract string Name { get; }

    /// <summary>CLR type of a value, for example <c>string</c>, <c>decimal</c>, <see cref="Money"/>, <c>ImmutableArray&lt;string&gt;</c>.</summary>
    public abstract Type ValueType { get; }

    /// <summary>Columns a value is stored in; the first holds what the field is compared and sorted by.</summary>
    public abstract ImmutableArray<FieldColumn> Columns { get; }

    /// <summary>Operators a filter may use on the first column.</summary>
    public virtual ImmutableArray<FilterOperator> Operators => Equality;

    /// <summary>Whether a value may be compared by order.</summary>
    public virtual bool CanSort => true;

    /// <summary>Whether values can be made unique.</summary>
    public virtual bool CanBeUnique => false;

    /// <summary>What the records of a field are found by, whichever way a value is written: columns of their own beside those of the value, kept by the write path, no properties of the API.</summary>
    public virtual ImmutableArray<MatchKey> Keys(FieldDefinition field) => [];

    /// <summary>Name of the navigation property that leads to the record pointed to; null when the field points nowhere.</summary>
    public virtual string? NavigationProperty(FieldDefinition field) => null;

    /// <summary>
    /// Turns input into the stored value, or says why it cannot. Input is what a caller gives: a string, <c>bool</c>, <c>long</c>,
    /// <c>decimal</c>, <c>double</c>, <see cref="Guid"/>, <see cref="DateOnly"/>, <see cref="TimeOnly"/>, <see cref="DateTimeOffset"/>, a list of those, a dictionary of
    /// parts (<see cref="FieldColumn.Part"/> to value), or a value of <see cref="ValueType"/>. Null and an empty string mean no value.
    /// </summary>
    /// <param name="field">The field the value is for.</param>
    /// <param name="input">What the caller gave; not null and not an empty string.</param>
    /// <param name="value">The value to store, of <see cref="ValueType"/>.</param>
    /// <param name="error">Code and message of the refusal.</param>
    public abstract bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error);

    /// <summary>Completes input that leaves parts of the value open from the value stored now: an amount without a currency keeps the stored one.</summary>
    /// <param name="input">What the caller gave; not null and not an empty string.</param>
    /// <param name="stored">The value stored now.</param>
    /// <returns>Input for <see cref="TryNormalize"/>.</returns>
    public virtual object Complete(object input, object stored) => input;

    /// <summary>Writes a value into its columns; <paramref name="columns"/> has as many places as <see cref="Columns"/>.</summary>
    public virtual void ToColumns(object? value, Span<object?> columns) => columns[0] = value;

    /// <summary>Reads a value from its columns; null when there is none.</summary>
    public virtual object? FromColumns(ReadOnlySpan<object?> columns) => columns[0];

    /// <summary>Whether two values of this type are the same, so that storing one over the other changes nothing.</summary>
    public virtual bool AreEqual(object? left, object? right) => Equals(left, right);

    /// <summary>Problems of a definition that uses this type: options that are missing or make no sense.</summary>
    public virtual IEnumerable<string> Problems(FieldDefinition field) => [];

    /// <summary>Text of a value for users; lookups are written by the caller, who knows the record's title.</summary>
    public virtual string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is null ? "" : Convert.ToString(value, culture) ?? "";

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A column of a field.</summary>
/// <param name="Part">Name of the part in a dictionary of parts, for example <c>amount</c>.</param>
/// <param name="Suffix">Appended to the field's name to make the column's and the property's name; empty for the main one.</param>
/// <param name="Storage">What it holds.</param>
/// <param name="MaxLength">Longest text of this part, in characters, whatever the field says; null when the field decides.</param>
/// <param name="Scale">Digits after the point of this part, whatever the field says; null when the field decides.</param>
public sealed record FieldColumn(string Part, string Suffix, StorageKind Storage, int? MaxLength = null, int? Scale = null);

/// <summary>A key of a field's value: what different notations of the same value have in common, see <see cref="MatchKeys"/>.</summary>
/// <param name="Name">What it is made like, with a number that grows when it is made otherwise: keys of an older one are made anew. Stored with the column.</param>
/// <param name="Suffix">Appended to the field's name to make the column's. It begins with two underscores, as no field's name has them.</param>
/// <param name="IsIdentity">Whether values with the same key are the same value: they are equal in filters and doubles of one another.</param>
/// <param name="Of">The key of a value's text; null when it has none.</param>
public sealed record MatchKey(string Name, string Suffix, bool IsIdentity, Func<FieldDefinition, string, string?> Of)
{
    /// <summary>Whether the field holds several values, so that the column holds a list of keys.</summary>
    public bool IsList { get; init; }

    /// <summary>What the column holds for a value: a text, or a <c>string[]</c> of a list; null for nothing.</summary>
    public object? ColumnOf(FieldDefinition field, object? value) => value switch
    {
        string text => Of(field, text),
        ImmutableArray<KindValue> values when values.Select(v => Of(field, v.Value)).OfType<string>().Distinct(StringComparer.Ordinal).ToArray() is { Length: > 0 } keys => keys,
        _ => null,
    };
}

/// <summary>Storage of a column, free of SQL. The CLR type of a column's value is given beside each.</summary>
public enum StorageKind
{
    /// <summary>Text; <c>string</c>.</summary>
    Text,

    /// <summary>64-bit integer; <c>long</c>.</summary>
    Integer,

    /// <summary>Exact decimal; <c>decimal</c>.</summary>
    Decimal,

    /// <summary>Yes or no; <c>bool</c>.</summary>
    Boolean,

    /// <summary>Date without time; <see cref="DateOnly"/>.</summary>
    Date,

    /// <summary>Instant; <see cref="DateTimeOffset"/> in UTC.</summary>
    Instant,

    /// <summary>Id of a record; <see cref="Guid"/>.</summary>
    Reference,

    /// <summary>Several texts; <c>string[]</c>.</summary>
    TextList,

    /// <summary>Time of day without date or zone, whole seconds; <see cref="TimeOnly"/>.</summary>
    Time,

    /// <summary>A JSON document; <c>string</c>.</summary>
    Json,
}

/// <summary>Why a value was refused.</summary>
/// <param name="Code">Stable code, see <see cref="ErrorCodes"/>.</param>
/// <param name="Message">For the user; says what is allowed.</param>
public sealed record FieldError(string Code, string Message)
{
    /// <summary>Where in the value, of a field that holds several: <c>[1].value</c>; null for the whole.</summary>
    public string? At { get; init; }
}

/// <summary>An amount in a currency.</summary>
/// <param name="Amount">The amount.</param>
/// <param name="Currency">ISO 4217 code, three capital letters.</param>
public readonly record struct Money(decimal Amount, string Currency)
{
    /// <summary>Amount and code, for example <c>1,054.00 EUR</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Amount:#,0.00} {Currency}");
}
