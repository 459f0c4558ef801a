using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Bulk;

/// <summary>One record of a bulk change.</summary>
/// <param name="Number">Its place, from 1.</param>
/// <param name="Id">The record.</param>
/// <param name="Version">The version the change is based on; 0 when the record was not there, -1 when it cannot be taken back because somebody else changed it in between.</param>
/// <param name="Entity">Its entity; null for that of the job.</param>
internal sealed record BulkRow(long Number, Guid Id, long Version, string? Entity = null);

/// <summary>A record an import made or changed.</summary>
/// <param name="Row">Its row in the file; a number below 0 for one that was made for a name.</param>
/// <param name="Id">The record.</param>
/// <param name="Entity">Its entity; null for that of the import.</param>
/// <param name="Before">Its version before; 0 for a new one.</param>
/// <param name="After">Its version now.</param>
internal sealed record ImportedRow(long Row, Guid Id, string? Entity, long Before, long After);

/// <summary>The records of bulk changes, in their own table: taken down once at the start, so that what is changed is what was chosen.</summary>
internal static class BulkRows
{
    /// <summary>Takes down the records of an earlier bulk change that it changed, with the versions it left behind.</summary>
    public static async Task<long> TakeChangedAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, Guid of, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO crm.bulk_row (job_id, row, record_id, version)
            SELECT $1, row_number() OVER (ORDER BY row), record_id, version_after FROM crm.bulk_row WHERE job_id = $2 AND version_after IS NOT NULL
            """,
            connection,
            transaction)
        {
            Parameters = { new() { Value = job }, new() { Value = of } },
        };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Takes down what an import made or changed: first what gets back its values, then what goes, the last first, so that whatever refers to a record goes before it. One that more than one row changed is one.</summary>
    public static async Task<long> TakeImportedAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, Guid of, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO crm.bulk_row (job_id, row, record_id, entity, version)
            SELECT $1, row_number() OVER (ORDER BY min(version) = 0, max(row) DESC), record_id, entity,
                CASE WHEN sum(version_after - version) = max(version_after) - min(version) THEN max(version_after) ELSE -1 END
            FROM crm.bulk_row WHERE job_id = $2 GROUP BY record_id, entity
            """,
            connection,
            transaction)
        {
            Parameters = { new() { Value = job }, new() { Value = of } },
        };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Writes down what an import made or changed, in the transaction that did.</summary>
    public static async Task KeepImportedAsync(NpgsqlConnection connection, Guid job, IReadOnlyCollection<ImportedRow> rows, CancellationToken ct)
    {
        if (rows.Count == 0)
        {
            return;
        }

        await using var copy = await connection.BeginBinaryImportAsync("COPY crm.bulk_row (job_id, row, record_id, entity, version, version_after) FROM STDIN BINARY", ct);
        foreach (var row in rows)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(job, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(row.Row, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(row.Id, NpgsqlDbType.Uuid, ct);
            if (row.Entity is { } entity)
            {
                await copy.WriteAsync(entity, NpgsqlDbType.Text, ct);
            }
            else
            {
                await copy.WriteNullAsync(ct);
            }

            await copy.WriteAsync(row.Before, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(row.After, NpgsqlDbType.Bigint, ct);
        }

        await copy.CompleteAsync(ct);
    }

    /// <summary>Writes down that an import changed records once more. Where somebody else came in between, the older version stays: what they did is not taken back.</summary>
    public static async Task KeepAgainAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, IReadOnlyCollection<(long Row, long Version, int Changes)> changed, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE crm.bulk_row AS b SET version_after = u.version FROM unnest($2::bigint[], $3::bigint[], $4::int[]) AS u(row, version, changes)
            WHERE b.job_id = $1 AND b.row = u.row AND b.version_after + u.changes >= u.version
            """,
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = job },
                new() { Value = changed.Select(c => c.Row).ToArray() },
                new() { Value = changed.Select(c => c.Version).ToArray() },
                new() { Value = changed.Select(c => c.Changes).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Which of some records an import made.</summary>
    public static async Task<HashSet<Guid>> MadeAsync(NpgsqlConnection connection, Guid job, IReadOnlyCollection<Guid> ids, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT record_id FROM crm.bulk_row WHERE job_id = $1 AND version = 0 AND record_id = ANY($2)", connection)
        {
            Parameters = { new() { Value = job }, new() { Value = ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var made = new HashSet<Guid>();
        while (await reader.ReadAsync(ct))
        {
            made.Add(reader.GetGuid(0));
        }

        return made;
    }

    /// <summary>Takes down named records; those that are not there, too, so that each is accounted for.</summary>
    public static async Task<long> TakeAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, IReadOnlyCollection<Guid> ids, IReadOnlyDictionary<Guid, long> versions, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO crm.bulk_row (job_id, row, record_id, version) SELECT $1, place, id, version FROM unnest($2::uuid[], $3::bigint[]) WITH ORDINALITY AS u(id, version, place)",
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = job },
                new() { Value = ids.ToArray() },
                new() { Value = ids.Select(id => versions.GetValueOrDefault(id)).ToArray() },
            },
        };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The next records.</summary>
    public static async Task<List<BulkRow>> ReadAsync(NpgsqlConnection connection, Guid job, long after, int count, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT row, record_id, version, entity FROM crm.bulk_row WHERE job_id = $1 AND row > $2 ORDER BY row LIMIT $3", connection)
        {
            Parameters = { new() { Value = job }, new() { Value = after }, new() { Value = count } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<BulkRow>(count);
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new BulkRow(reader.GetInt64(0), reader.GetGuid(1), reader.GetInt64(2), await reader.IsDBNullAsync(3, ct) ? null : reader.GetString(3)));
        }

        return rows;
    }

    /// <summary>Writes down which version each changed record has now.</summary>
    public static async Task KeepAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid job, IReadOnlyCollection<(long Row, long Version)> changed, CancellationToken ct)
    {
        if (changed.Count == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand(
            "UPDATE crm.bulk_row AS b SET version_after = u.version FROM unnest($2::bigint[], $3::bigint[]) AS u(row, version) WHERE b.job_id = $1 AND b.row = u.row",
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = job },
                new() { Value = changed.Select(c => c.Row).ToArray() },
                new() { Value = changed.Select(c => c.Version).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What records held before a bulk change, from their history: the fields it changed, itself or through what followed from it.</summary>
    public static async Task<Dictionary<Guid, Dictionary<string, object?>>> BeforeAsync(NpgsqlConnection connection, EntityTable table, Guid job, IReadOnlyCollection<Guid> ids, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                EntryNames.Command(table.Entity.Name),
                new(
                    """
                    SELECT h.record_id, h.changes::text, h.id
                    FROM crm.bulk_row AS b JOIN crm.history AS h ON h.record_id = b.record_id AND h.version > b.version AND h.version <= b.version_after
                    WHERE b.job_id = $1 AND b.record_id = ANY($2) AND crm.entity_now(h.entity, h.id) = $3
                    ORDER BY h.record_id, h.version
                    """)
                {
                    Parameters =
                    {
                        new() { Value = job },
                        new() { Value = ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                        new() { Value = table.Entity.Name },
                    },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var names = await EntryNames.ReadAsync((NpgsqlDataReader)reader, ct);
        var before = new Dictionary<Guid, Dictionary<string, object?>>();
        while (await reader.ReadAsync(ct))
        {
            var id = reader.GetGuid(0);
            if (!before.TryGetValue(id, out var values))
            {
                before.Add(id, values = new Dictionary<string, object?>(StringComparer.Ordinal));
            }

            foreach (var change in HistoryJson.Read(table, reader.GetString(1), names, reader.GetInt64(2)))
            {
                // The first change of a field knows what it held before all of them. Links are records of their own, with a history of their own.
                if (table.TryField(change.Field, out var field) && !field.IsProtected && !field.IsCalculated && !field.Columns.IsEmpty)
                {
                    values.TryAdd(change.Field, change.Before);
                }
            }
        }

        return before;
    }
}
