using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>Writes records into a response.</summary>
internal static class ODataResponse
{
    public const string ContentType = "application/json;odata.metadata=minimal;charset=utf-8";

    private const int FlushAt = 32 * 1024;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly JsonEncodedText Context = JsonEncodedText.Encode("@odata.context");
    private static readonly JsonEncodedText Count = JsonEncodedText.Encode("@odata.count");
    private static readonly JsonEncodedText ETag = JsonEncodedText.Encode("@odata.etag");
    private static readonly JsonEncodedText NextLink = JsonEncodedText.Encode("@odata.nextLink");
    private static readonly JsonEncodedText Value = JsonEncodedText.Encode("value");

    /// <summary>Refuses a format this service does not write.</summary>
    public static void CheckFormat(HttpRequest request)
    {
        if (request.Query.TryGetValue("$format", out var format) && !format.ToString().StartsWith("json", StringComparison.OrdinalIgnoreCase)
            && !format.ToString().StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new ApiException(new ApiError(StatusCodes.Status406NotAcceptable, ErrorCodes.BadRequest, "Records are written as JSON only.", "$format"));
        }
    }

    public static async Task WriteRecordAsync(HttpContext context, int status, Projection projection, string fragment, Record record)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = ContentType;
        response.Headers.ETag = Urls.Tag(record.Version);
        Record(response.BodyWriter, context.Request, projection, fragment, record);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>The JSON of one record.</summary>
    public static ReadOnlyMemory<byte> Record(HttpRequest request, Projection projection, string fragment, Record record)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Record(buffer, request, projection, fragment, record);
        return buffer.WrittenMemory;
    }

    private static void Record(IBufferWriter<byte> output, HttpRequest request, Projection projection, string fragment, Record record)
    {
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteString(Context, $"{Urls.Root(request)}/$metadata#{fragment}/$entity");
        json.WriteString(ETag, Urls.Tag(record.Version));
        projection.Write(json, record);
        json.WriteEndObject();
    }

    public static async Task WritePageAsync(HttpContext context, ListRequest list, RecordPage page)
    {
        var response = context.Response;
        response.ContentType = ContentType;
        await using (var json = new Utf8JsonWriter(response.BodyWriter, Options))
        {
            json.WriteStartObject();
            json.WriteString(Context, $"{Urls.Root(context.Request)}/$metadata#{list.Context}");
            if (page.Count is { } count)
            {
                json.WriteNumber(Count, count);
                if (list.Query.Estimate)
                {
                    json.WriteBoolean("@crm.countIsEstimate", page.IsEstimate);
                }
            }

            json.WriteStartArray(Value);
            var sent = 0L;
            foreach (var record in page.Records)
            {
                json.WriteStartObject();
                if (!list.IsLinked)
                {
                    json.WriteString(ETag, Urls.Tag(record.Version));
                }

                list.Projection.Write(json, record);
                json.WriteEndObject();
                if (json.BytesPending + json.BytesCommitted - sent > FlushAt)
                {
                    json.Flush();
                    sent = json.BytesCommitted;
                    await response.BodyWriter.FlushAsync(context.RequestAborted);
                }
            }

            json.WriteEndArray();
            if (list.NextLink(context.Request, page) is { } next)
            {
                json.WriteString(NextLink, next);
            }

            json.WriteEndObject();
        }

        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
