using System.Globalization;
using System.Text;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>One column of many rows, as one parameter.</summary>
internal abstract class ColumnArray
{
    /// <summary>PostgreSQL's name for a column's values; a list travels as text because arrays of arrays of different lengths do not exist, and so does JSON.</summary>
    public static string TypeName(StorageKind storage) => storage switch
    {
        StorageKind.Text or StorageKind.TextList or StorageKind.Json => "text",
        StorageKind.Integer => "bigint",
        StorageKind.Decimal => "numeric",
        StorageKind.Boolean => "boolean",
        StorageKind.Date => "date",
        StorageKind.Instant => "timestamptz",
        StorageKind.Reference => "uuid",
        StorageKind.Time => "time",
        _ => throw new ArgumentOutOfRangeException(nameof(storage)),
    };

    /// <summary>How a column of an unnested parameter is read.</summary>
    public static string Read(StorageKind storage, string column) => storage switch
    {
        StorageKind.TextList => column + "::text[]",
        StorageKind.Json => column + "::jsonb",
        _ => column,
    };

    /// <summary>How the parameter of a single row is read.</summary>
    public static string ReadOne(StorageKind storage, int number) => string.Create(CultureInfo.InvariantCulture, $"${number}{(storage == StorageKind.Json ? "::jsonb" : "")}");

    /// <summary>The parameter of a single row.</summary>
    public static NpgsqlParameter One(StorageKind storage, object? value) => new()
    {
        Value = value ?? DBNull.Value,
        NpgsqlDbType = storage switch
        {
            StorageKind.Json => NpgsqlDbType.Text,
            StorageKind.TextList => NpgsqlDbType.Array | NpgsqlDbType.Text,
            _ => TypeOf(storage),
        },
    };

    /// <summary>The driver's name for the type of a value; of an item where it is a list.</summary>
    public static NpgsqlDbType TypeOf(StorageKind storage) => storage switch
    {
        StorageKind.Text or StorageKind.TextList => NpgsqlDbType.Text,
        StorageKind.Integer => NpgsqlDbType.Bigint,
        StorageKind.Decimal => NpgsqlDbType.Numeric,
        StorageKind.Boolean => NpgsqlDbType.Boolean,
        StorageKind.Date => NpgsqlDbType.Date,
        StorageKind.Instant => NpgsqlDbType.TimestampTz,
        StorageKind.Reference => NpgsqlDbType.Uuid,
        StorageKind.Time => NpgsqlDbType.Time,
        StorageKind.Json => NpgsqlDbType.Jsonb,
        _ => throw new ArgumentOutOfRangeException(nameof(storage)),
    };

    public static ColumnArray Of(StorageKind storage, int rows) => storage switch
    {
        StorageKind.Text or StorageKind.Json => new Texts(rows),
        StorageKind.TextList => new Lists(rows),
        StorageKind.Integer => new Values<long>(rows, TypeOf(storage)),
        StorageKind.Decimal => new Values<decimal>(rows, TypeOf(storage)),
        StorageKind.Boolean => new Values<bool>(rows, TypeOf(storage)),
        StorageKind.Date => new Values<DateOnly>(rows, TypeOf(storage)),
        StorageKind.Instant => new Values<DateTimeOffset>(rows, TypeOf(storage)),
        StorageKind.Reference => new Values<Guid>(rows, TypeOf(storage)),
        StorageKind.Time => new Values<TimeOnly>(rows, TypeOf(storage)),
        _ => throw new ArgumentOutOfRangeException(nameof(storage)),
    };

    public abstract void Set(int row, object? value);

    public abstract NpgsqlParameter ToParameter();

    private sealed class Values<T>(int rows, NpgsqlDbType type) : ColumnArray
        where T : struct
    {
        private readonly T?[] cells = new T?[rows];

        public override void Set(int row, object? value) => cells[row] = (T?)value;

        public override NpgsqlParameter ToParameter() => new() { Value = cells, NpgsqlDbType = NpgsqlDbType.Array | type };
    }

    private sealed class Texts(int rows) : ColumnArray
    {
        private readonly string?[] cells = new string?[rows];

        public override void Set(int row, object? value) => cells[row] = (string?)value;

        public override NpgsqlParameter ToParameter() => new() { Value = cells, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
    }

    private sealed class Lists(int rows) : ColumnArray
    {
        private readonly string?[] cells = new string?[rows];

        public override void Set(int row, object? value) => cells[row] = value is string[] list ? Literal(list) : null;

        public override NpgsqlParameter ToParameter() => new() { Value = cells, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

        // PostgreSQL's text form of an array: {"a","b"} with \ before \ and ".
        private static string Literal(string[] list)
        {
            var text = new StringBuilder("{");
            foreach (var item in list)
            {
                text.Append(text.Length > 1 ? ",\"" : "\"").Append(item.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
            }

            return text.Append('}').ToString();
        }
    }
}
