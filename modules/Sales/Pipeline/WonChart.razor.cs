using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Localization;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>A column for each month.</summary>
public sealed partial class WonChart : ComponentBase
{
    private readonly string id = "won-" + Guid.CreateVersion7().ToString("N");
    private Column[] columns = [];

    [Parameter, EditorRequired]
    public WonFigures Figures { get; set; } = null!;

    [Parameter, EditorRequired]
    public IStringLocalizer Texts { get; set; } = null!;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    protected override void OnParametersSet() =>
        columns = [.. Figures.Months.Select(m => new Column(m.Month.ToString(m.Month.Month == 1 || m == Figures.Months[0] ? "MMM yy" : "MMM", Display.Culture), m.Sum))];

    private string Month(DateOnly month) => month.ToString("MMMM yyyy", Display.Culture);

    private string Money(decimal sum) => sum.ToString("N0", Display.Culture);

    // Thousands and millions: long amounts would take the place of the columns on a phone.
    private string Axis(object value) => Convert.ToDecimal(value, Display.Culture) switch
    {
        >= 1_000_000 and var sum => Texts["Millions", (sum / 1_000_000).ToString("0.##", Display.Culture)],
        >= 1_000 and var sum => Texts["Thousands", (sum / 1_000).ToString("0.##", Display.Culture)],
        var sum => sum.ToString("N0", Display.Culture),
    };

    private sealed record Column(string Label, decimal Sum);
}
