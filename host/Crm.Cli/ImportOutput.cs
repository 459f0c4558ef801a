using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Crm.Cli;

/// <summary>Shows what was done.</summary>
internal static class ImportOutput
{
    private const int MaxIssues = 12;

    /// <summary>What became of a file.</summary>
    public static void Show(IAnsiConsole console, PlannedFile file, JsonElement job, TimeSpan took, bool dryRun)
    {
        var report = job.GetProperty("report");
        var read = Number(report, "read");
        console.MarkupLineInterpolated($"[bold]{file.File}[/] → {file.Entity}{(dryRun ? " " + Texts.Of("DryRun") : "")}");
        if (job.GetProperty("state").GetString() is not "succeeded" and var state)
        {
            console.MarkupLineInterpolated($"  [red]{state}: {job.GetProperty("error")}[/]");
        }

        console.WriteLine("  " + Texts.Of("Rows", read, Number(report, "created"), Number(report, "updated"), Number(report, "unchanged"), Number(report, "skipped")));
        console.WriteLine("  " + Texts.Of("Speed", took.TotalSeconds, read / Math.Max(took.TotalSeconds, 0.001)));
        if (Number(report, "created_references") is > 0 and var made)
        {
            console.WriteLine("  " + Texts.Of("Made", made));
        }

        var issues = report.GetProperty("issues").EnumerateArray().OrderByDescending(i => i.GetProperty("is_error").GetBoolean()).ThenByDescending(i => Number(i, "count")).ToList();
        foreach (var issue in issues.Take(MaxIssues))
        {
            var colour = issue.GetProperty("is_error").GetBoolean() ? "red" : "yellow";
            var lines = string.Join(", ", issue.GetProperty("lines").EnumerateArray().Select(l => l.GetInt64().ToString(CultureInfo.InvariantCulture)));
            console.MarkupLine($"  [{colour}]{Number(issue, "count"):#,0}[/] × {Markup.Escape(issue.GetProperty("message").ToString())} [grey]({Markup.Escape(Texts.Of("Lines", lines))})[/]");
        }

        if (issues.Count > MaxIssues)
        {
            console.WriteLine("  " + Texts.Of("MoreIssues", issues.Count - MaxIssues));
        }
    }

    /// <summary>The figures read back.</summary>
    public static void Show(IAnsiConsole console, IReadOnlyList<(Figure Figure, decimal Value)> figures)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(Texts.Of("FigureColumn")).AddColumn(new TableColumn(Texts.Of("ReadColumn")).RightAligned());
        var isChecked = figures.Any(f => f.Figure.Expect is not null);
        if (isChecked)
        {
            table.AddColumn(new TableColumn(Texts.Of("ExpectedColumn")).RightAligned()).AddColumn("");
        }

        foreach (var (figure, value) in figures)
        {
            string[] cells = [Markup.Escape(figure.Label), Text(value)];
            string[] check = figure.Expect is { } expected ? [Text(expected), expected == value ? "[green]✓[/]" : "[red]✗[/]"] : ["", ""];
            table.AddRow(isChecked ? [.. cells, .. check] : cells);
        }

        console.Write(table);
    }

    private static string Text(decimal value) => value.ToString("#,0.##", CultureInfo.InvariantCulture);

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
