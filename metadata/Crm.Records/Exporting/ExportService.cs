using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Exporting;

/// <summary>What leaves as a file.</summary>
/// <param name="Query">The records; how many rows it asks for and where it begins make no difference.</param>
/// <param name="Format">Kind of file, for the record of exports.</param>
/// <param name="Columns">What of them, for the record of exports.</param>
public sealed record ExportRequest(RecordQuery Query, string Format, ImmutableArray<string> Columns);

/// <summary>An export that was made, or broke off.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Entity">Whose records.</param>
/// <param name="Format">Kind of file.</param>
/// <param name="Columns">What of them.</param>
/// <param name="Filter">Which of them, as a filter in JSON; null for all.</param>
/// <param name="Search">The words they were found by.</param>
/// <param name="Rows">How many left; null while it runs.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended; null for one that runs or broke off.</param>
/// <param name="CreatedBy">Who made it.</param>
/// <param name="CreatedByName">What they were called.</param>
public sealed record ExportEntry(
    Guid Id, string Entity, string Format, ImmutableArray<string> Columns, string? Filter, string? Search, long? Rows, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, Guid CreatedBy, string CreatedByName);

/// <summary>Takes records out, as many as there are, some at a time; and writes down who did.</summary>
public sealed class ExportService(CrmDatabase database, RecordEngine engine)
{
    /// <summary>Most exports of one user that run at the same time on a host: each holds a connection as long as its reader takes.</summary>
    public const int MaxOfUser = 2;

    /// <summary>Most exports that run at the same time on a host.</summary>
    public const int MaxRunning = 8;

    private const int Chunk = 500;

    private readonly Lock gate = new();
    private readonly List<Guid> running = [];

    /// <summary>Reads everything a query finds.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="actor">For whom: only what they may read and take out is read.</param>
    /// <param name="write">Takes the next records. When it is first called, nothing can be refused any more.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>How many records left.</returns>
    /// <exception cref="QueryException">The actor may not, or the query cannot be run, or too many run already.</exception>
    public async Task<long> RunAsync(ExportRequest request, Actor actor, Func<ImmutableArray<Record>, Task> write, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(write);
        var access = (await engine.Access.OfAsync(actor, engine.Metadata.Current, database, ct)).View;
        var entity = QueryCompiler.TableOf(access.Seen, request.Query.Entity).Entity;
        if (access.ReachOf(entity, AccessOperation.Export) == Reach.None)
        {
            throw new QueryException(ErrorCodes.Access, AccessWords.Denied(access, entity, AccessOperation.Export, actor.Name), entity.Name);
        }

        Enter(actor);
        var id = Guid.CreateVersion7();
        var rows = 0L;
        try
        {
            await BeginAsync(id, request, actor, ct);
            await engine.As(actor).StreamAsync(
                request.Query,
                Chunk,
                async records =>
                {
                    await write(records);
                    rows += records.Length;
                },
                ct);
            await EndAsync(id, rows, isWhole: true);
            return rows;
        }
        catch
        {
            await EndAsync(id, rows, isWhole: false);
            throw;
        }
        finally
        {
            Leave(actor);
        }
    }

    /// <summary>The last exports; those of one user, or of all.</summary>
    public async Task<ImmutableArray<ExportEntry>> ListAsync(Guid? user, int top, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(
            "SELECT id, entity, format, columns, filter::text, search, rows, started_at, finished_at, created_by, created_by_name FROM crm.export WHERE $1 IS NULL OR created_by = $1 ORDER BY id DESC LIMIT $2",
            connection)
        {
            Parameters = { new() { Value = (object?)user ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }, new() { Value = top } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var entries = ImmutableArray.CreateBuilder<ExportEntry>();
        while (await reader.ReadAsync(ct))
        {
            entries.Add(new ExportEntry(
                reader.GetGuid(0),
                reader.GetString(1),
                reader.GetString(2),
                [.. reader.GetFieldValue<string[]>(3)],
                reader.IsDBNull(4) ? null : reader.GetString(4),
                reader.IsDBNull(5) ? null : reader.GetString(5),
                reader.IsDBNull(6) ? null : reader.GetInt64(6),
                reader.GetFieldValue<DateTimeOffset>(7),
                reader.IsDBNull(8) ? null : reader.GetFieldValue<DateTimeOffset>(8),
                reader.GetGuid(9),
                reader.GetString(10)));
        }

        return entries.DrainToImmutable();
    }

    private void Enter(Actor actor)
    {
        lock (gate)
        {
            if (running.Count >= MaxRunning || running.Count(u => u == actor.UserId) >= MaxOfUser)
            {
                throw new QueryException(ErrorCodes.Busy, Texts.Of("TooManyExports", MaxOfUser));
            }

            running.Add(actor.UserId);
        }
    }

    private void Leave(Actor actor)
    {
        lock (gate)
        {
            running.Remove(actor.UserId);
        }
    }

    private async Task BeginAsync(Guid id, ExportRequest request, Actor actor, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("INSERT INTO crm.export (id, entity, format, columns, filter, search, created_by, created_by_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", connection)
        {
            Parameters =
            {
                new() { Value = id },
                new() { Value = request.Query.Entity },
                new() { Value = request.Format },
                new() { Value = request.Columns.ToArray() },
                new() { Value = request.Query.Filter is { } filter ? FilterJson.ToText(filter) : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb },
                new() { Value = (object?)request.Query.Search ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = actor.UserId },
                new() { Value = actor.Name },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    // Not cancelled with the export: what left has left.
    private async Task EndAsync(Guid id, long rows, bool isWhole)
    {
        await using var connection = await database.OpenAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand("UPDATE crm.export SET rows = $2, finished_at = CASE WHEN $3 THEN clock_timestamp() END WHERE id = $1", connection)
        {
            Parameters = { new() { Value = id }, new() { Value = rows }, new() { Value = isWhole } },
        };
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }
}
