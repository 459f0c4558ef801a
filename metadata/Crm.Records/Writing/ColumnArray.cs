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

    public static ColumnArray Of(StorageKind storage, int rows) => storage switch
    {
        StorageKind.Text or StorageKind.Json => new Texts(rows),
        StorageKind.TextList => new Lists(rows),
        StorageKind.Integer => new Values<long>(rows, NpgsqlDbType.Bigint),
        StorageKind.Decimal => new Values<decimal>(rows, NpgsqlDbType.Numeric),
        StorageKind.Boolean => new Values<bool>(rows, NpgsqlDbType.Boolean),
        StorageKind.Date => new Values<DateOnly>(rows, NpgsqlDbType.Date),
        StorageKind.Instant => new Values<DateTimeOffset>(rows, NpgsqlDbType.TimestampTz),
        StorageKind.Reference => new Values<Guid>(rows, NpgsqlDbType.Uuid),
        StorageKind.Time => new Values<TimeOnly>(rows, NpgsqlDbType.Time),
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
