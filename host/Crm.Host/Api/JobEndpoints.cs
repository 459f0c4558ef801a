using System.Globalization;
using Crm.Host.Security;
using Crm.Records.Exporting;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;
using CsvHelper;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>How jobs are doing, what they did with each row, and stopping them. Users see their own jobs, narrowed keys those they started, administrators all.</summary>
internal static class JobEndpoints
{
    private const int MaxPage = 1000;

    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/jobs/{id}").RequireAuthorization().OpenToNarrowedKeys().WithTags("jobs");
        group.MapGet("", (Delegate)GetAsync).WithSummary("How a job is doing");
        group.MapGet("/verdicts", (Delegate)VerdictsAsync).WithSummary("What a job did with each row")
            .WithDescription("only=errors|warnings; after and top for pages; format=csv for the whole report as a file, format=rows for the rows of an import with their verdicts.");
        routes.MapGet("/api/jobs", async (string? kind, string? state, Guid? before, int? top, [FromServices] JobQueue jobs, [FromServices] CurrentActor actor, CancellationToken ct) =>
                Results.Json(new { value = (await jobs.ListAsync(new JobFilter { Kind = kind, State = State(state), Before = before, Top = Math.Clamp(top ?? 50, 1, MaxPage) }, actor.Value, ct)).Select(JobView.Of) }, JobView.Json))
            .RequireAuthorization().OpenToNarrowedKeys().WithTags("jobs").WithSummary("The newest jobs, of a kind or in a state: users see their own, administrators all");
        group.MapPost("/retry", (Delegate)RetryAsync).WithSummary("Try a job again that failed; it goes on where it was");
        group.MapPost("/undo", (Delegate)BulkEndpoints.UndoAsync).WithSummary("Take back an import or a bulk change; records changed since are left alone and reported");
        group.MapPost("/cancel", (Delegate)CancelAsync).WithSummary("Stop a job; what it committed stays");
    }

    private static async Task GetAsync(HttpContext context, string id, JobQueue jobs, CurrentActor actor) =>
        await WriteAsync(context, await FindAsync(id, jobs, actor, context.RequestAborted));

    private static async Task CancelAsync(HttpContext context, string id, JobQueue jobs, CurrentActor actor)
    {
        var job = await FindAsync(id, jobs, actor, context.RequestAborted);
        await WriteAsync(context, await jobs.CancelAsync(job.Id, context.RequestAborted) ?? job);
    }

    private static async Task RetryAsync(HttpContext context, string id, JobQueue jobs, CurrentActor actor)
    {
        var job = await FindAsync(id, jobs, actor, context.RequestAborted);
        if (!await jobs.RetryAsync(job.Id, context.RequestAborted))
        {
            throw new ApiException(new ApiError(StatusCodes.Status409Conflict, ErrorCodes.Conflict, ImportTexts.Of("NoRetry"), "id"));
        }

        await WriteAsync(context, await FindAsync(id, jobs, actor, context.RequestAborted));
    }

    private static JobState? State(string? given) => string.IsNullOrEmpty(given) ? null
        : Enum.GetValues<JobState>().Cast<JobState?>().FirstOrDefault(s => string.Equals(s.ToString(), given, StringComparison.OrdinalIgnoreCase))
        ?? throw new ApiException(ApiError.BadRequest(ImportTexts.Of("UnknownState", given, string.Join(", ", Enum.GetNames<JobState>()).ToLowerInvariant()), "state"));

    private static async Task VerdictsAsync(HttpContext context, string id, JobQueue jobs, VerdictStore verdicts, ImportFiles files, CurrentActor actor)
    {
        var ct = context.RequestAborted;
        var job = await FindAsync(id, jobs, actor, ct);
        var query = context.Request.Query;
        int? severity = query["only"].ToString() switch
        {
            "" => null,
            "errors" => 2,
            "warnings" => 1,
            var other => throw new ApiException(ApiError.BadRequest(ImportTexts.Of("UnknownOnly", other), "only")),
        };
        switch (query["format"].ToString())
        {
            case "csv":
                await WriteCsvAsync(context, job, severity, verdicts, ct);
                return;
            case "rows" when job.Kind == JobView.Importing:
                await VerdictFile.WriteAsync(context, job, severity, verdicts, files);
                return;
            case "" or "json":
                break;
            case var other:
                throw new ApiException(ApiError.BadRequest(ImportTexts.Of("UnknownFormat", other), "format"));
        }

        var after = Number(query, "after", 0, long.MaxValue);
        var top = (int)Number(query, "top", 100, MaxPage);
        var page = await verdicts.ReadAsync(job.Id, severity, after, top, ct);
        var next = page.Length == top && top > 0
            ? string.Create(CultureInfo.InvariantCulture, $"/api/jobs/{job.Id}/verdicts?after={page[^1].Row}&top={top}{(severity is null ? "" : "&only=" + query["only"])}")
            : null;
        await context.Response.WriteAsJsonAsync(new { value = page, next }, JobView.Json, ct);
    }

    private static async Task WriteCsvAsync(HttpContext context, Job job, int? severity, VerdictStore verdicts, CancellationToken ct)
    {
        context.Response.ContentType = "text/csv; charset=utf-8";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{job.Kind}-report-{job.Id}.csv\"";
        await using var csv = CsvWriter.Create(context.Response.Body, new CsvWriterOptions { WriteByteOrderMark = true }, leaveOpen: true);
        foreach (var header in (string[])["line", "outcome", "record_id", "severity", "code", "field", "column", "value", "message"])
        {
            csv.WriteField(header);
        }

        await csv.EndRecordAsync(ct);
        for (var after = 0L; ;)
        {
            var page = await verdicts.ReadAsync(job.Id, severity, after, MaxPage, ct);
            foreach (var verdict in page)
            {
                await WriteRowsAsync(csv, verdict, ct);
            }

            await csv.FlushAsync(ct);
            if (page.Length < MaxPage)
            {
                return;
            }

            after = page[^1].Row;
        }
    }

    private static async Task WriteRowsAsync(CsvWriter csv, RowVerdict verdict, CancellationToken ct)
    {
        foreach (var issue in verdict.Issues.DefaultIfEmpty())
        {
            csv.WriteField(verdict.Line.ToString(CultureInfo.InvariantCulture));
            csv.WriteField(VerdictStore.Name(verdict.Outcome));
            csv.WriteField(verdict.RecordId?.ToString() ?? "");
            csv.WriteField(issue is null ? "" : issue.IsError ? "error" : "warning");
            csv.WriteField(issue?.Code ?? "");
            csv.WriteField(issue?.Field ?? "");
            csv.WriteField(SheetText.Harmless(issue?.Column));
            csv.WriteField(SheetText.Harmless(issue?.Value));
            csv.WriteField(SheetText.Harmless(issue?.Message));
            await csv.EndRecordAsync(ct);
        }
    }

    private static long Number(IQueryCollection query, string name, long missing, long maximum) => query[name].ToString() switch
    {
        "" => missing,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= maximum => number,
        var other => throw new ApiException(ApiError.BadRequest(ImportTexts.Of("NotANumber", name, other), name)),
    };

    /// <summary>A job the user may see; an answer of 404 when there is none.</summary>
    public static async Task<Job> FindAsync(string id, JobQueue jobs, CurrentActor actor, CancellationToken ct) =>
        Guid.TryParse(id, out var key) && await jobs.FindAsync(key, ct) is { } job && job.IsSeenBy(actor.Value)
            ? job
            : throw new ApiException(ApiError.NotFound(ImportTexts.Of("NoJob", id), "id"));

    private static Task WriteAsync(HttpContext context, Job job) => context.Response.WriteAsJsonAsync(JobView.Of(job), JobView.Json, context.RequestAborted);
}
