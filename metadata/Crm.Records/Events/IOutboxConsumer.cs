using Npgsql;

namespace Crm.Records;

/// <summary>Writes down for later what follows from committed changes, before they leave the outbox.</summary>
public interface IOutboxConsumer
{
    /// <summary>Takes changes, oldest first. May be called again for the same ones, and must then do nothing more.</summary>
    /// <param name="connection">A connection to the database, without a transaction.</param>
    /// <param name="events">Ids of rows of the outbox.</param>
    /// <param name="ct">Cancels.</param>
    Task TakeAsync(NpgsqlConnection connection, IReadOnlyList<long> events, CancellationToken ct);
}
