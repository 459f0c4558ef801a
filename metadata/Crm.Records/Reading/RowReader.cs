using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Turns rows whose columns are metadata into values.</summary>
internal static class RowReader
{
    private static readonly object True = true;
    private static readonly object False = false;

    /// <summary>Values of the given fields, whose columns are the row's first ones.</summary>
    public static object?[] Read(NpgsqlDataReader reader, ImmutableArray<TableField> fields)
    {
        var values = new object?[fields.Length];
        var ordinal = 0;
        foreach (var field in fields)
        {
            values[field.Index] = Field(reader, field.Type, field.Columns, ref ordinal);
        }

        return values;
    }

    /// <summary>A whole field from the columns beginning at <paramref name="ordinal"/>, which is moved behind them.</summary>
    public static object? Field(NpgsqlDataReader reader, FieldType type, ImmutableArray<TableColumn> columns, ref int ordinal)
    {
        if (columns.Length == 1)
        {
            var cell = Column(reader, columns[0].Storage, ordinal++);
            return type.FromColumns(new ReadOnlySpan<object?>(ref cell));
        }

        var cells = new object?[columns.Length];
        for (var i = 0; i < cells.Length; i++)
        {
            cells[i] = Column(reader, columns[i].Storage, ordinal++);
        }

        return type.FromColumns(cells);
    }

    /// <summary>One column.</summary>
    public static object? Column(NpgsqlDataReader reader, StorageKind storage, int ordinal)
    {
        if (reader.IsDBNull(ordinal))
        {
            return null;
        }

        return storage switch
        {
            StorageKind.Text => reader.GetString(ordinal),
            StorageKind.Integer => reader.GetInt64(ordinal),
            StorageKind.Decimal => reader.GetDecimal(ordinal),
            StorageKind.Boolean => reader.GetBoolean(ordinal) ? True : False,
            StorageKind.Date => reader.GetFieldValue<DateOnly>(ordinal),
            StorageKind.Instant => reader.GetFieldValue<DateTimeOffset>(ordinal),
            StorageKind.Reference => reader.GetGuid(ordinal),
            StorageKind.Time => reader.GetFieldValue<TimeOnly>(ordinal),
            StorageKind.Json => reader.GetString(ordinal),
            StorageKind.TextList => reader.GetFieldValue<string[]>(ordinal),
            _ => throw new ArgumentOutOfRangeException(nameof(storage)),
        };
    }
}
