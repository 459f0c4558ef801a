using Npgsql;

namespace Crm.Records;

/// <summary>Statements that write, sent to the database together.</summary>
internal sealed class WriteBatch(SaveSession session) : IAsyncDisposable
{
    private readonly NpgsqlBatch batch = session.Batch();
    private readonly List<(NpgsqlBatchCommand Command, int Rows, string Entity)> counted = [];
    private bool isOpenEnded;

    /// <summary>Adds a statement that writes a known number of rows, which are locked or new.</summary>
    public void Add(NpgsqlBatchCommand command, int rows, string entity)
    {
        batch.BatchCommands.Add(command);
        counted.Add((command, rows, entity));
    }

    /// <summary>Adds the rows of the history and of the outbox.</summary>
    /// <param name="command">Answers with the version of the definitions and the id of the transaction.</param>
    /// <param name="takesAny">May take as long as it does: a record with very many dependants could never be saved otherwise.</param>
    public void AddHistory(NpgsqlBatchCommand command, bool takesAny)
    {
        batch.BatchCommands.Add(command);
        isOpenEnded |= takesAny;
    }

    /// <summary>Adds a statement without an answer anybody waits for.</summary>
    public void Add(NpgsqlBatchCommand command) => batch.BatchCommands.Add(command);

    /// <exception cref="OldDefinitionsException">The definitions changed since the save began.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        if (isOpenEnded)
        {
            batch.Timeout = 0;
        }

        long? version = null;
        await using (var reader = await batch.ExecuteReaderAsync(ct))
        {
            do
            {
                while (await reader.ReadAsync(ct))
                {
                    if (reader.FieldCount == 2)
                    {
                        version = reader.GetInt64(0);
                        session.Identify(reader.GetFieldValue<ulong>(1));
                    }
                }
            }
            while (await reader.NextResultAsync(ct));
        }

        // A change of definitions waits for those who write what it reads, and those who come after it wait for it: what follows from this write, this host may not know yet.
        if (version > session.Snapshot.Version)
        {
            throw new OldDefinitionsException();
        }

        foreach (var (command, rows, entity) in counted)
        {
            if (command.RecordsAffected != rows)
            {
                throw new InvalidOperationException($"{command.RecordsAffected} rows of {entity} were written instead of {rows}, although they were locked.");
            }
        }
    }

    public ValueTask DisposeAsync() => batch.DisposeAsync();
}
