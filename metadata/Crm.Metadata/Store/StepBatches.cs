using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Goes through the records of a table batch after batch, each with its progress in one transaction, so that it goes on where it stopped. Who wants a record of a batch
/// waits for its end, so the size follows the time: on a busy server batches become small, and between them others get on.
/// </summary>
internal sealed class StepBatches(NpgsqlConnection connection, TimeProvider time, long step)
{
    private const int Smallest = 20;
    private const int Largest = 5000;

    private static readonly TimeSpan Target = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Records of the first batch; the time it takes says how many the next one has.</summary>
    public int Size { get; private set; } = 200;

    /// <summary>Runs a statement as <see cref="OnlineStep.Fill"/> makes it until no record is left.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="ct">Stops between two batches.</param>
    /// <returns>Whether all could be done; false when a third answer of the statement was true.</returns>
    /// <exception cref="StepCancelledException">An administrator stopped it.</exception>
    public Task<bool> RunAsync(string sql, CancellationToken ct) => RunAsync((connection, transaction, size, token) => FillAsync(sql, connection, transaction, size, token), ct);

    /// <summary>Does batches until no record is left.</summary>
    /// <param name="batch">One batch of the given size, behind the step's position.</param>
    /// <param name="ct">Stops between two batches.</param>
    /// <returns>Whether all could be done.</returns>
    /// <exception cref="StepCancelledException">An administrator stopped it.</exception>
    public async Task<bool> RunAsync(Func<NpgsqlConnection, NpgsqlTransaction, int, CancellationToken, Task<StepBatch>> batch, CancellationToken ct)
    {
        while (true)
        {
            var started = time.GetTimestamp();
            if (await OneAsync(batch, ct) is { } isLast)
            {
                return isLast;
            }

            var took = time.GetElapsedTime(started);
            Size = Math.Clamp((int)(Size * Math.Clamp(Target / took, 0.25, 2)), Smallest, Largest);
            // As long as the batch: whoever waited for it gets on before the next one.
            await Task.Delay(took < LongestPause ? took : LongestPause, time, ct);
        }
    }

    /// <summary>One batch; null when there is more to do.</summary>
    private async Task<bool?> OneAsync(Func<NpgsqlConnection, NpgsqlTransaction, int, CancellationToken, Task<StepBatch>> batch, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // Records stay locked until the commit ends, so it does not wait for the disk: batch and position are lost together or not at all.
        await connection.ExecuteAsync(new CommandDefinition("SET LOCAL synchronous_commit = off", transaction: transaction, cancellationToken: ct));
        var (last, count, isStopped) = await batch(connection, transaction, Size, ct);
        if (last is null || isStopped)
        {
            return last is null;
        }

        var isCancelled = await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "UPDATE crm.metadata_step SET position = @last, done = done + @count WHERE id = @step RETURNING cancel_requested, pg_notify(@Channel, '')::text",
            new { last, count, step, MetadataSteps.Channel },
            transaction,
            cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return isCancelled ? throw new StepCancelledException() : null;
    }

    private async Task<StepBatch> FillAsync(string sql, NpgsqlConnection connection, NpgsqlTransaction transaction, int size, CancellationToken ct)
    {
        await using var fill = new NpgsqlCommand(sql.Replace("$1", "(SELECT position FROM crm.metadata_step WHERE id = $1)", StringComparison.Ordinal), connection, transaction)
        {
            CommandTimeout = 0,
            Parameters = { new() { Value = step }, new() { Value = size } },
        };
        await using var reader = await fill.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return await reader.IsDBNullAsync(0, ct) ? default : new StepBatch(reader.GetGuid(0), reader.GetInt64(1), reader.FieldCount > 2 && reader.GetBoolean(2));
    }
}

/// <summary>What one batch came to.</summary>
/// <param name="Last">The last record of it; null when there was none left.</param>
/// <param name="Count">How many records it had.</param>
/// <param name="IsStopped">Whether one of them stands in the way.</param>
internal readonly record struct StepBatch(Guid? Last, long Count, bool IsStopped = false);

/// <summary>An administrator stopped the step.</summary>
internal sealed class StepCancelledException() : Exception("An administrator stopped the step.");

/// <summary>The step cannot be done as things are; the message is for the administrator.</summary>
internal sealed class StepFailedException(string message) : Exception(message);

/// <summary>Somebody was in the way: the step is done again after a pause.</summary>
internal sealed class StepBusyException() : Exception("The step has to be done again.");
