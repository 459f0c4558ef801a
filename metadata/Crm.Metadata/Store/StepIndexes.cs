using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Indexes that are made while others write.</summary>
internal static class StepIndexes
{
    /// <summary>
    /// Has the session sort little at once. While an index is made the database reads it again, page by page, and sorts what it found whenever its memory is full, holding the
    /// page: whoever wrote to that page of a GIN index waited a fifth of a second, half of one on a busy server, with the 64 MB it takes by itself.
    /// </summary>
    public static Task SortLittleAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("SET maintenance_work_mem = '8MB'", cancellationToken: ct));

    /// <summary>Removes what an interrupted run left behind: an index nobody may use, which every write keeps up to date all the same.</summary>
    /// <returns>Whether there is an index that can be used.</returns>
    public static async Task<bool> DropUnfinishedAsync(NpgsqlConnection connection, string name, CancellationToken ct)
    {
        var isValid = await connection.ExecuteScalarAsync<bool?>(new CommandDefinition(
            "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(@table)", new { table = Sql.Table(name) }, cancellationToken: ct));
        if (isValid == false)
        {
            await connection.ExecuteAsync(new CommandDefinition($"DROP INDEX CONCURRENTLY IF EXISTS {Sql.Table(name)}", commandTimeout: 0, cancellationToken: ct));
        }

        return isValid == true;
    }
}
