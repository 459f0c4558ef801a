using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace Crm.Host.Api.OData;

/// <summary>The answer to one request of a batch.</summary>
/// <param name="Item">The request.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Headers">Headers of the answer.</param>
/// <param name="Body">Body of the answer; empty for none.</param>
internal sealed record BatchAnswer(BatchItem Item, int Status, IHeaderDictionary Headers, ReadOnlyMemory<byte> Body)
{
    private static readonly string[] Names = ["ETag", "Location", "Content-Type", "OData-Version", "OData-EntityId", "Preference-Applied", "Allow"];

    /// <summary>Headers the caller is told.</summary>
    public IEnumerable<(string Name, string Value)> Told => Names.Where(Headers.ContainsKey).Select(n => (n, Headers[n].ToString()));
}

/// <summary>Writes the answers of a batch, one after the other.</summary>
internal abstract class BatchWriter
{
    /// <summary>Writes the answers of a single request or of a group.</summary>
    public abstract Task WriteAsync(IReadOnlyList<BatchAnswer> answers, CancellationToken cancellationToken);

    /// <summary>Writes what stands behind the last answer.</summary>
    public abstract Task EndAsync(CancellationToken cancellationToken);
}

/// <summary>Answers as JSON.</summary>
internal sealed class JsonBatchWriter(HttpResponse response) : BatchWriter
{
    private bool isBegun;

    public override async Task WriteAsync(IReadOnlyList<BatchAnswer> answers, CancellationToken cancellationToken)
    {
        foreach (var answer in answers)
        {
            await response.WriteAsync(Separator(), cancellationToken);
            await using (var json = new Utf8JsonWriter(response.BodyWriter, Errors.Unescaped))
            {
                Write(json, answer);
            }

            await response.BodyWriter.FlushAsync(cancellationToken);
        }
    }

    public override Task EndAsync(CancellationToken cancellationToken) => response.WriteAsync("]}", cancellationToken);

    private string Separator()
    {
        if (isBegun)
        {
            return ",";
        }

        isBegun = true;
        response.ContentType = ODataResponse.ContentType;
        return "{\"responses\":[";
    }

    private static void Write(Utf8JsonWriter json, BatchAnswer answer)
    {
        json.WriteStartObject();
        json.WriteString("id", answer.Item.Id);
        if (answer.Item.Group is { } group)
        {
            json.WriteString("atomicityGroup", group);
        }

        json.WriteNumber("status", answer.Status);
        json.WriteStartObject("headers");
        foreach (var (name, value) in answer.Told)
        {
            json.WriteString(name.ToLowerInvariant(), value);
        }

        json.WriteEndObject();
        if (!answer.Body.IsEmpty)
        {
            json.WritePropertyName("body");
            if (answer.Headers.ContentType.ToString().StartsWith("application/json", StringComparison.Ordinal))
            {
                json.WriteRawValue(answer.Body.Span, skipInputValidation: true);
            }
            else
            {
                json.WriteStringValue(answer.Body.Span);
            }
        }

        json.WriteEndObject();
    }
}

/// <summary>Answers as the parts of one message, those of a change set as a message inside it.</summary>
internal sealed class MultipartBatchWriter(HttpResponse response) : BatchWriter
{
    private readonly string boundary = $"batchresponse_{Guid.CreateVersion7():N}";

    public override async Task WriteAsync(IReadOnlyList<BatchAnswer> answers, CancellationToken cancellationToken)
    {
        Begin();
        // A refused change set is answered once, by the request that was at fault.
        if (answers[0].Item.Group is null || answers.Any(a => a.Status >= 400))
        {
            await PartAsync(boundary, answers.FirstOrDefault(a => a.Status is >= 400 and not StatusCodes.Status424FailedDependency) ?? answers[0], cancellationToken);
            return;
        }

        var inner = $"changesetresponse_{Guid.CreateVersion7():N}";
        await response.WriteAsync($"--{boundary}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n", cancellationToken);
        foreach (var answer in answers)
        {
            await PartAsync(inner, answer, cancellationToken);
        }

        await response.WriteAsync($"--{inner}--\r\n", cancellationToken);
    }

    public override Task EndAsync(CancellationToken cancellationToken)
    {
        Begin();
        return response.WriteAsync($"--{boundary}--\r\n", cancellationToken);
    }

    private void Begin()
    {
        if (!response.HasStarted)
        {
            response.ContentType = $"multipart/mixed; boundary={boundary}";
        }
    }

    private async Task PartAsync(string limit, BatchAnswer answer, CancellationToken cancellationToken)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"--{limit}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
        if (answer.Item.IsNamed)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-ID: {answer.Item.Id}\r\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"\r\nHTTP/1.1 {answer.Status} {ReasonPhrases.GetReasonPhrase(answer.Status)}\r\n");
        foreach (var (name, value) in answer.Told)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {answer.Body.Length}\r\n\r\n");
        await response.WriteAsync(head.ToString(), cancellationToken);
        await response.Body.WriteAsync(answer.Body, cancellationToken);
        await response.WriteAsync("\r\n", cancellationToken);
    }
}
