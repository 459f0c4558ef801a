using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>A query as a statement, made once for all queries of its shape.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Sql">The statement.</param>
/// <param name="CountSql">Counts all rows that match.</param>
/// <param name="Slots">Its parameters; the values come from <see cref="QueryShape.Values"/>.</param>
/// <param name="CountSlots">How many of them the count takes.</param>
/// <param name="Shape">Names of the selected values.</param>
/// <param name="Selected">The selected values.</param>
/// <param name="Keys">Storage of the sort keys, behind the selected columns; the id is the last one.</param>
internal sealed record CompiledQuery(
    string Entity,
    string Sql,
    string CountSql,
    ImmutableArray<ParameterSlot> Slots,
    int CountSlots,
    RecordShape Shape,
    ImmutableArray<SelectedValue> Selected,
    ImmutableArray<StorageKind> Keys)
{
    /// <summary>How <see cref="CountSql"/> begins.</summary>
    public const string CountStart = "SELECT count(*) ";

    public NpgsqlBatchCommand ToCommand(ActorAccess access, IReadOnlyList<object> values) => Bind(new NpgsqlBatchCommand(Sql), access, values, Slots.Length);

    public NpgsqlBatchCommand ToCount(ActorAccess access, IReadOnlyList<object> values) => Bind(new NpgsqlBatchCommand(CountSql), access, values, CountSlots);

    /// <summary>Counts no further than to what is counted exactly, and one more.</summary>
    public NpgsqlBatchCommand ToCountSome(ActorAccess access, IReadOnlyList<object> values) =>
        Bind(new NpgsqlBatchCommand(string.Create(CultureInfo.InvariantCulture, $"{CountStart}FROM (SELECT 1 {CountSql[CountStart.Length..]} LIMIT {RecordQuery.CountedExactly + 1}) AS counted")), access, values, CountSlots);

    /// <summary>Asks the planner how many rows it expects of the same statement: the conditions of whoever asks are in it, and nothing is read.</summary>
    public NpgsqlBatchCommand ToEstimate(ActorAccess access, IReadOnlyList<object> values) =>
        Bind(new NpgsqlBatchCommand("EXPLAIN (FORMAT JSON) SELECT 1 " + CountSql[CountStart.Length..]), access, values, CountSlots);

    /// <summary>A page of those that belong to each of several records; their ids are the last parameter.</summary>
    public NpgsqlBatchCommand ToEach(ActorAccess access, IReadOnlyList<object> values, Guid[] of) => With(ToCommand(access, values), of);

    /// <summary>Counts those that belong to each.</summary>
    public NpgsqlBatchCommand ToEachCount(ActorAccess access, IReadOnlyList<object> values, Guid[] of) => With(ToCount(access, values), of);

    /// <summary>All rows that match, in their order: without the limit and the offset, which are the last parameters.</summary>
    public NpgsqlBatchCommand ToAll(ActorAccess access, IReadOnlyList<object> values) =>
        Bind(new NpgsqlBatchCommand(Sql[..Sql.LastIndexOf(" LIMIT ", StringComparison.Ordinal)]), access, values, Slots.Length - 2);

    /// <summary>Takes down id and version of all rows that match, in the order of their ids.</summary>
    public NpgsqlCommand ToTakeDown(ActorAccess access, IReadOnlyList<object> values, Guid job, long most)
    {
        var next = access.View.Parameters + CountSlots + 1;
        var command = new NpgsqlCommand(string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO crm.bulk_row (job_id, row, record_id, version) SELECT ${next}, row_number() OVER (ORDER BY r.\"id\"), r.\"id\", r.\"version\" {CountSql[CountStart.Length..]} LIMIT ${next + 1}"));
        access.Bind(command.Parameters);
        for (var i = 0; i < CountSlots; i++)
        {
            command.Parameters.Add(Slots[i].Bind(values[i]));
        }

        command.Parameters.Add(new() { Value = job });
        command.Parameters.Add(new() { Value = most });
        return command;
    }

    /// <summary>Id and version are the first columns.</summary>
    public Record Read(NpgsqlDataReader reader)
    {
        var values = new object?[Selected.Length];
        var ordinal = 2;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Selected[i].Read(reader, ref ordinal);
        }

        return new Record(Entity, reader.GetGuid(0), reader.GetInt64(1), new RecordValues(Shape, values));
    }

    /// <summary>Where the current row stands in the order.</summary>
    /// <param name="reader">The row.</param>
    /// <param name="behind">How many columns follow those of the query.</param>
    public Cursor CursorOf(NpgsqlDataReader reader, int behind = 0)
    {
        var first = reader.FieldCount - Keys.Length - behind;
        return new Cursor([.. Keys.Select((storage, i) => RowReader.Column(reader, storage, first + i))]);
    }

    private static NpgsqlBatchCommand With(NpgsqlBatchCommand command, Guid[] of)
    {
        command.Parameters.Add(new() { Value = of });
        return command;
    }

    private NpgsqlBatchCommand Bind(NpgsqlBatchCommand command, ActorAccess access, IReadOnlyList<object> values, int count)
    {
        access.Bind(command.Parameters);
        for (var i = 0; i < count; i++)
        {
            command.Parameters.Add(Slots[i].Bind(values[i]));
        }

        return command;
    }
}

/// <summary>A selected value: a whole field, or one of its columns.</summary>
/// <param name="Type">The field's type; null for a single column.</param>
/// <param name="Columns">What is read.</param>
internal sealed record SelectedValue(FieldType? Type, ImmutableArray<TableColumn> Columns)
{
    public object? Read(NpgsqlDataReader reader, ref int ordinal) =>
        Type is null ? RowReader.Column(reader, Columns[0].Storage, ordinal++) : RowReader.Field(reader, Type, Columns, ref ordinal);
}
