using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Records.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Importing;

/// <summary>Keeps the verdict of every row.</summary>
public sealed class VerdictStore(CrmDatabase database)
{
    /// <summary>Reads one page.</summary>
    /// <param name="job">The job.</param>
    /// <param name="severity">Null for all rows, 1 for those with warnings, 2 for those with errors.</param>
    /// <param name="after">Row the page before ended with; 0 for the first.</param>
    /// <param name="top">Most rows of the page.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<RowVerdict>> ReadAsync(Guid job, int? severity, long after, int top, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(
            "SELECT row, line, outcome, record_id, messages FROM crm.job_verdict WHERE job_id = $1 AND row > $2 AND ($3 IS NULL OR severity = $3) ORDER BY row LIMIT $4",
            connection)
        {
            Parameters = { new() { Value = job }, new() { Value = after }, new() { Value = (object?)severity ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer }, new() { Value = top } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var page = ImmutableArray.CreateBuilder<RowVerdict>();
        while (await reader.ReadAsync(ct))
        {
            page.Add(new RowVerdict(
                reader.GetInt64(0),
                reader.GetInt64(1),
                Enum.Parse<RowOutcome>(reader.GetString(2), ignoreCase: true),
                await reader.IsDBNullAsync(3, ct) ? null : reader.GetGuid(3),
                await reader.IsDBNullAsync(4, ct) ? [] : JsonSerializer.Deserialize<List<RowIssue>>(reader.GetString(4), JobJson.Options)!));
        }

        return page.ToImmutable();
    }

    /// <summary>Adds verdicts in the transaction of the rows they tell of.</summary>
    internal static async Task WriteAsync(NpgsqlConnection connection, Guid job, IEnumerable<RowVerdict> verdicts, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY crm.job_verdict (job_id, row, line, outcome, severity, record_id, messages) FROM STDIN BINARY", ct);
        foreach (var verdict in verdicts)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(job, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(verdict.Row, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(verdict.Line, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(Name(verdict.Outcome), NpgsqlDbType.Text, ct);
            await copy.WriteAsync((short)verdict.Severity, NpgsqlDbType.Smallint, ct);
            if (verdict.RecordId is { } id)
            {
                await copy.WriteAsync(id, NpgsqlDbType.Uuid, ct);
            }
            else
            {
                await copy.WriteNullAsync(ct);
            }

            if (verdict.Issues.Count > 0)
            {
                await copy.WriteAsync(JsonSerializer.Serialize(verdict.Issues, JobJson.Options), NpgsqlDbType.Jsonb, ct);
            }
            else
            {
                await copy.WriteNullAsync(ct);
            }
        }

        await copy.CompleteAsync(ct);
    }

    /// <summary>Adds something to the verdict of a row that was given before.</summary>
    internal static async Task AppendAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, long row, RowIssue issue, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "UPDATE crm.job_verdict SET severity = greatest(severity, 1), messages = coalesce(messages, '[]'::jsonb) || $3::jsonb WHERE job_id = $1 AND row = $2",
            connection,
            transaction)
        {
            Parameters = { new() { Value = job }, new() { Value = row }, new() { Value = JsonSerializer.Serialize(new[] { issue }, JobJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Name of an outcome in the API and in the table.</summary>
    public static string Name(RowOutcome outcome) => JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString());
}
