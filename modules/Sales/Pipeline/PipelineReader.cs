using System.Collections.Immutable;
using System.Globalization;
using Crm.Modules.Sales.Opportunities;
using Crm.Sdk;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>Reads the pipeline as the current user may see it.</summary>
public sealed class PipelineReader(IRecordService records, IMetadata metadata)
{
    // Grouping by probability as well makes the weighted value exact without reading a single record.
    private static readonly AggregateQuery Groups = new()
    {
        Entity = "opportunity",
        GroupBy = [OpportunityEntity.Stage, "budget_currency", OpportunityEntity.Probability],
        Aggregates = [new Aggregate(AggregateFunction.Count, null, "count"), new Aggregate(AggregateFunction.Sum, "budget", "sum")],
        Filter = Filter.Equal("is_active", true),
    };

    public async Task<PipelineFigures> ReadAsync(CancellationToken ct)
    {
        var stages = metadata.Current.Entity("opportunity").Field(OpportunityEntity.Stage).Stages
            ?? throw new InvalidOperationException("The opportunity's stage field has no stages.");
        var rows = await records.AggregateAsync(Groups, ct);
        var byStage = rows.ToLookup(r => r.Values[OpportunityEntity.Stage] as string);
        return new PipelineFigures([.. stages.Stages.Select(s => Figures(s, byStage[s.Name].ToImmutableArray()))]);
    }

    private static StageFigures Figures(StageDefinition stage, ImmutableArray<AggregateRow> rows) => new(
        stage.Name,
        stage.Label,
        stage.Kind,
        rows.Sum(r => Convert.ToInt64(r.Values["count"], CultureInfo.InvariantCulture)),
        StageFigures.Sum(rows.Where(r => r.Values["budget_currency"] is string).Select(Amounts)));

    private static CurrencyFigures Amounts(AggregateRow row)
    {
        var sum = Convert.ToDecimal(row.Values["sum"] ?? 0m, CultureInfo.InvariantCulture);
        var probability = Convert.ToDecimal(row.Values[OpportunityEntity.Probability] ?? 0m, CultureInfo.InvariantCulture);
        return new CurrencyFigures((string)row.Values["budget_currency"]!, sum, sum * probability / 100);
    }
}
