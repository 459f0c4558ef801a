using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>Why a request was refused, as the API says it.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Stable code, see <see cref="ErrorCodes"/>.</param>
/// <param name="Message">For the caller.</param>
/// <param name="Target">The name at fault; null for the whole request.</param>
internal sealed record ApiError(int Status, string Code, string Message, string? Target = null)
{
    /// <summary>Every reason, where there can be several.</summary>
    public ImmutableArray<ValidationError> Details { get; init; } = [];

    /// <summary>The request cannot be read.</summary>
    public static ApiError BadRequest(string message, string? target = null) => new(StatusCodes.Status400BadRequest, ErrorCodes.BadRequest, message, target);

    /// <summary>There is no such thing.</summary>
    public static ApiError NotFound(string message, string? target = null) => new(StatusCodes.Status404NotFound, ErrorCodes.NotFound, message, target);
}

/// <summary>Ends a request with an error.</summary>
internal sealed class ApiException(ApiError error) : Exception(error.Message)
{
    public ApiError Error { get; } = error;
}

/// <summary>The one place that decides which HTTP status an error has and how its body is written.</summary>
internal static class Errors
{
    /// <summary>Quotes and letters of other languages stay readable; the answers are JSON and never part of a page.</summary>
    public static readonly JsonWriterOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The error of a refused save.</summary>
    /// <param name="result">A result that did not succeed.</param>
    /// <param name="conditional">Whether the request carried <c>If-Match</c>: a stale version is then a failed precondition.</param>
    public static ApiError From(SaveResult result, bool conditional = false)
    {
        var first = result.Errors[0];
        return new ApiError(Status(result.Errors, conditional), first.Code, first.Message, first.Field) { Details = result.Errors };
    }

    public static ApiError From(QueryException exception) => new(
        exception.Code switch
        {
            ErrorCodes.UnknownEntity or ErrorCodes.NotFound => StatusCodes.Status404NotFound,
            ErrorCodes.Access => StatusCodes.Status403Forbidden,
            ErrorCodes.Busy => StatusCodes.Status429TooManyRequests,
            _ => StatusCodes.Status400BadRequest,
        },
        exception.Code,
        exception.Message,
        exception.Target);

    // Several errors share one status: what must be solved first decides.
    private static int Status(ImmutableArray<ValidationError> errors, bool conditional)
    {
        bool Any(params ReadOnlySpan<string> codes)
        {
            foreach (var error in errors)
            {
                if (codes.Contains(error.Code))
                {
                    return true;
                }
            }

            return false;
        }

        return Any(ErrorCodes.Access) ? StatusCodes.Status403Forbidden
            : Any(ErrorCodes.NotFound, ErrorCodes.UnknownEntity) ? StatusCodes.Status404NotFound
            : Any(ErrorCodes.Conflict) ? conditional ? StatusCodes.Status412PreconditionFailed : StatusCodes.Status409Conflict
            : Any(ErrorCodes.BadRequest, ErrorCodes.UnknownField) ? StatusCodes.Status400BadRequest
            : Any(ErrorCodes.Unavailable) ? StatusCodes.Status503ServiceUnavailable
            : Any(ErrorCodes.InUse, ErrorCodes.Module, ErrorCodes.Busy, ErrorCodes.Duplicate, ErrorCodes.PossibleDuplicate) ? StatusCodes.Status409Conflict
            : StatusCodes.Status422UnprocessableEntity;
    }

    /// <summary>Writes an error as the whole answer.</summary>
    public static async Task WriteAsync(HttpContext context, ApiError error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        response.Headers.ETag = default;
        response.Headers.Location = default;
        response.ContentType = "application/json;charset=utf-8";
        response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        await using (var json = new Utf8JsonWriter(response.BodyWriter, Unescaped))
        {
            Write(json, error);
        }

        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>The JSON of an error.</summary>
    public static JsonObject ToJson(ApiError error)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            Write(json, error);
        }

        stream.Position = 0;
        return JsonNode.Parse(stream)!.AsObject();
    }

    /// <summary>Writes the JSON of an error.</summary>
    public static void Write(Utf8JsonWriter json, ApiError error)
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        WriteOne(json, error.Code, error.Message, error.Target);
        json.WriteStartArray("details");
        foreach (var detail in error.Details)
        {
            json.WriteStartObject();
            WriteOne(json, detail.Code, detail.Message, detail.Field);
            WriteRecords(json, detail.Records);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRecords(Utf8JsonWriter json, ImmutableArray<RecordRef> records)
    {
        if (records.IsEmpty)
        {
            return;
        }

        json.WriteStartArray("records");
        foreach (var record in records)
        {
            json.WriteStartObject();
            json.WriteString("entity", record.Entity);
            json.WriteString("id", record.Id);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOne(Utf8JsonWriter json, string code, string message, string? target)
    {
        json.WriteString("code", code);
        json.WriteString("message", message);
        if (target is not null)
        {
            json.WriteString("target", target);
        }
    }
}
