using System.Collections.Immutable;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Gives columns of big tables another type while everybody works, see <see cref="ColumnConversion"/>, and then applies the change that asked for it, on all of them at
/// once. Each part can be interrupted: what is there says how far it is.
/// </summary>
internal sealed class ConversionRun(NpgsqlConnection connection, MetadataStore store, TimeProvider time, long step, ImmutableArray<string> tables)
{
    /// <summary>Prepares the tables, goes on with them, or only applies the change.</summary>
    /// <param name="waiting">What the step was stored with.</param>
    /// <param name="ct">Cancels.</param>
    public async Task RunAsync(string waiting, CancellationToken ct)
    {
        var plan = WaitingPlan.Read(waiting);
        var draft = await store.Runner.DraftAsync(plan.Changes, ct);
        if (!draft.Errors.IsEmpty || draft.Statements != plan.Statements)
        {
            throw new StepFailedException(draft.Errors.IsEmpty ? MetadataTexts.Of("PlanDiffers") : draft.Errors[0].Message);
        }

        var columns = draft.Steps.Select(s => s.Conversion).OfType<ColumnConversion>().ToLookup(c => c.Table, StringComparer.Ordinal);
        // All before the first is filled: what would not fit is refused from now on, not found at the end.
        foreach (var table in tables)
        {
            await BeginAsync([.. columns[table]], ct);
        }

        await connection.ExecuteAsync(new CommandDefinition("UPDATE crm.metadata_step SET position = @begun WHERE id = @step AND position IS NULL", new { begun = Guid.Empty, step }, cancellationToken: ct));
        await FillAsync(columns, draft, ct);
        foreach (var table in tables)
        {
            foreach (var index in columns[table].SelectMany(c => c.ShadowIndexes))
            {
                await IndexAsync(table, index, ct);
            }

            await connection.ExecuteAsync(new CommandDefinition(ColumnConversion.Analyze([.. columns[table]]), commandTimeout: 0, cancellationToken: ct));
        }

        await ApplyAsync(plan, ct);
    }

    /// <summary>Leaves the tables as they were before the step.</summary>
    public async Task GiveUpAsync(CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // A host that only seemed dead may just be applying the change: that one is waited for, and then there is nothing to give up.
        var rows = await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.metadata_step SET position = NULL, part = 0, done = 0 WHERE id = @step AND state = 'running'", new { step }, transaction, cancellationToken: ct));
        if (rows == 0)
        {
            return;
        }

        var shadows = (await connection.QueryAsync<(string Table, string Name)>(new CommandDefinition(
            """
            SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = to_regnamespace(@schema) AND c.relname = ANY(@tables) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname LIKE @shadows
            """,
            new { schema = Sql.RecordsSchema, tables = tables.ToArray(), shadows = ColumnConversion.ShadowOf("%").Replace("_", "\\_", StringComparison.Ordinal) },
            transaction,
            cancellationToken: ct))).ToLookup(s => s.Table, s => s.Name, StringComparer.Ordinal);
        await TableSteps.ExecuteAsync(connection, transaction, time, tables, [.. tables.SelectMany(t => ColumnConversion.GiveUp(t, [.. shadows[t]]))], null, ct);
        await transaction.CommitAsync(ct);
    }

    private async Task BeginAsync(ImmutableArray<ColumnConversion> columns, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // Waits for a host that only seemed dead and is applying the change.
        var state = await connection.QuerySingleAsync<(bool IsRunning, bool IsBegun)>(new CommandDefinition(
            "SELECT state = 'running', position IS NOT NULL FROM crm.metadata_step WHERE id = @step FOR UPDATE", new { step }, transaction, cancellationToken: ct));
        if (!state.IsRunning)
        {
            throw new StepBusyException();
        }

        var table = columns[0].Table;
        if (state.IsBegun || await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(@table) AND tgname = @trigger)",
            new { table = Sql.Table(table), trigger = ColumnConversion.TriggerOf(table) },
            transaction,
            cancellationToken: ct)))
        {
            return;
        }

        await TableSteps.ExecuteAsync(connection, transaction, time, [table], ColumnConversion.Begin(columns), null, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Table after table; those that are filled are not gone through again.</summary>
    private async Task FillAsync(ILookup<string, ColumnConversion> columns, PlanDraft draft, CancellationToken ct)
    {
        var part = await connection.ExecuteScalarAsync<int>(new CommandDefinition("SELECT part FROM crm.metadata_step WHERE id = @step", new { step }, cancellationToken: ct));
        foreach (var table in tables.Skip(part))
        {
            if (!await new StepBatches(connection, time, step).RunAsync(ColumnConversion.Fill([.. columns[table]]), ct))
            {
                throw new StepFailedException(await MisfitsAsync(draft, ct));
            }

            await connection.ExecuteAsync(new CommandDefinition("UPDATE crm.metadata_step SET part = part + 1, position = @begun WHERE id = @step", new { begun = Guid.Empty, step }, cancellationToken: ct));
        }
    }

    private async Task IndexAsync(string table, IndexShape index, CancellationToken ct)
    {
        if (await StepIndexes.DropUnfinishedAsync(connection, index.Name, ct))
        {
            return;
        }

        try
        {
            await connection.ExecuteAsync(new CommandDefinition(index.CreateConcurrently(table), commandTimeout: 0, cancellationToken: ct));
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // '1' and '01' are the same number.
            throw new StepFailedException(MetadataTexts.Of("StepDoubles", await DataFacts.DoublesAsync(connection, Sql.Table(table), Sql.Quote(index.Column), ct)));
        }
    }

    private async Task<string> MisfitsAsync(PlanDraft draft, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var (errors, warnings) = await DataFacts.AskAsync(connection, transaction, draft.Questions.Where(q => q.Kind == QuestionKind.Unconvertible), ct);
        // Corrected since the batch was read: the next run gets on.
        return errors.Concat(warnings).FirstOrDefault()?.Message ?? MetadataTexts.Of("ValuesNow");
    }

    private async Task ApplyAsync(WaitingPlan plan, CancellationToken ct)
    {
        var request = new ApplyRequest(plan.Changes, plan.Actor, plan.Options, MetadataEditor.ApplyWait) { Statements = plan.Statements, Prepared = new PreparedTables(step, tables) };
        var (result, state) = await store.Runner.ApplyAsync(request, ct);
        if (state is not null)
        {
            store.Accept(state);
            return;
        }

        throw result.Errors.Any(e => e.Code == Crm.Sdk.ErrorCodes.Busy) ? new StepBusyException()
            // A table more was found to be big: from its start again, which finds the others ready.
            : result.Step is not null ? new StepBusyException()
            : result.Errors.IsEmpty ? new InvalidOperationException("A change that was prepared has nothing to do.")
            : new StepFailedException(string.Join(" ", result.Errors.Select(e => e.Message)));
    }
}
