using Crm.Sdk;
using Microsoft.Extensions.Logging;

namespace Crm.Metadata;

/// <summary>Compares the database's catalogue with the definitions, on start and when an administrator asks.</summary>
public sealed class ConsistencyCheck(CrmDatabase database, TimeProvider time, ILogger<ConsistencyCheck> log)
{
    private const int MaxLogged = 20;

    private ConsistencyReport? last;

    /// <summary>The latest report of this host; null before the first.</summary>
    public ConsistencyReport? Last => Volatile.Read(ref last);

    /// <summary>Compares now.</summary>
    public async Task<ConsistencyReport> RunAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        // Tables and definitions of one moment: a change that is applied meanwhile is in both or in neither.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var layers = await LayerRows.LoadAsync(connection, transaction, null, ct);
        var features = await ChangeRunner.FeaturesAsync(connection, transaction, ct);
        var snapshot = SnapshotBuilder.Build(layers);
        var catalogue = await Catalogue.ReadAsync(connection, transaction, ct);
        var conversions = await Catalogue.ConversionsAsync(connection, transaction, ct);
        var types = await Catalogue.TypesAsync(connection, transaction, Enum.GetValues<StorageKind>().Select(TableShape.SqlType), ct);
        var report = new ConsistencyReport(layers.Version, time.GetUtcNow(), CatalogueComparison.Of(snapshot, catalogue, conversions, features, t => types.GetValueOrDefault(t, t)));
        Volatile.Write(ref last, report);
        return report;
    }

    /// <summary>Compares and tells the operator what differs; the host starts all the same, because most of it still works.</summary>
    public async Task WarnAsync(CancellationToken ct = default)
    {
        var report = await RunAsync(ct);
        foreach (var difference in report.Differences.Take(MaxLogged))
        {
            log.LogWarning("The database differs from the definitions: {Difference}", difference.Message);
        }

        if (report.Differences.Length > MaxLogged)
        {
            log.LogWarning("The database differs from the definitions in {Count} more ways; see the database check in administration.", report.Differences.Length - MaxLogged);
        }
    }
}
