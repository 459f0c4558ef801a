using System.Text;
using Microsoft.OData;

namespace Crm.Host.Tests.Api.Clients;

/// <summary>A request or an answer as the OData library sees them.</summary>
internal sealed class WireMessage(HttpMethod method, Uri url) : IODataRequestMessage, IODataResponseMessage, IDisposable
{
    private readonly Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
    private readonly MemoryStream content = new();

    public IEnumerable<KeyValuePair<string, string>> Headers => headers;

    public Uri Url { get; set; } = url;

    public string Method { get; set; } = method.Method;

    public int StatusCode { get; set; }

    public byte[] Bytes => content.ToArray();

    public string Text => Encoding.UTF8.GetString(Bytes);

    public static async Task<WireMessage> ReadAsync(HttpResponseMessage response)
    {
        var message = new WireMessage(response.RequestMessage!.Method, response.RequestMessage.RequestUri!) { StatusCode = (int)response.StatusCode };
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers))
        {
            message.headers[name] = string.Join(',', values);
        }

        await response.Content.CopyToAsync(message.content);
        message.content.Position = 0;
        return message;
    }

    public string? GetHeader(string headerName) => headers.GetValueOrDefault(headerName);

    public void SetHeader(string headerName, string headerValue) => headers[headerName] = headerValue;

    public Stream GetStream() => content;

    public void Dispose() => content.Dispose();
}
