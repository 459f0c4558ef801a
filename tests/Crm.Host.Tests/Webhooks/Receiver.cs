using System.Net;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Crm.Host.Tests.Webhooks;

/// <summary>Somebody else's program that is told of changes.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly HttpListener listener;
    private readonly Channel<Received> received = Channel.CreateUnbounded<Received>();
    private readonly Task loop;

    public Receiver()
    {
        // A port that is free now may be taken a moment later; then the next one is tried.
        for (var attempt = 0; ; attempt++)
        {
            Url = new Uri($"http://127.0.0.1:{Random.Shared.Next(20_000, 60_000)}/hook/");
            // One that could not start cannot be used again.
            listener = new HttpListener { Prefixes = { Url.AbsoluteUri } };
            try
            {
                listener.Start();
                break;
            }
            catch (HttpListenerException) when (attempt < 20)
            {
                listener.Close();
            }
        }

        loop = Task.Run(ListenAsync);
    }

    public Uri Url { get; }

    /// <summary>How each request is answered.</summary>
    public Func<Received, int> Answer { get; set; } = _ => 204;

    /// <summary>Where a redirect leads.</summary>
    public Uri? Location { get; set; }

    public async Task<Received> NextAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        return await received.Reader.ReadAsync(timeout.Token);
    }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await loop;
        listener.Close();
    }

    private async Task ListenAsync()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception problem) when (problem is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var reader = new StreamReader(context.Request.InputStream);
            var request = new Received(
                context.Request.Headers["webhook-id"]!, context.Request.Headers["webhook-timestamp"]!, context.Request.Headers["webhook-signature"]!, await reader.ReadToEndAsync());
            context.Response.StatusCode = Answer(request);
            if (Location is not null)
            {
                context.Response.RedirectLocation = Location.AbsoluteUri;
            }

            context.Response.Close();
            await received.Writer.WriteAsync(request);
        }
    }
}

/// <summary>What was sent.</summary>
internal sealed record Received(string Id, string Timestamp, string Signature, string Body)
{
    public JsonNode Data => JsonNode.Parse(Body)!["data"]!;

    public string Type => JsonNode.Parse(Body)!["type"]!.GetValue<string>();
}
