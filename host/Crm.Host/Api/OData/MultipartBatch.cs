using System.Text;
using Microsoft.Net.Http.Headers;

namespace Crm.Host.Api.OData;

/// <summary>
/// Reads a batch in the form of OData 4.0, a message of parts that are HTTP requests; a part that is a message itself is a change set.
/// The framework's reader is not used because it knows no lines that end with a line feed alone, which the OData library writes outside of Windows.
/// </summary>
internal static class MultipartBatch
{
    /// <summary>What separates the parts; null when the request is none of this form.</summary>
    public static string? Boundary(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && IsMultipart(type) ? BoundaryOf(type) : null;

    /// <summary>Reads the requests.</summary>
    public static async Task<List<BatchItem>> ReadAsync(HttpRequest request, string boundary)
    {
        RecordBody.Limit(request);
        using var content = new MemoryStream();
        await request.Body.CopyToAsync(content, request.HttpContext.RequestAborted);
        var items = new List<BatchItem>();
        Read(content.ToArray(), boundary, null, Urls.Root(request), items);
        return items;
    }

    private static void Read(ReadOnlyMemory<byte> message, string boundary, string? group, string root, List<BatchItem> items)
    {
        foreach (var part in Parts(message, boundary, items))
        {
            var rest = part;
            var headers = Headers(ref rest, items);
            if (!MediaTypeHeaderValue.TryParse(headers.GetValueOrDefault("Content-Type"), out var type))
            {
                throw Wrong(items, "has no Content-Type");
            }

            if (IsMultipart(type))
            {
                if (group is not null)
                {
                    throw Wrong(items, "is a change set inside a change set");
                }

                Read(rest, BoundaryOf(type), $"change set at {items.Count + 1}", root, items);
            }
            else if (type.MediaType.Equals("application/http", StringComparison.OrdinalIgnoreCase))
            {
                items.Add(items.Count < Batch.MaxRequests ? Item(rest, headers.GetValueOrDefault("Content-ID"), group, root, items) : throw Batch.TooMany());
            }
            else
            {
                throw Wrong(items, $"is '{type.MediaType}' instead of application/http");
            }
        }
    }

    // What stands between the lines that begin with the boundary; the end of the line before one belongs to it.
    private static List<ReadOnlyMemory<byte>> Parts(ReadOnlyMemory<byte> message, string boundary, List<BatchItem> items)
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        var begin = -1;
        for (var at = 0; at < message.Length;)
        {
            var rest = message[at..];
            var line = Line(ref rest).TrimEnd(' ', '\t');
            var next = message.Length - rest.Length;
            var isLast = line == $"--{boundary}--";
            if (isLast || line == "--" + boundary)
            {
                if (begin >= 0)
                {
                    var part = message[begin..at];
                    parts.Add(part.Span.EndsWith("\r\n"u8) ? part[..^2] : part[..Math.Max(0, part.Length - 1)]);
                }

                if (isLast)
                {
                    return parts;
                }

                begin = next;
            }

            at = next;
        }

        throw Wrong(items, "is cut off: the line that ends it is missing");
    }

    private static BatchItem Item(ReadOnlyMemory<byte> message, string? id, string? group, string root, List<BatchItem> items)
    {
        var rest = message;
        if (Line(ref rest).Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var method, var url, "HTTP/1.1" or "HTTP/1.0" or "HTTP/2"])
        {
            throw Wrong(items, "does not begin with a method, an address and HTTP/1.1");
        }

        var headers = Headers(ref rest, items);
        id ??= headers.GetValueOrDefault("Content-ID");
        // Ids of parts without one: nobody can refer to them, and nobody is told.
        return new BatchItem(id ?? $"part {items.Count + 1}", method.ToUpperInvariant(), url, group, headers, rest.IsEmpty ? null : rest, root) { IsNamed = id is not null };
    }

    private static Dictionary<string, string> Headers(ref ReadOnlyMemory<byte> rest, List<BatchItem> items)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (Line(ref rest) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw Wrong(items, $"has the header '{line}', which has no name");
            }

            headers[line[..colon].Trim()] = line[(colon + 1)..].Trim();
        }

        return headers;
    }

    private static string Line(ref ReadOnlyMemory<byte> rest)
    {
        var end = rest.Span.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return Encoding.UTF8.GetString(line.Span).TrimEnd('\r');
    }

    private static bool IsMultipart(MediaTypeHeaderValue type) => type.MediaType.Equals("multipart/mixed", StringComparison.OrdinalIgnoreCase);

    private static string BoundaryOf(MediaTypeHeaderValue type) =>
        HeaderUtilities.RemoveQuotes(type.Boundary).ToString() is { Length: > 0 and <= 70 } boundary
            ? boundary
            : throw new ApiException(ApiError.BadRequest("multipart/mixed needs a boundary of at most 70 characters.", "Content-Type"));

    private static ApiException Wrong(List<BatchItem> items, string what) => new(ApiError.BadRequest($"Part {items.Count + 1} of the batch {what}.", "requests"));
}
