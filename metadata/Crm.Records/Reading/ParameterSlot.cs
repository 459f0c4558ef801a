using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>One parameter of a compiled query: turns what the caller gave into what the column is compared with.</summary>
internal abstract class ParameterSlot
{
    public abstract NpgsqlParameter Bind(object value);

    /// <summary>A value of a column, as the field's type reads it.</summary>
    public static ParameterSlot Value(ResolvedPath path) => new ColumnValue(path);

    /// <summary>Several values of a column.</summary>
    public static ParameterSlot Values(ResolvedPath path) => new ColumnValues(path);

    /// <summary>A text that stands anywhere in, at the beginning or at the end of a text, or is all of it, in any case.</summary>
    public static ParameterSlot Pattern(ResolvedPath path, FilterOperator place) => new TextPattern(path, place);

    /// <summary>The first of the keys a text has.</summary>
    public static ParameterSlot Key(ResolvedPath path, ImmutableArray<KeyColumn> keys) => new MatchValue(path, keys);

    /// <summary>One key of several texts.</summary>
    public static ParameterSlot Keys(ResolvedPath path, KeyColumn key) => new MatchValues(path, key);

    /// <summary>The keys a text has in several fields.</summary>
    public static ParameterSlot KeysOf(ImmutableArray<TableField> fields) => new FieldKeys(fields);

    /// <summary>A word of a search.</summary>
    public static ParameterSlot Word { get; } = new Plain(NpgsqlDbType.Text);

    /// <summary>A number of rows.</summary>
    public static ParameterSlot Rows { get; } = new Plain(NpgsqlDbType.Bigint);

    /// <summary>A value that was read from the same column before.</summary>
    public static ParameterSlot Stored(StorageKind storage) => new Plain(ColumnArray.TypeOf(storage));

    /// <summary>A caller's value in the column's own CLR type.</summary>
    private static object Convert(ResolvedPath path, object input)
    {
        var value = path.IsSingle ? OfType(path, input) : OfColumn(path.Column.Storage, input);
        if (value is string text && (text.Contains('\0', StringComparison.Ordinal) || !SingleTextType.IsUnicode(text)))
        {
            value = null;
        }

        return value ?? throw new QueryException(ErrorCodes.Type, Texts.Of("BadFilterValue", path.Path, path.Field.Type.Name), path.Path);
    }

    // Limits of a field are about what may be stored: a filter may well ask for budgets above the greatest one.
    private static object? OfType(ResolvedPath path, object input)
    {
        var relaxed = path.Field.Definition with { Minimum = null, Maximum = null, MaxLength = 1_000_000, Scale = 10 };
        if (!path.Field.Type.TryNormalize(relaxed, input, out var value, out var error))
        {
            // What is no e-mail address may still be compared with one, and a rating with no stars.
            return path.Field.Type is SingleTextType || error.Code == ErrorCodes.Range ? OfColumn(path.Column.Storage, input) : throw new QueryException(error.Code, error.Message, path.Path);
        }

        return value switch
        {
            null => OfColumn(path.Column.Storage, input),
            // A list is compared with one of its items.
            ImmutableArray<string> list => list is [var item] ? item : null,
            _ => value,
        };
    }

    private static object? OfColumn(StorageKind storage, object input) => storage switch
    {
        StorageKind.Text => Inputs.ToText(input),
        StorageKind.Integer => Inputs.ToDecimal(input) is { } number && decimal.Truncate(number) == number && number is >= long.MinValue and <= long.MaxValue ? (long)number : null,
        StorageKind.Decimal => input is Money money ? money.Amount : Inputs.ToDecimal(input),
        StorageKind.Boolean => Inputs.ToBoolean(input),
        StorageKind.Date => Inputs.ToDate(input),
        StorageKind.Instant => Inputs.ToInstant(input),
        StorageKind.Time => Inputs.ToTime(input),
        StorageKind.Reference => Inputs.ToId(input),
        _ => null,
    };

