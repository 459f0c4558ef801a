using System.CommandLine;
using System.Text.Json;
using Spectre.Console;

namespace Crm.Cli;

/// <summary><c>crm metadata</c>: customisations out of a CRM into a folder or zip, and from there into another one; made for pipelines.</summary>
internal static class MetadataCommand
{
    /// <summary>There is nothing to do.</summary>
    public const int Same = 0;

    /// <summary>Something went wrong; nothing was changed.</summary>
    public const int Failed = 1;

    /// <summary>There is something to do, or something was done.</summary>
    public const int Different = 2;

    public static Command Create()
    {
        var path = new Argument<FileSystemInfo>("path") { Description = Texts.Of("PackageHelp") };
        var complete = new Option<bool>("--complete") { Description = Texts.Of("CompleteHelp") };
        return new Command("metadata", Texts.Of("MetadataHelp"))
        {
            Make("export", path, null, (console, client, folder, _, ct) => ExportAsync(console, client, folder, ct)),
            Make("plan", path, complete, (console, client, folder, all, ct) => ImportAsync(console, client, folder, all, isPlan: true, ct)),
            Make("apply", path, complete, (console, client, folder, all, ct) => ImportAsync(console, client, folder, all, isPlan: false, ct)),
        };
    }

    private static Command Make(string name, Argument<FileSystemInfo> path, Option<bool>? complete, Func<IAnsiConsole, CrmClient, string, bool, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, Texts.Of("Metadata_" + name)) { path };
        var connection = Connection.AddTo(command);
        if (complete is not null)
        {
            command.Add(complete);
        }

        command.SetAction(async (parsed, ct) =>
        {
            var console = Connection.Terminal();
            try
            {
                using var http = connection.Http(parsed);
                var client = new CrmClient(http);
                await connection.SignInAsync(parsed, console, client, ct);
                return await run(console, client, parsed.GetValue(path)!.FullName, complete is not null && parsed.GetValue(complete), ct);
            }
            catch (CliException problem)
            {
                console.MarkupLineInterpolated($"[red]{problem.Message}[/]");
                return Failed;
            }
        });
        return command;
    }

    private static async Task<int> ExportAsync(IAnsiConsole console, CrmClient client, string path, CancellationToken ct)
    {
        var written = PackageFolder.Write(path, await client.ExportMetadataAsync(ct));
        console.MarkupLineInterpolated($"{(written == 0 ? Texts.Of("ExportSame", path) : Texts.Of("Exported", written, path))}");
        return written == 0 ? Same : Different;
    }

    private static async Task<int> ImportAsync(IAnsiConsole console, CrmClient client, string path, bool isComplete, bool isPlan, CancellationToken ct)
    {
        var answer = await client.ImportMetadataAsync(PackageFolder.Read(path), isComplete, isPlan, ct);
        var steps = answer.GetProperty("steps").EnumerateArray().ToList();
        foreach (var warning in answer.GetProperty("warnings").EnumerateArray())
        {
            console.MarkupLineInterpolated($"[yellow]{Texts.Of("Warning", warning.GetProperty("message").GetString())}[/]");
        }

        foreach (var step in steps)
        {
            console.MarkupLineInterpolated($"{step.GetProperty("text").GetString()}{Rows(step)}");
        }

        console.MarkupLineInterpolated($"{Summary(steps.Count, isPlan, answer.GetProperty("version").GetInt64())}");
        return steps.Count == 0 ? Same : Different;
    }

    private static string Rows(JsonElement step) =>
        step.TryGetProperty("rows", out var rows) && rows.ValueKind == JsonValueKind.Number && rows.GetInt64() > 0 ? Texts.Of("StepRows", rows.GetInt64()) : "";

    private static string Summary(int steps, bool isPlan, long version) =>
        steps == 0 ? Texts.Of("NothingToDo") : isPlan ? Texts.Of("Planned", steps) : Texts.Of("Applied", steps, version);
}
