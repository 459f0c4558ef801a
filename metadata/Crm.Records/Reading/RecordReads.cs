using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Reads records: in a transaction when the reader is an interceptor, on a connection of its own otherwise.</summary>
internal sealed partial class RecordReads(RecordEngine engine, Actor actor, SaveSession? inside)
{
    private const int Attempts = 4;

    // A million rows take a few seconds.
    private const int TakeDownSeconds = 120;

    // As long as who takes the rows needs: a million of them over a slow line.
    private const int StreamSeconds = 3600;

    private MetadataSnapshot Snapshot => inside?.Snapshot ?? engine.Metadata.Current;

    public Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct) => ReadAsync<Record?>(async access =>
    {
        var table = TableOf(access, entity);
        await using var lease = await OpenAsync(ct);
        await using var command = new NpgsqlCommand(access.View.FindSql(table), lease.Connection, inside?.Transaction);
        access.Bind(command.Parameters);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (await reader.ReadAsync(ct))
        {
            Require(access, access.View.IsLimited ? reader.GetInt64(reader.FieldCount - 1) : -1);
            var record = table.ToRecord(RowReader.Read(reader, table.Fields));
            if (KeepsViews(table.Entity))
            {
                await reader.DisposeAsync();
                await ViewLog.NoteAsync(lease.Connection, actor, id, engine.Time.GetUtcNow(), ct);
            }

            return record;
        }

        // What was not to be seen when the rights were read may be by now.
        await reader.DisposeAsync();
        await RequireNowAsync(access, lease.Connection, ct);
        return null;
    }, ct);

    public Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        return ReadAsync(async access =>
        {
            var table = TableOf(access, query.Entity);
            query = query with { Filter = Now(access.View, query.Entity, query.Filter, query.TimeZone) };
            var after = Cursor.Read(query);
            var part = QueryCompiler.FirstPart(access.View, query, after);
            var page = await ReadPageAsync(access, query, after, part, ct);
            if (part == SortPart.Filled && !page.HasMore && query.Top > 0)
            {
                // It goes on with those that have no value to be sorted by; one that lost it meanwhile is there already.
                var rest = await ReadPageAsync(access, query with { Top = query.Top - page.Records.Length, Count = false }, null, SortPart.Empty, ct);
                var known = page.Records.Select(r => r.Id).ToHashSet();
                page = new PageRead([.. page.Records, .. rest.Records.Where(r => !known.Contains(r.Id))], page.Count, rest.Last ?? page.Last, rest.HasMore);
            }

            // A single record that is asked for by its id is looked at, however few of its fields are read.
            if (page.Records is [var only] && query is { Filter: Filter.Compare { Path: "id", Operator: FilterOperator.Equal }, Select: not ["id"] } && KeepsViews(table.Entity))
            {
                await using var lease = await OpenAsync(ct);
                await ViewLog.NoteAsync(lease.Connection, actor, only.Id, engine.Time.GetUtcNow(), ct);
            }

            var isEstimate = query.Estimate && page.Count > RecordQuery.CountedExactly;
            var count = isEstimate ? await EstimateAsync(access, query, ct) : page.Count;
            return new RecordPage(page.Records, count, page.HasMore ? page.Last?.Write(query) : null) { IsEstimate = isEstimate };
        }, ct);
    }

    // What the product itself reads, and what is read while saving, nobody looks at.
    private bool KeepsViews(EntityDefinition entity) => entity.HasViewLog && inside is null && actor.UserId != Actor.System.UserId;

    /// <summary>Takes down the records a query matches for a job, in one statement.</summary>
    public async Task<long> TakeDownAsync(RecordQuery query, Guid job, long most, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // A statement made for a table as it was fails, and is made again.
        const string Place = "take_down";
        await transaction.SaveAsync(Place, ct);
        return await ReadAsync<long>(async access =>
        {
            await transaction.RollbackAsync(Place, ct);
            TableOf(access, query.Entity);
            await RequireNowAsync(access, connection, ct);
            query = query with { Filter = Now(access.View, query.Entity, query.Filter, query.TimeZone) };
            var shape = QueryShape.Of(query, null);
            await using var command = QueryCompiler.Compile(access.View, query, shape, null).ToTakeDown(access, shape.Values, job, most);
            (command.Connection, command.Transaction, command.CommandTimeout) = (connection, transaction, TakeDownSeconds);
            try
            {
                return await command.ExecuteNonQueryAsync(ct);
            }
            catch (PostgresException problem) when (PostgresErrors.IsOfQuery(problem, ct))
            {
                throw PostgresErrors.OfQuery(problem);
            }
        }, ct);
    }

    /// <summary>Reads everything a query matches that may be taken out, straight from one statement: what is written meanwhile is not seen.</summary>
    /// <param name="query">The query; how many rows it asks for makes no difference.</param>
    /// <param name="chunk">How many records are handed over at a time; no more are held.</param>
    /// <param name="write">Takes them.</param>
    /// <param name="ct">Gives up.</param>
    public Task<bool> StreamAsync(RecordQuery query, int chunk, Func<ImmutableArray<Record>, Task> write, CancellationToken ct)
    {
        var hasBegun = false;
        return ReadAsync(async access =>
        {
            if (hasBegun)
            {
                throw new InvalidOperationException("Records were handed over already.");
            }

            TableOf(access, query.Entity);
            query = query with { Filter = Now(access.View, query.Entity, query.Filter, query.TimeZone), Top = 0, Skip = 0 };
            var shape = QueryShape.Of(query, null);
            var compiled = QueryCompiler.Compile(access.View, query, shape, null, takesOut: true);
            return await RunAsync(
                access,
                [compiled.ToAll(access, shape.Values)],
                async reader =>
                {
                    var records = ImmutableArray.CreateBuilder<Record>(chunk);
                    while (await reader.ReadAsync(ct))
                    {
                        hasBegun = true;
                        records.Add(compiled.Read(reader));
                        if (records.Count == chunk)
                        {
                            await write(records.ToImmutable());
                            records.Clear();
                        }
                    }

                    await write(records.ToImmutable());
                    return true;
                },
                ct,
                seconds: StreamSeconds);
        }, ct);
    }

    /// <summary>Finds records by what they are called, in any case; what may not be read is not there.</summary>
    /// <param name="entity">Their entity.</param>
    /// <param name="called">What a record <c>r</c> is called, as SQL.</param>
    /// <param name="names">The names.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Each record with the name it was asked for by, and whether it is spelled the same.</returns>
    public Task<List<(string Name, Guid Id, bool IsExact)>> NamedAsync(EntityDefinition entity, string called, string[] names, CancellationToken ct) => ReadAsync(async access =>
    {
        var condition = access.View.Condition(entity, AccessOperation.Read, "r");
        await using var lease = await OpenAsync(ct);
        await RequireNowAsync(access, lease.Connection, ct);
        await using var command = new NpgsqlCommand(
            $"SELECT n.name, r.id, {called} = n.name FROM unnest({access.View.Next}::text[]) AS n (name) JOIN {Sql.Table(entity.Name)} AS r ON lower({called}) = lower(n.name){(condition is null ? "" : " AND " + condition)}",
            lease.Connection,
            inside?.Transaction);
        access.Bind(command.Parameters);
        command.Parameters.Add(new() { Value = names });
        var found = new List<(string Name, Guid Id, bool IsExact)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            found.Add((reader.GetString(0), reader.GetGuid(1), reader.GetBoolean(2)));
        }

        return found;
    }, ct);

    public Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        return ReadAsync(access =>
        {
            var table = TableOf(access, query.Entity);
            var aggregation = AggregateCompiler.Compile(access.View, table, query with { Filter = Now(access.View, query.Entity, query.Filter, query.TimeZone) });
            return RunAsync(access, [aggregation.ToCommand(access)], reader => aggregation.ReadAsync(reader, ct), ct);
        }, ct);
    }

    public Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct) => ReadAsync<ImmutableArray<HistoryEntry>>(async access =>
    {
        var table = TableOf(access, entity);
        // Of a record that is gone nobody can say any more whose it was.
        if (access.View.Condition(table.Entity, AccessOperation.Read, "r") is not null && await FindAsync(entity, id, ct) is null)
        {
            return [];
        }

        await using var lease = await OpenAsync(ct);
        await RequireNowAsync(access, lease.Connection, ct);
        return HistoryAccess.Seen(access.View, table.Entity, await HistoryStore.ReadAsync(lease.Connection, inside?.Transaction, table, id, ct));
    }, ct);

    /// <summary>Reads; once more when the table turns out to be another one than this host knows, because the news of a change is still on its way.</summary>
    private async Task<T> ReadAsync<T>(Func<ActorAccess, Task<T>> read, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var snapshot = Snapshot;
            try
            {
                return await read(inside?.Access ?? await engine.Access.OfAsync(actor, snapshot, engine.Database, ct));
            }
            catch (OldAccessException) when (attempt < Attempts)
            {
                engine.Access.Forget(actor);
            }
            catch (QueryException problem) when (inside is null && attempt < Attempts && problem.Code == ErrorCodes.UnknownEntity)
            {
                // It may be new, or called so by now.
                if (!await engine.Metadata.CatchUpAsync(snapshot.Version, ct))
                {
                    throw;
                }
            }
            catch (Exception problem) when (inside is null && attempt < Attempts && PostgresErrors.IsOfOldDefinitions(problem))
            {
                if (!await engine.Metadata.CatchUpAsync(snapshot.Version, ct) && !PostgresErrors.IsOfOldStatement(problem))
                {
                    throw;
                }
            }
        }
    }

    private Task<PageRead> ReadPageAsync(ActorAccess access, RecordQuery query, Cursor? after, SortPart part, CancellationToken ct)
    {
        var shape = QueryShape.Of(query, after);
        var compiled = QueryCompiler.Compile(access.View, query, shape, after, part);
        var commands = !query.Count
            ? new[] { compiled.ToCommand(access, shape.Values) }
            : [compiled.ToCommand(access, shape.Values), query.Estimate ? compiled.ToCountSome(access, shape.Values) : compiled.ToCount(access, shape.Values)];
        return RunAsync(access, commands, reader => ReadPageAsync(reader, compiled, query, ct), ct, QueryShape.ModeOf(query) == SearchMode.Similar);
    }

    private static async Task<PageRead> ReadPageAsync(NpgsqlDataReader reader, CompiledQuery compiled, RecordQuery query, CancellationToken ct)
    {
        var records = ImmutableArray.CreateBuilder<Record>(Math.Min(query.Top, 256));
        var hasMore = false;
        Cursor? last = null;
        while (await reader.ReadAsync(ct))
        {
            // One row more than asked for tells that there is a next page.
            if (records.Count == query.Top)
            {
                hasMore = true;
                break;
            }

            records.Add(compiled.Read(reader));
            last = records.Count == query.Top ? compiled.CursorOf(reader) : null;
        }

        long? count = null;
        if (query.Count && await reader.NextResultAsync(ct) && await reader.ReadAsync(ct))
        {
            count = reader.GetInt64(0);
        }

        return new PageRead(records.DrainToImmutable(), count, last, hasMore);
    }

    private async Task<T> RunAsync<T>(ActorAccess access, IEnumerable<NpgsqlBatchCommand> commands, Func<NpgsqlDataReader, Task<T>> read, CancellationToken ct, bool isSimilar = false, int? seconds = null)
    {
        await using var lease = await OpenAsync(ct);
        await using var batch = new NpgsqlBatch(lease.Connection, inside?.Transaction);
        if (inside is null)
        {
            // Sent together, the statements are one transaction, and the limit ends with it.
            var version = access.View.IsLimited ? ", " + ActorAccess.VersionSql : "";
            var similar = isSimilar ? $", set_config('pg_trgm.word_similarity_threshold', '{SearchSql.Threshold}', true)" : "";
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT set_config('statement_timeout', $1, true)" + version + similar)
            {
                Parameters = { new() { Value = (seconds * 1000 ?? (int)engine.QueryTimeout.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture) } },
            });
        }

        foreach (var command in commands)
        {
            batch.BatchCommands.Add(command);
        }

        batch.Timeout = seconds ?? batch.Timeout;
        try
        {
            await using var reader = await batch.ExecuteReaderAsync(ct);
            if (inside is null)
            {
                await reader.ReadAsync(ct);
                Require(access, access.View.IsLimited ? reader.GetInt64(1) : -1);
                await reader.NextResultAsync(ct);
            }

            return await read((NpgsqlDataReader)reader);
        }
        catch (PostgresException problem) when (PostgresErrors.IsOfQuery(problem, ct))
        {
            throw PostgresErrors.OfQuery(problem);
        }
    }

    /// <summary>A filter with what its words mean at this moment to who asks.</summary>
    private Filter? Now(AccessView view, string entity, Filter? filter, TimeZoneInfo? zone) =>
        RelativeFilter.Find(filter) ? new RelativeFilter(view, actor, engine.Time.GetUtcNow(), zone).Resolve(entity, filter!) : filter;

    /// <summary>What was read within a save was read with the rights its transaction began with.</summary>
    private void Require(ActorAccess access, long version)
    {
        if (inside is null)
        {
            access.RequireVersion(version);
        }
    }

    private async ValueTask RequireNowAsync(ActorAccess access, NpgsqlConnection connection, CancellationToken ct)
    {
        if (inside is null && access.View.IsLimited)
        {
            await using var command = new NpgsqlCommand("SELECT version FROM crm.access_version", connection);
            access.RequireVersion((long)(await command.ExecuteScalarAsync(ct))!);
        }
    }

    private EntityTable TableOf(ActorAccess access, string entity) =>
        AccessPolicy.MayRead(actor)
            ? QueryCompiler.TableOf(access.View.Seen, entity)
            : throw new QueryException(ErrorCodes.Access, Texts.Of("AccessDenied", actor.Name, entity), entity);

    private async ValueTask<Lease> OpenAsync(CancellationToken ct) =>
        inside is not null ? new Lease(inside.Connection, false) : new Lease(await engine.Database.OpenAsync(ct), true);

    /// <summary>Rows of a page as they were read.</summary>
    /// <param name="Records">The records.</param>
    /// <param name="Count">How many there are in all, when that was asked.</param>
    /// <param name="Last">Where the last one stands when there are as many as were asked for.</param>
    /// <param name="HasMore">Whether there are more.</param>
    private sealed record PageRead(ImmutableArray<Record> Records, long? Count, Cursor? Last, bool HasMore);

    private readonly struct Lease(NpgsqlConnection connection, bool isOwned) : IAsyncDisposable
    {
        public NpgsqlConnection Connection => connection;

        public ValueTask DisposeAsync() => isOwned ? connection.DisposeAsync() : ValueTask.CompletedTask;
    }
}
