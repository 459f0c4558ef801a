using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Spectre.Console;

namespace Crm.Cli;

/// <summary><c>crm import</c>: a folder of files and a mapping file become records, and the figures are read back.</summary>
internal static class ImportCommand
{
    private const int Failed = 1;

    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = Texts.Of("FolderHelp") };
        var mapping = new Option<FileInfo>("--mapping") { Description = Texts.Of("MappingHelp"), Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = Texts.Of("DryRunHelp") };
        var reports = new Option<DirectoryInfo?>("--reports") { Description = Texts.Of("ReportsHelp") };
        var command = new Command("import", Texts.Of("ImportHelp")) { folder, mapping, dryRun, reports };
        var connection = Connection.AddTo(command);
        command.SetAction(async (parsed, ct) =>
        {
            using var http = connection.Http(parsed);
            return await RunAsync(
                Connection.Terminal(),
                http,
                new ImportArguments(parsed.GetValue(folder)!.FullName, parsed.GetValue(mapping)!.FullName, connection.User(parsed), Connection.Password(), parsed.GetValue(dryRun), parsed.GetValue(reports)?.FullName),
                ct);
        });
        return command;
    }

    /// <summary>Runs the command.</summary>
    /// <returns>0 when every row is in and every figure is as expected.</returns>
    public static async Task<int> RunAsync(IAnsiConsole console, HttpClient http, ImportArguments arguments, CancellationToken ct)
    {
        try
        {
            var plan = ImportPlan.Parse(await ReadAsync(arguments.MappingFile, ct));
            foreach (var file in plan.Files.Where(f => !File.Exists(Path.Combine(arguments.Folder, f.File))))
            {
                throw new CliException(Texts.Of("NoFile", file.File, arguments.Folder));
            }

            var client = new CrmClient(http);
            await client.SignInAsync(arguments.User, arguments.Password ?? Connection.Ask(console, arguments.User), ct);
            var isGood = true;
            foreach (var file in plan.Files)
            {
                isGood &= await ImportAsync(console, client, file, arguments, ct);
            }

            return await FiguresAsync(console, client, plan, arguments.DryRun, ct) && isGood ? 0 : Failed;
        }
        catch (CliException problem)
        {
            console.MarkupLineInterpolated($"[red]{problem.Message}[/]");
            return Failed;
        }
    }

    private static async Task<bool> ImportAsync(IAnsiConsole console, CrmClient client, PlannedFile file, ImportArguments arguments, CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        var job = await client.ImportAsync(file, Path.Combine(arguments.Folder, file.File), arguments.DryRun, ct);
        var id = job.GetProperty("id").GetGuid();
        job = await FollowAsync(console, client, id, file.File, ct);
        ImportOutput.Show(console, file, job, Stopwatch.GetElapsedTime(begun), arguments.DryRun);
        if (arguments.ReportsFolder is { } folder)
        {
            Directory.CreateDirectory(folder);
            await client.DownloadReportAsync(id, Path.Combine(folder, Path.GetFileNameWithoutExtension(file.File) + "-report.csv"), ct);
        }

        return job.GetProperty("state").GetString() == "succeeded" && job.GetProperty("report").GetProperty("errors").GetInt64() == 0;
    }

    private static async Task<JsonElement> FollowAsync(IAnsiConsole console, CrmClient client, Guid id, string name, CancellationToken ct)
    {
        try
        {
            return await console.Progress().AutoClear(enabled: true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
                .StartAsync(async progress =>
                {
                    var task = progress.AddTask(Markup.Escape(name));
                    while (true)
                    {
                        var job = await client.JobAsync(id, ct);
                        task.MaxValue = Math.Max(1, job.GetProperty("total").ValueKind == JsonValueKind.Number ? job.GetProperty("total").GetInt64() : 1);
                        task.Value = job.GetProperty("position").GetInt64();
                        if (job.GetProperty("state").GetString() is "succeeded" or "failed" or "cancelled")
                        {
                            return job;
                        }

                        await Task.Delay(TimeSpan.FromMilliseconds(250), ct);
                    }
                });
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Ctrl+C means the import, not only this window.
            await client.CancelAsync(id, CancellationToken.None);
            throw new CliException(Texts.Of("Cancelled", name));
        }
    }

    private static async Task<bool> FiguresAsync(IAnsiConsole console, CrmClient client, ImportPlan plan, bool dryRun, CancellationToken ct)
    {
        if (plan.Figures.Count == 0 || dryRun)
        {
            return true;
        }

        var read = new List<(Figure Figure, decimal Value)>();
        foreach (var figure in plan.Figures)
        {
            read.Add((figure, await client.FigureAsync(figure, ct)));
        }

        ImportOutput.Show(console, read);
        return read.TrueForAll(r => r.Figure.Expect is not { } expected || expected == r.Value);
    }

    private static async Task<string> ReadAsync(string path, CancellationToken ct)
    {
        try
        {
            return await File.ReadAllTextAsync(path, ct);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(problem.Message);
        }
    }
}

/// <summary>What the command was given.</summary>
internal sealed record ImportArguments(string Folder, string MappingFile, string User, string? Password, bool DryRun, string? ReportsFolder);
