using Npgsql;

namespace Crm.Host.Tests.Fuzz;

/// <summary>What the database holds, so that a test sees any write: of every table how many rows there are and which transactions wrote them.</summary>
internal sealed class DatabaseState(string connectionString)
{
    // What goes on without anybody's doing, or is no data: who was last seen, events on their way, plans that were looked at, numbers given away.
    private const string Tables = """
        SELECT string_agg(format('SELECT %L, count(*), coalesce(sum(xmin::text::bigint), 0) FROM %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname), ' UNION ALL ')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relname NOT LIKE 'qrtz%'
          AND n.nspname || '.' || c.relname <> ALL (ARRAY['crm.session', 'crm.plan', 'crm.presence', 'crm.counter', 'crm.outbox'])
        """;

    private string? sql;

    public async Task<string> ReadAsync()
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        if (sql is null)
        {
            await using var tables = new NpgsqlCommand(Tables, connection);
            sql = (string)(await tables.ExecuteScalarAsync())!;
        }

        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var state = new List<string>();
        while (await reader.ReadAsync())
        {
            state.Add($"{reader.GetString(0)} {reader.GetInt64(1)} {reader.GetDecimal(2)}");
        }

        return string.Join('\n', state);
    }
}
