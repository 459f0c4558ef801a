using System.Collections.Immutable;
using System.Globalization;
using Crm.Modules.Sales.Opportunities;
using Crm.Sdk;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>Reads the pipeline as the current user may see it.</summary>
public sealed class PipelineReader(IRecordService records, IMetadata metadata)
{
    private const int Months = 12;

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
        return new PipelineFigures([.. stages.Stages.Select(s => Figures(s, byStage[s.Name].ToImmutableArray()))], await WonAsync(stages, ct));
    }

    private async Task<ImmutableArray<WonFigures>> WonAsync(StagesDefinition stages, CancellationToken ct)
    {
        var won = Filter.AllOf(
            Filter.Equal("is_active", true),
            new Filter.In(OpportunityEntity.Stage, [.. stages.Stages.Where(s => s.Kind == StageKind.Won).Select(s => s.Name)]));
        var ends = await records.AggregateAsync(new() { Entity = "opportunity", Aggregates = [new Aggregate(AggregateFunction.Max, OpportunityEntity.CloseDate, "last")], Filter = won }, ct);
        if (ends is not [var end] || end.Values["last"] is not DateOnly last)
        {
            return [];
        }

        var first = new DateOnly(last.Year, last.Month, 1).AddMonths(1 - Months);
        var days = await records.AggregateAsync(
            new()
            {
                Entity = "opportunity",
                GroupBy = [OpportunityEntity.CloseDate, "budget_currency"],
                Aggregates = [new Aggregate(AggregateFunction.Count, null, "count"), new Aggregate(AggregateFunction.Sum, "budget", "sum")],
                Filter = Filter.AllOf(won, new Filter.Compare(OpportunityEntity.CloseDate, FilterOperator.GreaterOrEqual, first)),
            },
            ct);
        return
        [
            .. days.Where(d => d.Values["budget_currency"] is string)
                .GroupBy(d => (string)d.Values["budget_currency"]!)
                .Select(g => new WonFigures(g.Key, [.. Enumerable.Range(0, Months).Select(first.AddMonths).Select(m => Month(m, g))]))
                .OrderByDescending(w => w.Sum)
                .ThenBy(w => w.Currency, StringComparer.Ordinal),
        ];
    }

    private static MonthFigures Month(DateOnly month, IEnumerable<AggregateRow> days)
    {
        var own = days.Where(d => d.Values[OpportunityEntity.CloseDate] is DateOnly day && day >= month && day < month.AddMonths(1)).ToList();
        return new MonthFigures(
            month,
            own.Sum(d => Convert.ToInt64(d.Values["count"], CultureInfo.InvariantCulture)),
            own.Sum(d => Convert.ToDecimal(d.Values["sum"] ?? 0m, CultureInfo.InvariantCulture)));
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
