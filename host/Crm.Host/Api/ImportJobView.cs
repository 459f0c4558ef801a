using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crm.Records.Importing;
using Crm.Records.Jobs;

namespace Crm.Host.Api;

/// <summary>A job as the API shows it.</summary>
internal sealed record ImportJobView(Guid Id, string Kind, JobState State, long Position, long? Total)
{
    /// <summary>How it is written: snake_case, as records are.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public string? Error { get; init; }

    public bool CancelRequested { get; init; }

    public Guid CreatedBy { get; init; }

    public string CreatedByName { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>What was asked for; null for jobs that are no imports.</summary>
    public ImportRequest? Import { get; init; }

    /// <summary>What was done so far; null for jobs that are no imports.</summary>
    public ImportReport? Report { get; init; }

    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public static ImportJobView Of(Job job)
    {
        var isImport = job.Kind == "import";
        var self = string.Create(CultureInfo.InvariantCulture, $"/api/jobs/{job.Id}");
        return new ImportJobView(job.Id, job.Kind, job.State, job.Position, job.Total)
        {
            Error = job.Error,
            CancelRequested = job.CancelRequested,
            CreatedBy = job.CreatedBy,
            CreatedByName = job.CreatedByName,
            CreatedAt = job.CreatedAt,
            StartedAt = job.StartedAt,
            FinishedAt = job.FinishedAt,
            Import = isImport ? JsonSerializer.Deserialize<ImportRequest>(job.Payload, ImportMapping.Json) : null,
            Report = isImport ? ReportOf(job) : null,
            Links = new Dictionary<string, string>(StringComparer.Ordinal) { ["self"] = self, ["verdicts"] = self + "/verdicts", ["cancel"] = self + "/cancel" },
        };
    }

    public static ImportReport ReportOf(Job job) => job.Report is { } json ? JsonSerializer.Deserialize<ImportReport>(json, ImportMapping.Json)! : new ImportReport();
}
