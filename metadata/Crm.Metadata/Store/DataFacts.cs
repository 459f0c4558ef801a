using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Answers what a plan asks of the records, so that an administrator sees it before anything is changed.</summary>
internal static class DataFacts
{
    private const int Examples = 5;

    private const int MaxValues = 100;

    private const int MaxText = 200;

    /// <summary>Most columns a table may have had: PostgreSQL takes 1,600, those of removed fields included, and a row of many long texts needs some of its room.</summary>
    private const int MaxColumns = 1500;

    /// <summary>What stands in the way and what should be known.</summary>
    public static async Task<(ImmutableArray<PlanMessage> Errors, ImmutableArray<PlanMessage> Warnings)> AskAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IEnumerable<DataQuestion> questions, CancellationToken ct)
    {
        var errors = ImmutableArray.CreateBuilder<PlanMessage>();
        var warnings = ImmutableArray.CreateBuilder<PlanMessage>();
        foreach (var question in questions)
        {
            if (await AnswerAsync(connection, transaction, question, ct) is { } message)
            {
                (question.IsError ? errors : warnings).Add(message);
            }
        }

        return (errors.ToImmutable(), warnings.ToImmutable());
    }

    /// <summary>Records of each entity, in the table it has as long as nothing is applied.</summary>
    public static async Task<ImmutableDictionary<string, long>> RowsAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IEnumerable<(string Entity, string Table)> entities, CancellationToken ct)
    {
        var rows = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach (var (entity, table) in entities)
        {
            rows[entity] = await connection.ExecuteScalarAsync<long>(new CommandDefinition($"SELECT count(*) FROM {Sql.Table(table)}", transaction: transaction, cancellationToken: ct));
        }

        return rows.ToImmutable();
    }

    /// <summary>Values that stand in the way of a unique index, by its name; empty when there are none.</summary>
    public static Task<string> DoublesAsync(NpgsqlConnection connection, string index, CancellationToken ct) =>
        TableNames.TryParse(index, out var entity, out var column) ? DoublesAsync(connection, Sql.Table(entity), Sql.Quote(column), ct) : Task.FromResult("");

    /// <summary>Values that more than one record has; empty when there are none.</summary>
    public static Task<string> DoublesAsync(NpgsqlConnection connection, string table, string column, CancellationToken ct) => DoublesAsync(connection, null, table, column, ct);

    private static async Task<string> DoublesAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, string table, string column, CancellationToken ct)
    {
        // Casting to text suits every type that can be unique.
        var doubles = await connection.QueryAsync<string>(new CommandDefinition(
            $"SELECT {column}::text FROM {table} WHERE {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1 ORDER BY count(*) DESC, {column} LIMIT {Examples}",
            transaction: transaction,
            cancellationToken: ct));
        return string.Join(", ", doubles.Select(d => "'" + LayerEdit.Short(d) + "'"));
    }

    private static async Task<PlanMessage?> AnswerAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, DataQuestion question, CancellationToken ct)
    {
        var table = Sql.Table(question.Entity.Name);
        var column = question.Column is null ? null : Sql.Quote(question.Column);
        var field = question.Field;
        var target = question.Entity.Name + "." + field.Name;
        switch (question.Kind)
        {
            case QuestionKind.Doubles:
                var doubles = await DoublesAsync(connection, transaction, table, column!, ct);
                return doubles.Length == 0 ? null : new PlanMessage(ErrorCodes.Unique, MetadataTexts.Of("FactDoubles", field.Label, doubles), target);
            case QuestionKind.Missing:
                return Message(await CountAsync(column is null ? "true" : $"{column} IS NULL"), ErrorCodes.Required, "FactMissing", field.Label);
            case QuestionKind.RemovedChoice:
                var condition = field.Type switch
                {
                    KindsType => $"EXISTS (SELECT FROM jsonb_array_elements({column}) AS v WHERE v ->> 'kind' = ANY(@values))",
                    _ when field.Type == Fields.MultiChoice => $"{column} && @values",
                    _ => $"{column} = ANY(@values)",
                };
                return Message(
                    await CountAsync(condition, new { values = question.Values.ToArray() }),
                    ErrorCodes.InUse,
                    "FactRemovedChoice",
                    field.Label,
                    string.Join(", ", question.Values));
            case QuestionKind.Columns:
                var had = await connection.ExecuteScalarAsync<int>(new CommandDefinition(
                    "SELECT count(*)::int FROM pg_attribute WHERE attrelid = to_regclass(@table) AND attnum > 0", new { table }, transaction, cancellationToken: ct));
                return had + question.Added <= MaxColumns ? null : new PlanMessage(PlanCodes.Limit, MetadataTexts.Of("FactColumns", question.Entity.Label, had, question.Added, MaxColumns), question.Entity.Name);
            case QuestionKind.Merged:
                var has = field.Type switch
                {
                    TagsType => $"lower(@value) = ANY (lower({column}::text)::text[])",
                    TextListType => $"@value = ANY ({column})",
                    _ => $"{column} = @value",
                };
                return Message(await CountAsync(has, new { value = question.Values[0] }), ErrorCodes.InUse, "FactMerged", field.Label, field.FindMerged(question.Values[0])!.Label);
            case QuestionKind.TooLong:
                var longest = field.MaxLength ?? ((SingleTextType)field.Type).DefaultMaxLength;
                return Message(await CountAsync($"char_length({column}) > @longest", new { longest }), ErrorCodes.Length, "FactTooLong", field.Label, longest);
            case QuestionKind.OutOfRange:
                return Message(await CountAsync($"{column} < @minimum OR {column} > @maximum", new { minimum = field.Minimum, maximum = field.Maximum }), ErrorCodes.Range, "FactOutOfRange", field.Label);
            case QuestionKind.Unconvertible:
                question.Entity.TryProperty(question.Column!, out var former);
                var misfit = $"{column} IS NOT NULL AND NOT ({TypeConversion.Of(former!.Field, field)!.Fits})";
                var values = (await connection.QueryAsync<(string Text, long Records)>(new CommandDefinition(
                    $"SELECT {column}::text, count(*) FROM {table} WHERE {misfit} GROUP BY 1 ORDER BY 1 LIMIT {MaxValues}", transaction: transaction, cancellationToken: ct))).AsList();
                var examples = string.Join(", ", values.Take(Examples).Select(v => "'" + LayerEdit.Short(v.Text) + "'"));
                return Message(await CountAsync(misfit), ErrorCodes.Type, "FactUnconvertible", field.Label, field.Type.Name, examples) is { } found
                    ? found with { Values = [.. values.Select(v => new PlanValue(v.Text.Length > MaxText ? v.Text[..MaxText] + "…" : v.Text, v.Records))] }
                    : null;
            case QuestionKind.Purged:
                return Message(await CountAsync($"{column} IS NOT NULL"), ErrorCodes.InUse, "FactPurged", field.Label);
            default:
                throw new InvalidOperationException($"Unknown question {question.Kind}.");
        }

        Task<long> CountAsync(string condition, object? parameters = null) => connection.ExecuteScalarAsync<long>(
            new CommandDefinition($"SELECT count(*) FROM {table} WHERE {condition}", parameters, transaction, cancellationToken: ct));

        PlanMessage? Message(long count, string code, string text, params ReadOnlySpan<object?> more) =>
            count == 0 ? null : new PlanMessage(code, MetadataTexts.Of(text, [count.ToString("#,0", CultureInfo.InvariantCulture), question.Entity.Label, .. more]), target);
    }
}
