using System.CommandLine;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Spectre.Console;

namespace Crm.Cli;

/// <summary><c>crm import</c>: a folder of files and a mapping file become records, and the figures are read back.</summary>
internal static class ImportCommand
{
    private const string PasswordVariable = "CRM_PASSWORD";
    private const int Failed = 1;

    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = Texts.Of("FolderHelp") };
        var mapping = new Option<FileInfo>("--mapping") { Description = Texts.Of("MappingHelp"), Required = true };
        var url = new Option<string>("--url") { Description = Texts.Of("UrlHelp"), DefaultValueFactory = _ => "http://127.0.0.1:5080" };
        url.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !TryRoot(text, out _))
            {
                result.AddError(Texts.Of("NotAnAddress", text));
            }
        });
        var user = new Option<string>("--user") { Description = Texts.Of("UserHelp"), DefaultValueFactory = _ => "admin" };
        var dryRun = new Option<bool>("--dry-run") { Description = Texts.Of("DryRunHelp") };
        var reports = new Option<DirectoryInfo?>("--reports") { Description = Texts.Of("ReportsHelp") };
        var command = new Command("import", Texts.Of("ImportHelp")) { folder, mapping, url, user, dryRun, reports };
        command.SetAction(async (parsed, ct) =>
        {
            using var http = new HttpClient { BaseAddress = TryRoot(parsed.GetValue(url)!, out var root) ? root : null, Timeout = TimeSpan.FromMinutes(10) };
            return await RunAsync(
                Terminal(),
                http,
                new ImportArguments(parsed.GetValue(folder)!.FullName, parsed.GetValue(mapping)!.FullName, parsed.GetValue(user)!, Password(), parsed.GetValue(dryRun), parsed.GetValue(reports)?.FullName),
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
            await client.SignInAsync(arguments.User, arguments.Password ?? Ask(console, arguments.User), ct);
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

    // In a file or a pipe there is no width to fit into and nobody to see colours.
    private static IAnsiConsole Terminal()
    {
        if (!Console.IsOutputRedirected)
        {
            return AnsiConsole.Console;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No });
        console.Profile.Width = 160;
        return console;
    }

    private static string Ask(IAnsiConsole console, string user) => console.Profile.Capabilities.Interactive && !Console.IsInputRedirected
        ? console.Prompt(new TextPrompt<string>(Markup.Escape(Texts.Of("Password", user))).Secret(null))
        : throw new CliException(Texts.Of("NoPassword", PasswordVariable));

    // A password on the command line would stand in the list of processes and in the shell's history.
    private static string? Password() => Environment.GetEnvironmentVariable(PasswordVariable) is { Length: > 0 } password ? password : null;

    private static bool TryRoot(string text, [NotNullWhen(true)] out Uri? root) =>
        Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out root) && (root.Scheme == Uri.UriSchemeHttp || root.Scheme == Uri.UriSchemeHttps);
}

/// <summary>What the command was given.</summary>
internal sealed record ImportArguments(string Folder, string MappingFile, string User, string? Password, bool DryRun, string? ReportsFolder);
