using Crm.Metadata;
using Crm.Sdk;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Records.Bin;

/// <summary>
/// Deletes for good what has been in the recycle bin for longer than the setting says: in batches that are each a transaction. Every host does, and none waits
/// for another; what one of them did not finish is due still.
/// </summary>
public sealed class BinEnd(RecordEngine engine, ILogger<BinEnd> log) : BackgroundService
{
    private const int BatchSize = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>Deletes all that is due.</summary>
    /// <returns>How many records and links.</returns>
    public async Task<int> PurgeDueAsync(CancellationToken ct = default)
    {
        for (var all = 0; ;)
        {
            var count = await PurgeBatchAsync(ct);
            all += count;
            if (count < BatchSize)
            {
                return all;
            }
        }
    }

    /// <summary>Deletes rows of the bin, with what only their records had: values in the history, shares, who looked at them, and contents of files.</summary>
    internal static async Task PurgeAsync(SaveSession session, Guid[] records, CancellationToken ct)
    {
        if (records.Length == 0)
        {
            return;
        }

        // A link with an end that never comes back can never come back itself.
        var rows = new List<(Guid Id, string Entity)>();
        await using (var command = session.Command("SELECT id, entity FROM crm.bin WHERE id = ANY($1) OR is_link AND refs && $1"))
        {
            command.Parameters.Add(ActorAccess.Ids(records));
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                rows.Add((reader.GetGuid(0), reader.GetString(1)));
            }
        }

        Guid[] ids = [.. rows.Select(r => r.Id)];
        await FilesAsync(session, ids, ct);
        // Somebody may have made another record with the id of a deleted one: its history and its shares are not to be touched.
        var gone = ids.ToHashSet();
        foreach (var group in rows.GroupBy(r => r.Entity))
        {
            if (session.Snapshot.TryEntity(group.Key, out _))
            {
                gone.ExceptWith(await IdsAsync(session, $"SELECT id FROM {Sql.Table(group.Key)} WHERE id = ANY($1)", [.. group.Select(r => r.Id)], ct));
            }
        }

        foreach (var sql in new[]
        {
            "UPDATE crm.history SET changes = '{}' WHERE record_id = ANY($1) AND changes <> '{}'",
            "DELETE FROM crm.record_share WHERE record_id = ANY($1)",
            "DELETE FROM crm.record_restriction WHERE record_id = ANY($1)",
            "DELETE FROM crm.share_history WHERE record_id = ANY($1)",
            "DELETE FROM crm.record_view WHERE record_id = ANY($1)",
        })
        {
            await RunAsync(session, sql, [.. gone], ct);
        }

        await RunAsync(session, "DELETE FROM crm.bin WHERE id = ANY($1)", ids, ct);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, engine.Time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await PurgeDueAsync(stoppingToken) is > 0 and var count)
                {
                    log.LogInformation("{Count} deleted records were deleted for good.", count);
                }
            }
            catch (Exception problem) when (problem is NpgsqlException or TimeoutException)
            {
                log.LogWarning(problem, "The recycle bin cannot be emptied; trying again in an hour.");
            }
        }
    }

    private async Task<int> PurgeBatchAsync(CancellationToken ct)
    {
        await using var session = new SaveSession(engine, Actor.System);
        await session.BeginAsync(ct);
        await using var command = session.Command(
            """
            SELECT b.id FROM crm.bin AS b, crm.bin_setting AS s
            WHERE s.keep_days > 0 AND b.deleted_at < $1 - make_interval(days => s.keep_days)
            ORDER BY b.deleted_at, b.id LIMIT $2 FOR UPDATE OF b SKIP LOCKED
            """);
        command.Parameters.Add(new() { Value = session.Now });
        command.Parameters.Add(new() { Value = BatchSize });
        var ids = new List<Guid>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                ids.Add(reader.GetGuid(0));
            }
        }

        await PurgeAsync(session, [.. ids], ct);
        await session.IdentifyAsync(ct);
        await session.CommitAsync(ct);
        return ids.Count;
    }

    /// <summary>Contents that no other record holds, in the bin or out of it. The locks keep others from taking them meanwhile.</summary>
    private static async Task FilesAsync(SaveSession session, Guid[] ids, CancellationToken ct)
    {
        var files = await IdsAsync(session, "SELECT id FROM crm.file WHERE id IN (SELECT unnest(refs) FROM crm.bin WHERE id = ANY($1)) ORDER BY id FOR UPDATE", ids, ct);
        if (files.Count == 0)
        {
            return;
        }

        foreach (var entity in session.Snapshot.Entities.Values)
        {
            foreach (var field in entity.Fields.Where(f => f.Type is FileType))
            {
                var column = Sql.Quote(field.Name + field.Type.Columns.First(c => c.Storage == StorageKind.Reference).Suffix);
                files.ExceptWith(await IdsAsync(session, $"SELECT {column} FROM {Sql.Table(entity.Name)} WHERE {column} = ANY($1)", [.. files], ct));
            }
        }

        await using var command = session.Command("DELETE FROM crm.file WHERE id = ANY($1) AND NOT EXISTS (SELECT 1 FROM crm.bin AS b WHERE b.refs @> ARRAY[crm.file.id] AND b.id <> ALL($2))");
        command.Parameters.Add(ActorAccess.Ids([.. files]));
        command.Parameters.Add(ActorAccess.Ids(ids));
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<HashSet<Guid>> IdsAsync(SaveSession session, string sql, Guid[] ids, CancellationToken ct)
    {
        await using var command = session.Command(sql);
        command.Parameters.Add(ActorAccess.Ids(ids));
        var found = new HashSet<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            found.Add(reader.GetGuid(0));
        }

        return found;
    }

    private static async Task RunAsync(SaveSession session, string sql, Guid[] ids, CancellationToken ct)
    {
        await using var command = session.Command(sql);
        command.Parameters.Add(ActorAccess.Ids(ids));
        await command.ExecuteNonQueryAsync(ct);
    }
}
