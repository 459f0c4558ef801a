using System.Globalization;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Localization;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>Count, value and weighted value of every stage (SAL-17). The constructor's services are the module's own.</summary>
public sealed partial class PipelinePage(PipelineReader pipeline, IStringLocalizer<PipelinePage> texts) : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource closed = new();
    private PipelineFigures? figures;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    public void Dispose()
    {
        closed.Cancel();
        closed.Dispose();
    }

    protected override async Task OnInitializedAsync() => figures = await pipeline.ReadAsync(closed.Token);

    private string Number(long number) => number.ToString("N0", Display.Culture);

    private string Amount(decimal amount, string currency) => amount.ToString("N0", Display.Culture) + "\u00A0" + currency;

    // Bars compare stages by count: amounts of different currencies cannot be compared.
    private string Share(StageFigures stage)
    {
        var greatest = figures?.Stages.Max(s => s.Count) ?? 0;
        var percent = greatest == 0 ? 0 : 100m * stage.Count / greatest;
        return string.Create(CultureInfo.InvariantCulture, $"{percent:0.#}%");
    }

    private static string BarClass(StageKind kind) => kind switch
    {
        StageKind.Won => "pipeline-bar pipeline-bar-won",
        StageKind.Lost => "pipeline-bar pipeline-bar-lost",
        _ => "pipeline-bar",
    };
}
