using System.Runtime.InteropServices;
using System.Text.Json;

namespace Crm.Host.Api.OData;

/// <summary>One request of a batch.</summary>
/// <param name="Id">Given by the client, to tell the answers apart.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Url">As the client wrote it.</param>
/// <param name="Group">Its atomicity group.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Body">Its body as it came; null for none.</param>
/// <param name="Root">The service root.</param>
internal sealed record BatchItem(string Id, string Method, string Url, string? Group, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte>? Body, string Root)
{
    /// <summary>Whether the client gave the id; in the form of many parts it need not.</summary>
    public bool IsNamed { get; init; } = true;

    public static BatchItem Read(JsonElement json, HttpRequest request)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new ApiException(ApiError.BadRequest("Each request of a batch must be an object.", "requests"));
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (json.TryGetProperty("headers", out var given) && given.ValueKind == JsonValueKind.Object)
        {
            foreach (var header in given.EnumerateObject())
            {
                headers[header.Name] = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString()! : header.Value.GetRawText();
            }
        }

        return new BatchItem(
            Text(json, "id") ?? throw Missing("id"),
            (Text(json, "method") ?? throw Missing("method")).ToUpperInvariant(),
            Text(json, "url") ?? throw Missing("url"),
            Text(json, "atomicityGroup"),
            headers,
            json.TryGetProperty("body", out var body) && body.ValueKind != JsonValueKind.Null ? JsonMarshal.GetRawUtf8Value(body).ToArray() : null,
            Urls.Root(request));
    }

    /// <summary>Path behind the service root and query of the request, with a reference to an earlier request followed.</summary>
    public (string Path, string Query) Resolve(IReadOnlyDictionary<string, string> made)
    {
        var url = Url;
        if (url is ['$', .. var reference] && reference.Split(['/', '?'])[0] is var id && made.TryGetValue(id, out var location))
        {
            url = location + reference[id.Length..];
        }

        url = Behind(url, Root + "/") ?? Behind(url, new Uri(Root).AbsolutePath + "/") ?? url;
        if (url.StartsWith('/') || url.StartsWith('\\') || Uri.TryCreate(url, UriKind.Absolute, out _))
        {
            throw new ApiException(ApiError.BadRequest($"The requests of a batch go to {Root}; '{url}' does not.", "url"));
        }

        var end = url.IndexOf('?', StringComparison.Ordinal);
        return end < 0 ? (Uri.UnescapeDataString(url), "") : (Uri.UnescapeDataString(url[..end]), url[end..]);
    }

    private static string? Behind(string url, string root) => url.StartsWith(root, StringComparison.OrdinalIgnoreCase) ? url[root.Length..] : null;

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.Null => null,
        _ => throw new ApiException(ApiError.BadRequest($"'{name}' of a request must be a text.", name)),
    } : null;

    private static ApiException Missing(string name) => new(ApiError.BadRequest($"A request of the batch has no '{name}'.", name));
}
