using System.Collections.Immutable;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>The tables of records as the database has them, read from its own catalogue.</summary>
internal sealed record Catalogue(ImmutableDictionary<string, CatalogueTable> Tables)
{
    public static async Task<Catalogue> ReadAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // With no schema in the path every name comes with its own, as we write it.
        await connection.ExecuteAsync(new CommandDefinition("SELECT set_config('search_path', '', true)", transaction: transaction, cancellationToken: ct));
        var schema = new { schema = Sql.RecordsSchema };
        var columns = await connection.QueryAsync<(string Table, string? Name, string? Type, bool? IsRequired)>(new CommandDefinition(
            """
            SELECT c.relname, a.attname, a.atttypid::regtype::text, a.attnotnull
            FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = @schema
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p')
            ORDER BY c.relname, a.attnum
            """,
            schema,
            transaction,
            cancellationToken: ct));
        var indexes = await connection.QueryAsync<(string Table, string Name, bool IsUnique, bool IsValid, bool IsPrimary, string? Definition)>(new CommandDefinition(
            """
            SELECT t.relname, i.relname, x.indisunique, x.indisvalid, x.indisprimary, pg_get_indexdef(i.oid)
            FROM pg_index x
            JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_class t ON t.oid = x.indrelid
            JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = @schema
            ORDER BY i.relname
            """,
            schema,
            transaction,
            cancellationToken: ct));
        var keys = await connection.QueryAsync<(string Table, string Name, string? Definition)>(new CommandDefinition(
            """
            SELECT t.relname, k.conname, pg_get_constraintdef(k.oid)
            FROM pg_constraint k
            JOIN pg_class t ON t.oid = k.conrelid
            JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = @schema
            WHERE k.contype = 'f'
            ORDER BY k.conname
            """,
            schema,
            transaction,
            cancellationToken: ct));
        var triggers = await connection.QueryAsync<(string Table, string Name, string? Definition)>(new CommandDefinition(
            """
            SELECT t.relname, g.tgname, pg_get_triggerdef(g.oid)
            FROM pg_trigger g
            JOIN pg_class t ON t.oid = g.tgrelid
            JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = @schema
            WHERE NOT g.tgisinternal
            ORDER BY g.tgname
            """,
            schema,
            transaction,
            cancellationToken: ct));
        var indexesOf = indexes.ToLookup(i => i.Table, i => new CatalogueIndex(i.Name, i.IsUnique, i.IsValid, i.IsPrimary, i.Definition ?? ""), StringComparer.Ordinal);
        var keysOf = keys.ToLookup(k => k.Table, k => new CatalogueKey(k.Name, k.Definition ?? ""), StringComparer.Ordinal);
        var triggersOf = triggers.ToLookup(g => g.Table, g => new CatalogueTrigger(g.Name, g.Definition ?? ""), StringComparer.Ordinal);
        return new Catalogue(columns
            .GroupBy(c => c.Table, StringComparer.Ordinal)
            .ToImmutableDictionary(
                g => g.Key,
                g => new CatalogueTable(
                    [.. g.Where(c => c.Name is not null).Select(c => new CatalogueColumn(c.Name!, c.Type!, c.IsRequired == true))],
                    [.. indexesOf[g.Key]],
                    [.. keysOf[g.Key]],
                    [.. triggersOf[g.Key]]),
                StringComparer.Ordinal));
    }

    /// <summary>
    /// Columns that are being given another type by a step, by table: while it runs there is more in the table than the definitions say. None of a table whose turn may
    /// not have come: there is or there is not.
    /// </summary>
    public static async Task<ImmutableDictionary<string, ImmutableArray<string>>> ConversionsAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var columns = await connection.QueryAsync<(string Table, string? Name)>(new CommandDefinition(
            """
            SELECT split_part(c, '.', 1), CASE WHEN position IS NOT NULL THEN split_part(c, '.', 2) END
            FROM crm.metadata_step, unnest(string_to_array(name, ',')) AS c WHERE kind = 'convert' AND state = 'running'
            """,
            transaction: transaction,
            cancellationToken: ct));
        return columns.GroupBy(c => c.Table, c => c.Name, StringComparer.Ordinal).ToImmutableDictionary(g => g.Key, g => g.OfType<string>().ToImmutableArray(), StringComparer.Ordinal);
    }

    /// <summary>How the database itself calls types: <c>timestamptz</c> is <c>timestamp with time zone</c>.</summary>
    public static async Task<Dictionary<string, string>> TypesAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, IEnumerable<string> types, CancellationToken ct)
    {
        var names = await connection.QueryAsync<(string Ours, string? Theirs)>(new CommandDefinition(
            "SELECT ours, to_regtype(ours)::text FROM unnest(@types) AS ours", new { types = types.Distinct(StringComparer.Ordinal).ToArray() }, transaction, cancellationToken: ct));
        return names.ToDictionary(n => n.Ours, n => n.Theirs ?? n.Ours, StringComparer.Ordinal);
    }
}

internal sealed record CatalogueTable(ImmutableArray<CatalogueColumn> Columns, ImmutableArray<CatalogueIndex> Indexes, ImmutableArray<CatalogueKey> Keys, ImmutableArray<CatalogueTrigger> Triggers);

internal sealed record CatalogueColumn(string Name, string Type, bool IsRequired);

internal sealed record CatalogueIndex(string Name, bool IsUnique, bool IsValid, bool IsPrimary, string Definition);

internal sealed record CatalogueKey(string Name, string Definition);

internal sealed record CatalogueTrigger(string Name, string Definition);
