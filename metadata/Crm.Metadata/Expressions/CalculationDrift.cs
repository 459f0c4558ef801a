using System.Collections.Immutable;
using Dapper;

namespace Crm.Metadata;

/// <summary>Proves that what is stored in calculated fields is what would be calculated now, and puts right what is not.</summary>
public sealed class CalculationDrift(CrmDatabase database, MetadataStore store)
{
    /// <summary>Every calculated field, and in how many records it holds something else than it should.</summary>
    public async Task<ImmutableArray<DriftedField>> CheckAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        // One moment for all: a write between two questions would look like drift.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var fields = ImmutableArray.CreateBuilder<DriftedField>();
        foreach (var node in new CalculationGraph(store.Current).InOrder())
        {
            var count = await connection.ExecuteScalarAsync<long>(new CommandDefinition(Count(node), transaction: transaction, commandTimeout: 0, cancellationToken: ct));
            fields.Add(new DriftedField(node.Entity.Name, node.Field.Name, count));
        }

        return fields.ToImmutable();
    }

    /// <summary>Calculates anew what has drifted.</summary>
    /// <returns>What was found; afterwards nothing drifts.</returns>
    public async Task<ImmutableArray<DriftedField>> RepairAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var fields = ImmutableArray.CreateBuilder<DriftedField>();
        foreach (var node in new CalculationGraph(store.Current).InOrder())
        {
            // Nobody may write what is read between reading and storing.
            var tables = CalculationSteps.TablesOf(node);
            var read = tables.IsEmpty ? "" : $"LOCK TABLE {string.Join(", ", tables.Add(Sql.Table(node.Entity.Name)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))} IN SHARE ROW EXCLUSIVE MODE; ";
            var count = await connection.ExecuteAsync(new CommandDefinition(read + CalculationSteps.FillSql(node), transaction: transaction, commandTimeout: 0, cancellationToken: ct));
            fields.Add(new DriftedField(node.Entity.Name, node.Field.Name, Math.Max(count, 0)));
        }

        await transaction.CommitAsync(ct);
        return fields.ToImmutable();
    }

    private static string Count(CalculationGraph.Node node) => node.RollUp is { } rollUp ? RollUpGroup.CountSql(rollUp) : new FormulaSql(node.Entity, node.Formula!).Count();
}

/// <summary>A calculated field and how far it drifted.</summary>
/// <param name="Entity">Its entity.</param>
/// <param name="Field">Its name.</param>
/// <param name="Records">Records in which it held something else than is calculated.</param>
public sealed record DriftedField(string Entity, string Field, long Records);
