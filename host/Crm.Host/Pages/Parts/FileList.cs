using Crm.Records.Files;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Pages.Parts;

/// <summary>The files of one record, newest first, page by page.</summary>
/// <param name="records">The door, as whoever reads.</param>
/// <param name="metadata">The definitions as they see them.</param>
/// <param name="store">The contents.</param>
/// <param name="about">The record.</param>
internal sealed class FileList(IRecordService records, IMetadata metadata, FileStore store, RecordRef about)
{
    /// <summary>The entity.</summary>
    public const string Entity = "file";

    /// <summary>The field with the file.</summary>
    public const string Content = "content";

    /// <summary>Longest text that is shown, in characters.</summary>
    public const int MaxPreview = 100_000;

    /// <summary>The type of files that browsers show by what they have for it.</summary>
    public const string Pdf = "application/pdf";

    // What is longer takes a while to read, and nobody reads it in a dialog.
    private const long MaxPreviewBytes = 1024 * 1024;

    private static readonly string[] TextTypes = ["application/json", "application/xml", "application/yaml", "application/x-yaml"];

    private readonly List<Record> items = [];
    private string? next;

    public IReadOnlyList<Record> Items => items;

    public bool HasMore => next is not null;

    /// <summary>Who added them, by id.</summary>
    public RecordTitles Authors { get; } = new();

    /// <summary>Reads the first files, or those that follow.</summary>
    public async Task ReadAsync(CancellationToken ct = default)
    {
        var page = await records.QueryAsync(PartRecords.Query(Entity, about, [new Sort("created_at", Descending: true)], next), ct);
        next = page.Next;
        items.AddRange(page.Records.Where(r => items.TrueForAll(known => known.Id != r.Id)));
        await LearnAsync(page.Records, ct);
    }

    /// <summary>Adds what was uploaded.</summary>
    /// <param name="upload">The answer of the upload, as JSON.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Why it was not added; null when it was.</returns>
    public async Task<string?> AddAsync(string upload, CancellationToken ct = default)
    {
        var result = await records.SaveAsync(RecordChange.Create(Entity, new Dictionary<string, object?>(StringComparer.Ordinal) { ["about"] = about, [Content] = upload }) with { Source = "form" }, ct);
        if (result.Record is not { } added)
        {
            return string.Join(' ', result.Errors.Select(e => e.Message));
        }

        items.Insert(0, added);
        await LearnAsync([added], ct);
        return null;
    }

    /// <summary>Deletes a file; it is in the recycle bin.</summary>
    /// <returns>Why it could not be; null when it is gone.</returns>
    public async Task<string?> DeleteAsync(Record file, CancellationToken ct = default)
    {
        var result = await records.SaveAsync(RecordChange.Delete(Entity, file.Id) with { Source = "form" }, ct);
        if (!result.Succeeded && result.Errors.All(e => e.Code != ErrorCodes.NotFound))
        {
            return string.Join(' ', result.Errors.Select(e => e.Message));
        }

        items.Remove(file);
        return null;
    }

    /// <summary>Shows a file again that was deleted.</summary>
    public async Task ReturnAsync(Guid id, CancellationToken ct = default)
    {
        if (await records.FindAsync(Entity, id, ct) is { } back && items.TrueForAll(known => known.Id != id))
        {
            var place = items.FindIndex(known => known.Get<DateTimeOffset>("created_at") <= back.Get<DateTimeOffset>("created_at"));
            items.Insert(place < 0 ? items.Count : place, back);
        }
    }

    /// <summary>Whether a file can be looked at without saving it: pictures, PDFs, and texts.</summary>
    public static bool CanPreview(FileValue file) => FileType.Images.Contains(file.ContentType) || file.ContentType == Pdf || IsText(file);

    /// <summary>Whether it is a text, and not too long to be looked at.</summary>
    public static bool IsText(FileValue file) => file.Size <= MaxPreviewBytes && (file.ContentType.StartsWith("text/", StringComparison.Ordinal) || TextTypes.Contains(file.ContentType));

    /// <summary>The text of a file; null when it is gone or may not be read any more.</summary>
    public async Task<string?> TextAsync(Guid id, CancellationToken ct = default)
    {
        if (await records.FindAsync(Entity, id, ct) is not { } record || record[Content] is not FileValue file || !IsText(file) || await store.ReadAsync(file.Id, ct) is not { } content)
        {
            return null;
        }

        using var reader = new StreamReader(new MemoryStream(content), detectEncodingFromByteOrderMarks: true);
        var buffer = new char[MaxPreview];
        return new string(buffer, 0, await reader.ReadBlockAsync(buffer, ct));
    }

    /// <summary>Whether a file is one to be shown as a PDF: it is called one, and begins like one.</summary>
    public static bool IsPdf(FileValue file, ReadOnlySpan<byte> content) => file.ContentType == Pdf && content.StartsWith("%PDF-"u8);

    /// <summary>Whether a file is one to be shown as a PDF; not when it is gone or may not be read any more.</summary>
    public async Task<bool> IsPdfAsync(Guid id, CancellationToken ct = default) =>
        await records.FindAsync(Entity, id, ct) is { } record && record[Content] is FileValue file && await store.BeginningAsync(file.Id, ct) is { } content && IsPdf(file, content);

    private Task LearnAsync(IEnumerable<Record> files, CancellationToken ct) =>
        Authors.LearnAsync(records, metadata.Current, files.Select(f => ((string?)"user", f["created_by"])), ct);
}
