using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crm.Records.Bulk;
using Crm.Records.Importing;
using Crm.Records.Jobs;

namespace Crm.Host.Api;

/// <summary>A job as the API shows it.</summary>
internal sealed record JobView(Guid Id, string Kind, JobState State, long Position, long? Total)
{
    /// <summary>Kind of jobs that change many records.</summary>
    public const string Bulk = "bulk";

    /// <summary>Kind of jobs that import files.</summary>
    public const string Importing = "import";

    /// <summary>How it is written: snake_case, as records are.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public string? Error { get; init; }

    public int Attempts { get; init; }

    public bool CancelRequested { get; init; }

    public Guid CreatedBy { get; init; }

    public string CreatedByName { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>What was asked for; null for jobs that are no imports.</summary>
    public ImportRequest? Import { get; init; }

    /// <summary>What was asked for; null for jobs that are no bulk changes.</summary>
    public BulkJob? Change { get; init; }

    /// <summary>What was done so far: an <see cref="ImportReport"/> or a <see cref="BulkReport"/>.</summary>
    public object? Report { get; init; }

    public ImmutableDictionary<string, string> Links { get; init; } = ImmutableDictionary<string, string>.Empty;

    public static JobView Of(Job job)
    {
        var isImport = job.Kind == Importing;
        var isBulk = job.Kind == Bulk;
        var self = string.Create(CultureInfo.InvariantCulture, $"/api/jobs/{job.Id}");
        var links = ImmutableDictionary<string, string>.Empty.Add("self", self).Add("verdicts", self + "/verdicts").Add("cancel", self + "/cancel");
        return new JobView(job.Id, job.Kind, job.State, job.Position, job.Total)
        {
            Error = job.Error,
            Attempts = job.Attempts,
            CancelRequested = job.CancelRequested,
            CreatedBy = job.CreatedBy,
            CreatedByName = job.CreatedByName,
            CreatedAt = job.CreatedAt,
            StartedAt = job.StartedAt,
            FinishedAt = job.FinishedAt,
            Import = isImport ? JsonSerializer.Deserialize<ImportRequest>(job.Payload, ImportMapping.Json) : null,
            Change = isBulk ? BulkService.Read(job) : null,
            Report = isImport ? ReportOf(job) : isBulk ? BulkService.ReportOf(job) : null,
            Links = job.State == JobState.Failed ? links.Add("retry", self + "/retry") : isBulk || isImport ? links.Add("undo", self + "/undo") : links,
        };
    }

    public static ImportReport ReportOf(Job job) => job.Report is { } json ? JsonSerializer.Deserialize<ImportReport>(json, ImportMapping.Json)! : new ImportReport();
}
