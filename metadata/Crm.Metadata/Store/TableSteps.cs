using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Changes tables inside the transaction of the definitions. A statement that waits for a table makes everybody who comes later wait behind it, so it waits for an
/// instant only, gives everything back and tries again. What takes long on a big table is left to <see cref="StepRunner"/>.
/// </summary>
internal sealed class TableSteps(NpgsqlConnection connection, NpgsqlTransaction transaction, TimeProvider time, long onlineRows, PreparedTables? prepared, ImmutableArray<EntityRename> renames)
{
    // Twenty writers that wait this long are not noticed by anybody.
    private static readonly TimeSpan LockWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan AllWaits = TimeSpan.FromSeconds(4);

    /// <summary>Which tables are too big to be worked on while others wait.</summary>
    public async Task<ImmutableHashSet<string>> BigAsync(IEnumerable<PlanStep> steps, IReadOnlySet<string> tables, CancellationToken ct)
    {
        var big = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var table in steps.Where(s => s.Conversion is not null || s.Online is { IsAlways: false }).Select(s => s.Entity).OfType<string>().Distinct(StringComparer.Ordinal).Where(e => tables.Contains(Now(e))))
        {
            var rows = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                $"SELECT count(*) FROM (SELECT 1 FROM {Sql.Table(Now(table))} LIMIT @onlineRows) AS head", new { onlineRows }, transaction, cancellationToken: ct));
            if (rows >= onlineRows)
            {
                big.Add(table);
            }
        }

        return WithFollowers(big.ToImmutable(), steps);
    }

    /// <summary>What follows from values that come later comes later too; the steps are in the order in which one follows from the other.</summary>
    public static ImmutableHashSet<string> WithFollowers(ImmutableHashSet<string> big, IEnumerable<PlanStep> steps) =>
        steps.Where(s => s is { Online: not null, Entity: not null }).Aggregate(big, (all, step) => step.Follows.Any(all.Contains) ? all.Add(step.Entity!) : all);

    /// <summary>
    /// The first step of an earlier change that is still to be done on one of the tables; null when there is none. Making keys does not stand in the way: it goes by the
    /// definitions of the moment; but by the name of the entity, so that one that is renamed waits for it, as for every step whose statement names the entity.
    /// </summary>
    public async Task<string?> PendingAsync(IEnumerable<PlanStep> steps, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            """
            SELECT text FROM crm.metadata_step AS s
            WHERE state IN ('waiting', 'running') AND id <> @own
              AND (kind <> 'keys' AND array_append(tables, entity) && @entities OR entity = ANY(@renamed) OR EXISTS (SELECT FROM unnest(@quoted) AS q (name) WHERE strpos(s.sql, q.name) > 0))
            ORDER BY id LIMIT 1
            """,
            new
            {
                entities = steps.Where(s => s.Sql is not null).Select(s => s.Entity).OfType<string>().SelectMany(e => new[] { e, Now(e) }).Distinct(StringComparer.Ordinal).ToArray(),
                renamed = renames.Select(r => r.From).ToArray(),
                quoted = renames.Select(r => Sql.Quote(r.From)).ToArray(),
                own = prepared?.Step ?? 0,
            },
            transaction,
            cancellationToken: ct));

    /// <summary>Does beforehand what can be done while others use the tables.</summary>
    public async Task BeginAsync(IEnumerable<PlanStep> steps, CancellationToken ct)
    {
        foreach (var early in steps.Where(s => !IsPrepared(s)).Select(s => s.Early).OfType<string>())
        {
            await connection.ExecuteAsync(new CommandDefinition(early, transaction: transaction, commandTimeout: 0, cancellationToken: ct));
        }
    }

    /// <summary>Runs what belongs into the transaction.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="big">Tables on which long work is put off.</param>
    /// <param name="tables">Tables that are there.</param>
    /// <param name="last">What is done while nobody uses the tables; null for nothing.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="PostgresException">A table could not be had in time, among others.</exception>
    public async Task RunAsync(IReadOnlyCollection<PlanStep> steps, ImmutableHashSet<string> big, IReadOnlySet<string> tables, Func<CancellationToken, Task>? last, CancellationToken ct)
    {
        var now = steps.Select(s => (Entity: s.Early is null || IsPrepared(s) ? s.Entity : null, Sql: Now(s, big))).Where(s => s.Sql is not null).ToList();
        if (prepared is not null)
        {
            await DoneAsync(prepared.Step, ct);
        }

        var locked = now.Select(s => s.Entity).OfType<string>().Select(Now).Where(tables.Contains).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        await ExecuteAsync(connection, transaction, time, locked, [.. now.Select(s => s.Sql!)], last, ct);
    }

    /// <summary>Runs statements on tables that others use.</summary>
    /// <param name="connection">A connection.</param>
    /// <param name="transaction">Its transaction; from here to its end everybody waits who uses the tables.</param>
    /// <param name="time">For the pauses.</param>
    /// <param name="tables">Names of entities whose tables are there.</param>
    /// <param name="statements">What to run.</param>
    /// <param name="last">What is done behind the statements; null for nothing.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task ExecuteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, TimeProvider time, IReadOnlyCollection<string> tables, IReadOnlyCollection<string> statements, Func<CancellationToken, Task>? last, CancellationToken ct)
    {
        if (statements.Count == 0)
        {
            return;
        }

        var started = time.GetTimestamp();
        while (true)
        {
            await transaction.SaveAsync("tables", ct);
            try
            {
                // All of them together wait no longer than one: who wants the first waits for the last.
                var asked = time.GetTimestamp();
                foreach (var table in tables)
                {
                    await RunAsync($"{Waiting(LockWait - time.GetElapsedTime(asked))}; LOCK TABLE {Sql.Table(table)} IN ACCESS EXCLUSIVE MODE");
                }

                await RunAsync(Waiting(LockWait));
                foreach (var sql in statements)
                {
                    await RunAsync(sql);
                }

                await (last is null ? Task.CompletedTask : last(ct));
                return;
            }
            catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.LockNotAvailable && time.GetElapsedTime(started) < AllWaits)
            {
                // Gives back every table, so that nobody waits during the pause.
                await transaction.RollbackAsync("tables", ct);
                await Task.Delay(TimeSpan.FromMilliseconds(20 + (80 * Random.Shared.NextDouble())), time, ct);
            }
        }

        // Zero would be for ever.
        static string Waiting(TimeSpan wait) => string.Create(CultureInfo.InvariantCulture, $"SET LOCAL lock_timeout = {Math.Max(1, (int)wait.TotalMilliseconds)}");

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>Has a host prepare tables; what waits for them is applied at the end.</summary>
    /// <returns>Id of the step.</returns>
    public Task<long> PrepareAsync(IReadOnlyCollection<PlanStep> converted, long version, string plan, CancellationToken ct) => connection.ExecuteScalarAsync<long>(new CommandDefinition(
        """
        WITH step AS (
            INSERT INTO crm.metadata_step (version, kind, entity, tables, name, text, sql, plan) VALUES (@version, 'convert', @entity, @tables, @name, @text, @sql, @plan::jsonb) RETURNING id)
        SELECT id FROM step, pg_notify(@Channel, '')
        """,
        new
        {
            version,
            // Where people look for it: at what gets another name.
            entity = renames.IsEmpty ? converted.First().Entity : renames[0].From,
            tables = Tables(converted),
            name = Columns(converted),
            text = Texts(converted),
            sql = Scripts(converted),
            plan,
            MetadataSteps.Channel,
        },
        transaction,
        cancellationToken: ct));

    /// <summary>Has the same step prepare more tables before it applies what waits for them.</summary>
    /// <returns>Id of the step.</returns>
    public async Task<long> PrepareMoreAsync(PreparedTables step, IReadOnlyCollection<PlanStep> converted, CancellationToken ct)
    {
        await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE crm.metadata_step SET position = NULL, tables = tables || @tables, name = name || ',' || @name, text = text || '; ' || @text, sql = sql || E';\n' || @sql
            WHERE id = @Step AND state = 'running'
            """,
            new { step.Step, tables = Tables(converted), name = Columns(converted), text = Texts(converted), sql = Scripts(converted) },
            transaction,
            cancellationToken: ct));
        return step.Step;
    }

    /// <summary>Leaves the rest to whichever host comes first.</summary>
    public async Task<int> PutOffAsync(IReadOnlyCollection<PlanStep> steps, ImmutableHashSet<string> big, long version, CancellationToken ct)
    {
        var later = steps.Where(s => s.Online is { } online && (online.IsAlways || big.Contains(s.Entity!))).ToList();
        foreach (var step in later)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "INSERT INTO crm.metadata_step (version, kind, entity, name, text, sql) VALUES (@version, @kind, @entity, @name, @text, @sql)",
                new { version, kind = step.Online!.Kind, entity = step.Entity, name = step.Online.Name, text = step.Text, sql = step.Online.Later },
                transaction,
                cancellationToken: ct));
        }

        if (later.Count > 0)
        {
            await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { MetadataSteps.Channel }, transaction, cancellationToken: ct));
        }

        return later.Count;
    }

    private static string[] Tables(IEnumerable<PlanStep> converted) => [.. converted.Select(s => s.Conversion!.Table).Distinct(StringComparer.Ordinal)];

    private static string Columns(IEnumerable<PlanStep> converted) => string.Join(',', converted.Select(s => s.Conversion!.Table + "." + s.Conversion.Source));

    private static string Texts(IEnumerable<PlanStep> converted) => string.Join("; ", converted.Select(s => s.Text));

    private static string Scripts(IEnumerable<PlanStep> converted) => string.Join(";\n", converted.Select(s => s.Conversion!.Script));

    /// <summary>The name of the table before the steps.</summary>
    private string Now(string entity) => EntityRenames.Former(renames, entity);

    private bool IsPrepared(PlanStep step) => step.Conversion is { } conversion && prepared?.Names.Contains(conversion.Table) == true;

    private string? Now(PlanStep step, ImmutableHashSet<string> big) =>
        IsPrepared(step) ? step.Conversion!.Swap
        : step.Online is { } online && (online.IsAlways || big.Contains(step.Entity!)) ? online.Now
        : step.Sql;

    /// <summary>The preparation ends with what it prepared, unless somebody stopped it meanwhile.</summary>
    private async Task DoneAsync(long step, CancellationToken ct)
    {
        var rows = await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.metadata_step SET state = 'done', backend = NULL, finished_at = clock_timestamp() WHERE id = @step AND NOT cancel_requested", new { step }, transaction, cancellationToken: ct));
        if (rows == 0)
        {
            throw new StepCancelledException();
        }
    }
}
