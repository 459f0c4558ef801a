using System.Text;
using Crm.Records.Importing;
using Crm.Sdk;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Crm.Host.Api;

/// <summary>The body of an import request: the file goes to the database as it comes in, the other parts are small texts.</summary>
internal sealed class ImportUpload
{
    private const int MaxFieldBytes = 1024 * 1024;
    private const int MaxFields = 20;

    // A client that sends too much is heard out up to here, so that it gets to read the answer instead of a broken connection.
    private const long MaxIgnoredBytes = 512L * 1024 * 1024;

    private readonly Dictionary<string, string> fields = new(StringComparer.OrdinalIgnoreCase);

    private ImportUpload()
    {
    }

    /// <summary>The stored file; null when the request brought none.</summary>
    public StoredFile? File { get; private set; }

    /// <summary>A part of the form, or of the query string; null when neither has it.</summary>
    public string? this[string name] => fields.GetValueOrDefault(name);

    /// <summary>Reads the request.</summary>
    /// <exception cref="ImportFileException">The file cannot be stored.</exception>
    /// <exception cref="ApiException">The body is no form.</exception>
    public static async Task<ImportUpload> ReadAsync(HttpContext context, ImportFiles files, Actor actor, CancellationToken ct)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= 100 } boundary)
        {
            throw new ApiException(new ApiError(StatusCodes.Status415UnsupportedMediaType, ErrorCodes.BadRequest, ImportTexts.Of("NotAForm")));
        }

        // The limit is our own: it is checked while the file is stored and answered with a reason.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        var upload = new ImportUpload();
        foreach (var (name, value) in context.Request.Query)
        {
            upload.fields[name] = value.ToString();
        }

        try
        {
            await upload.ReadPartsAsync(new MultipartReader(boundary.ToString(), context.Request.Body), files, actor, ct);
            return upload;
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException && !ct.IsCancellationRequested)
        {
            await upload.DiscardAsync(files);
            throw new ApiException(ApiError.BadRequest(ImportTexts.Of("BrokenForm")));
        }
        catch
        {
            await upload.DiscardAsync(files);
            await IgnoreRestAsync(context.Request.Body, ct);
            throw;
        }
    }

    /// <summary>Removes the file again: nothing came of the request.</summary>
    public Task DiscardAsync(ImportFiles files) => File is { } file ? files.DeleteAsync(file.Id) : Task.CompletedTask;

    private async Task ReadPartsAsync(MultipartReader parts, ImportFiles files, Actor actor, CancellationToken ct)
    {
        while (await parts.ReadNextSectionAsync(ct) is { } part)
        {
            if (!ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out var disposition))
            {
                continue;
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
            if (disposition.IsFileDisposition() || name == "file")
            {
                if (File is not null)
                {
                    throw new ApiException(ApiError.BadRequest(ImportTexts.Of("OneFile"), "file"));
                }

                var fileName = disposition.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName);
                File = await files.SaveAsync(part.Body, fileName.ToString(), actor, ct);
            }
            else
            {
                fields[name] = await ReadFieldAsync(part.Body, name, ct);
                if (fields.Count > MaxFields)
                {
                    throw new ApiException(ApiError.BadRequest(ImportTexts.Of("TooManyFields")));
                }
            }
        }
    }

    private static async Task<string> ReadFieldAsync(Stream body, string name, CancellationToken ct)
    {
        var buffer = new byte[MaxFieldBytes + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return length <= MaxFieldBytes
            ? Encoding.UTF8.GetString(buffer, 0, length)
            : throw new ApiException(new ApiError(StatusCodes.Status413PayloadTooLarge, ErrorCodes.BadRequest, ImportTexts.Of("FieldTooLarge", name), name));
    }

    private static async Task IgnoreRestAsync(Stream body, CancellationToken ct)
    {
        try
        {
            var buffer = new byte[64 * 1024];
            for (var ignored = 0L; ignored < MaxIgnoredBytes;)
            {
                var length = await body.ReadAsync(buffer, ct);
                if (length == 0)
                {
                    return;
                }

                ignored += length;
            }
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException or BadHttpRequestException)
        {
            // The client went away or was too slow; the reason of the refusal stands.
        }
    }
}
