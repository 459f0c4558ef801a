using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>Several texts in one column; an empty list is no value.</summary>
public abstract class TextListType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.TextList)];

    private static readonly ImmutableArray<FilterOperator> ListOperators = [FilterOperator.Contains];

    private protected TextListType()
    {
    }

    /// <inheritdoc/>
    public sealed override Type ValueType => typeof(ImmutableArray<string>);

    /// <inheritdoc/>
    public sealed override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public sealed override ImmutableArray<FilterOperator> Operators => ListOperators;

    /// <inheritdoc/>
    public sealed override bool CanSort => false;

    /// <inheritdoc/>
    public sealed override void ToColumns(object? value, Span<object?> columns) => columns[0] = value is ImmutableArray<string> texts ? texts.ToArray() : null;

    /// <inheritdoc/>
    public sealed override object? FromColumns(ReadOnlySpan<object?> columns) => columns[0] is string[] texts ? texts.ToImmutableArray() : null;

    /// <inheritdoc/>
    public sealed override bool AreEqual(object? left, object? right) =>
        left is ImmutableArray<string> one && right is ImmutableArray<string> other ? one.SequenceEqual(other) : left is null && right is null;
}