    private sealed class ColumnValue(ResolvedPath path) : ParameterSlot
    {
        private readonly NpgsqlDbType type = ColumnArray.TypeOf(path.Column.Storage);

        public override NpgsqlParameter Bind(object value) => new() { Value = Convert(path, value), NpgsqlDbType = type };
    }

    private sealed class ColumnValues(ResolvedPath path) : ParameterSlot
    {
        public override NpgsqlParameter Bind(object value)
        {
            var values = (IReadOnlyList<object>)value;
            var storage = path.Column.Storage == StorageKind.TextList ? StorageKind.Text : path.Column.Storage;
            var column = ColumnArray.Of(storage, values.Count);
            for (var i = 0; i < values.Count; i++)
            {
                column.Set(i, Convert(path, values[i]));
            }

            return column.ToParameter();
        }
    }

    /// <summary>What a caller means by a text; a text without a key is itself, so that it is the same as none.</summary>
    private static string KeyOf(ResolvedPath path, ImmutableArray<KeyColumn> keys, object input)
    {
        var text = OfColumn(StorageKind.Text, input) as string;
        if (text is null || text.Contains('\0', StringComparison.Ordinal) || !SingleTextType.IsUnicode(text))
        {
            throw new QueryException(ErrorCodes.Type, Texts.Of("BadFilterValue", path.Path, path.Field.Type.Name), path.Path);
        }

        return keys.Select(k => k.Of(path.Field.Definition, text)).FirstOrDefault(k => k is not null) ?? text;
    }

    private sealed class MatchValue(ResolvedPath path, ImmutableArray<KeyColumn> keys) : ParameterSlot
    {
        public override NpgsqlParameter Bind(object value) => new() { Value = KeyOf(path, keys, value), NpgsqlDbType = NpgsqlDbType.Text };
    }

    private sealed class MatchValues(ResolvedPath path, KeyColumn key) : ParameterSlot
    {
        public override NpgsqlParameter Bind(object value) =>
            new() { Value = ((IReadOnlyList<object>)value).Select(v => KeyOf(path, [key], v)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
    }

    private sealed class FieldKeys(ImmutableArray<TableField> fields) : ParameterSlot
    {
        public override NpgsqlParameter Bind(object value) => new()
        {
            Value = fields.Select(f => f.Identity?.Of(f.Definition, value)).OfType<string>().Distinct(StringComparer.Ordinal).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        };
    }

    private sealed class TextPattern(ResolvedPath path, FilterOperator place) : ParameterSlot
    {
        public override NpgsqlParameter Bind(object value)
        {
            var text = Inputs.ToText(value);
            if (text is null || text.Contains('\0', StringComparison.Ordinal) || !SingleTextType.IsUnicode(text))
            {
                throw new QueryException(ErrorCodes.Type, Texts.Of("BadFilterValue", path.Path, path.Field.Type.Name), path.Path);
            }

            var literal = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
            var pattern = (place is FilterOperator.StartsWith or FilterOperator.EqualAnyCase ? "" : "%") + literal + (place is FilterOperator.EndsWith or FilterOperator.EqualAnyCase ? "" : "%");
            return new NpgsqlParameter { Value = pattern, NpgsqlDbType = NpgsqlDbType.Text };
        }
    }

    private sealed class Plain(NpgsqlDbType type) : ParameterSlot
    {
        // What a caller made up and dressed as a cursor may hold values of another type.
        public override NpgsqlParameter Bind(object value) =>
            (type, value) is (NpgsqlDbType.Text, string) or (NpgsqlDbType.Bigint, long) or (NpgsqlDbType.Numeric, decimal) or (NpgsqlDbType.Boolean, bool)
                or (NpgsqlDbType.Date, DateOnly) or (NpgsqlDbType.Time, TimeOnly) or (NpgsqlDbType.TimestampTz, DateTimeOffset) or (NpgsqlDbType.Uuid, Guid)
                ? new() { Value = value, NpgsqlDbType = type }
                : throw new QueryException(ErrorCodes.BadRequest, Texts.Of("BadCursor"), "after");
    }
}
