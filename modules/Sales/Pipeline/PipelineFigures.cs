using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>How the deals stand.</summary>
/// <param name="Stages">What is in each stage, in the order of the stages.</param>
/// <param name="Won">What was won month by month, the currency with the greatest sum first; empty when nothing was.</param>
public sealed record PipelineFigures(ImmutableArray<StageFigures> Stages, ImmutableArray<WonFigures> Won)
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

/// <summary>What was won in one currency in the twelve months up to the last deal won.</summary>
/// <param name="Currency">ISO 4217 code.</param>
/// <param name="Months">Twelve, oldest first; months without a deal are there with 0.</param>
public sealed record WonFigures(string Currency, ImmutableArray<MonthFigures> Months)
{
    public decimal Sum => Months.Sum(m => m.Sum);
}

/// <summary>One month.</summary>
/// <param name="Month">Its first day.</param>
/// <param name="Count">Number of deals.</param>
/// <param name="Sum">Sum of their budgets.</param>
public sealed record MonthFigures(DateOnly Month, long Count, decimal Sum);
