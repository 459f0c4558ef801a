using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Metadata;

/// <summary>Gives records that are there their match keys, which only the field's type can make.</summary>
internal sealed class KeyFill
{
    private readonly FieldDefinition field;
    private readonly MatchKey key;
    private readonly string select;
    private readonly string update;
    private readonly string doubles;
    private readonly long step;

    /// <summary>Keys of one column, behind the position of a step.</summary>
    public KeyFill(EntityDefinition entity, string column, long step)
    {
        this.step = step;
        (field, key) = (from f in entity.Fields from k in f.Type.Keys(f) where f.Name + k.Suffix == column select (f, k)).First();
        var table = Sql.Table(entity.Name);
        select = $"SELECT r.id, r.{Sql.Quote(field.Name + field.Type.Columns[0].Suffix)}, r.{Sql.Quote(column)}::text FROM {table} AS r WHERE r.id > coalesce((SELECT position FROM crm.metadata_step WHERE id = $1), '00000000-0000-0000-0000-000000000000'::uuid) ORDER BY r.id LIMIT $2 FOR NO KEY UPDATE";
        update = $"UPDATE {table} AS r SET {Sql.Quote(column)} = {(key.IsList ? "k.key::text[]" : "k.key")} FROM unnest($1::uuid[], $2::text[]) AS k (id, key) WHERE r.id = k.id";
        doubles = $"""
            WITH made AS (SELECT * FROM unnest($1::uuid[], $2::text[]) AS k (id, key) WHERE key IS NOT NULL)
            SELECT key FROM made GROUP BY key HAVING count(*) > 1
            UNION SELECT made.key FROM made JOIN {table} AS r ON r.{Sql.Quote(column)} = made.key AND r.id <> made.id
            ORDER BY key LIMIT 5
            """;
    }

    /// <summary>The next batch.</summary>
    /// <exception cref="StepFailedException">Values that were different by their former keys are the same now, in a field in which each may be there once.</exception>
    public async Task<StepBatch> NextAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, int size, CancellationToken ct)
    {
        var ids = new List<Guid>();
        var keys = new List<string?>();
        var batch = default(StepBatch);
        await using (var command = new NpgsqlCommand(select, connection, transaction) { CommandTimeout = 0, Parameters = { new() { Value = step }, new() { Value = size } } })
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            for (var count = 1L; await reader.ReadAsync(ct); count++)
            {
                var id = reader.GetGuid(0);
                batch = new StepBatch(id, count);
                var wanted = await reader.IsDBNullAsync(1, ct) ? null : Text(key.ColumnOf(field, field.Type.FromColumns([reader.GetString(1)])));
                if (wanted != (await reader.IsDBNullAsync(2, ct) ? null : reader.GetString(2)))
                {
                    ids.Add(id);
                    keys.Add(wanted);
                }
            }
        }

        if (ids.Count > 0)
        {
            await using var command = Command(update);
            await transaction.SaveAsync("keys", ct);
            try
            {
                await command.ExecuteNonQueryAsync(ct);
            }
            catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                await transaction.RollbackAsync("keys", ct);
                await using var asked = Command(doubles);
                await using var reader = await asked.ExecuteReaderAsync(ct);
                var found = new List<string>();
                while (await reader.ReadAsync(ct))
                {
                    found.Add("'" + reader.GetString(0) + "'");
                }

                throw new StepFailedException(MetadataTexts.Of("StepDoubles", string.Join(", ", found)));
            }
        }

        return batch;

        NpgsqlCommand Command(string sql) => new(sql, connection, transaction)
        {
            CommandTimeout = 0,
            Parameters = { new() { Value = ids.ToArray() }, new() { Value = keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } },
        };
    }

    // A list travels as PostgreSQL writes one: arrays of arrays of different lengths do not exist.
    private static string? Text(object? key) =>
        key is string[] list ? "{" + string.Join(',', list.Select(k => "\"" + k.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"")) + "}" : (string?)key;
}
