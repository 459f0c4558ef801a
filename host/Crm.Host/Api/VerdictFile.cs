using Crm.Host.Exporting;
using Crm.Records.Importing;
using Crm.Records.Jobs;

namespace Crm.Host.Api;

/// <summary>The file of an import with the verdict on each of its rows: what is wrong is mended there and imported again.</summary>
internal static class VerdictFile
{
    private const int Page = 1000;

    /// <summary>Writes it: the columns of the file, then what became of the row, its record, and why.</summary>
    /// <exception cref="ImportFileException">The file is not there any more.</exception>
    public static async Task WriteAsync(HttpContext context, Job job, int? severity, VerdictStore verdicts, ImportFiles files)
    {
        var ct = context.RequestAborted;
        var request = JobView.Of(job).Import!;
        if (await files.FindAsync(request.File, ct) is null)
        {
            throw new ApiException(ApiError.NotFound(ImportTexts.Of("FileGone", request.FileName), "format"));
        }

        await using var table = await files.OpenTableAsync(request.File, request.Encoding, request.Delimiter, request.Sheet, ct);
        await using var sheet = new CsvSheet(context.Response.Body, request.Sheet is null ? request.Delimiter : ',', hasMark: true, null, TimeZoneInfo.Utc);
        context.Response.ContentType = sheet.ContentType;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"import-rows-{job.Id}.csv\"";
        await sheet.BeginAsync([.. table.Headers, ImportTexts.Of("Verdict"), ImportTexts.Of("Record"), ImportTexts.Of("Reason")], ct);
        var row = await table.ReadAsync(ct);
        for (var after = 0L; ;)
        {
            var page = await verdicts.ReadAsync(job.Id, severity, after, Page, ct);
            foreach (var verdict in page)
            {
                while (row is not null && row.Number < verdict.Row)
                {
                    row = await table.ReadAsync(ct);
                }

                if (row?.Number == verdict.Row)
                {
                    await sheet.RowAsync([.. row.Values, VerdictStore.Name(verdict.Outcome), verdict.RecordId?.ToString(), string.Join(' ', verdict.Issues.Select(i => i.Message))], ct);
                }
            }

            await sheet.FlushAsync(ct);
            if (page.Length < Page)
            {
                await sheet.EndAsync(ct);
                return;
            }

            after = page[^1].Row;
        }
    }
}
