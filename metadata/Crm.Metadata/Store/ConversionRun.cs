using System.Collections.Immutable;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Gives columns of a big table another type while everybody works, see <see cref="ColumnConversion"/>, and then applies the change that asked for it. Each part can be
/// interrupted: what is there says how far it is.
/// </summary>
internal sealed class ConversionRun(NpgsqlConnection connection, MetadataStore store, TimeProvider time, long step, string table)
{
    /// <summary>Prepares the table, goes on with it, or only applies the change.</summary>
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

        ImmutableArray<ColumnConversion> columns = [.. draft.Steps.Select(s => s.Conversion).OfType<ColumnConversion>().Where(c => c.Table == table)];
        await BeginAsync(columns, ct);
        if (!await new StepBatches(connection, time, step).RunAsync(ColumnConversion.Fill(columns), ct))
        {
            throw new StepFailedException(await MisfitsAsync(draft, ct));
        }

        foreach (var index in columns.SelectMany(c => c.ShadowIndexes))
        {
            await IndexAsync(index, ct);
        }

        await connection.ExecuteAsync(new CommandDefinition(ColumnConversion.Analyze(columns), commandTimeout: 0, cancellationToken: ct));
        await ApplyAsync(plan, ct);
    }

    /// <summary>Leaves the table as it was before the step.</summary>
    public async Task GiveUpAsync(CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // A host that only seemed dead may just be applying the change: that one is waited for, and then there is nothing to give up.
        var rows = await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.metadata_step SET position = NULL, done = 0 WHERE id = @step AND state = 'running'", new { step }, transaction, cancellationToken: ct));
        if (rows == 0)
        {
            return;
        }

        var shadows = (await connection.QueryAsync<string>(new CommandDefinition(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(@name) AND attnum > 0 AND NOT attisdropped AND attname LIKE @shadows",
            new { name = Sql.Table(table), shadows = ColumnConversion.ShadowOf("%").Replace("_", "\\_", StringComparison.Ordinal) },
            transaction,
            cancellationToken: ct))).ToList();
        await TableSteps.ExecuteAsync(connection, transaction, time, [table], ColumnConversion.GiveUp(table, shadows), ct);
        await transaction.CommitAsync(ct);
    }

    private async Task BeginAsync(ImmutableArray<ColumnConversion> columns, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var rows = await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.metadata_step SET position = '00000000-0000-0000-0000-000000000000' WHERE id = @step AND position IS NULL", new { step }, transaction, cancellationToken: ct));
        if (rows == 0)
        {
            // It was begun before.
            return;
        }

        await TableSteps.ExecuteAsync(connection, transaction, time, [table], ColumnConversion.Begin(columns), ct);
        await transaction.CommitAsync(ct);
    }

    private async Task IndexAsync(IndexShape index, CancellationToken ct)
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
        var request = new ApplyRequest(plan.Changes, plan.Actor, plan.Options, MetadataEditor.ApplyWait) { Statements = plan.Statements, Prepared = new PreparedTable(step, table) };
        var (result, state) = await store.Runner.ApplyAsync(request, ct);
        if (state is not null)
        {
            store.Accept(state);
            return;
        }

        throw result.Errors.Any(e => e.Code == Crm.Sdk.ErrorCodes.Busy) ? new StepBusyException()
            : result.Errors.IsEmpty ? new InvalidOperationException("A change that was prepared has nothing to do.")
            : new StepFailedException(string.Join(" ", result.Errors.Select(e => e.Message)));
    }
}
