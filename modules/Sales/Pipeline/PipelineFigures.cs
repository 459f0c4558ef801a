using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>What is in each stage, in the order of the stages.</summary>
public sealed record PipelineFigures(ImmutableArray<StageFigures> Stages)
{
    public long Count => Stages.Sum(s => s.Count);

    /// <summary>What is still to be won, one total per currency: amounts of different currencies are never added.</summary>
    public ImmutableArray<CurrencyFigures> Open() => StageFigures.Sum(Stages.Where(s => s.Kind == StageKind.Open).SelectMany(s => s.Totals));
}

/// <summary>One stage.</summary>
public sealed record StageFigures(string Stage, string Label, StageKind Kind, long Count, ImmutableArray<CurrencyFigures> Totals)
{
    public static ImmutableArray<CurrencyFigures> Sum(IEnumerable<CurrencyFigures> totals) =>
    [
        .. totals
            .GroupBy(t => t.Currency)
            .Select(g => new CurrencyFigures(g.Key, g.Sum(t => t.Sum), g.Sum(t => t.Weighted)))
            .OrderByDescending(t => t.Sum)
            .ThenBy(t => t.Currency, StringComparer.Ordinal),
    ];
}

/// <summary>Amounts of one currency.</summary>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="Sum">Sum of the budgets.</param>
/// <param name="Weighted">Sum of the budgets, each times its chance of winning.</param>
public sealed record CurrencyFigures(string Currency, decimal Sum, decimal Weighted);
