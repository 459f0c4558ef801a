using Crm.Records;
using Microsoft.AspNetCore.Http.Features;

namespace Crm.Host.Security;

/// <summary>
/// Refuses bodies that are too large in a way the caller gets to read. The server's own limit closes the connection while the caller still sends,
/// and most clients then report a broken connection instead of the answer. So the server accepts more than we read: it hears out the rest by itself.
/// </summary>
internal sealed class BodyLimit(RequestDelegate next)
{
    /// <summary>Largest body, in bytes: most requests are a record; what takes files lifts it for its request.</summary>
    public const long Default = 1024 * 1024;

    /// <summary>What the server takes, read or not, in bytes; above it the connection is closed.</summary>
    public const long HeardOut = 64 * 1024 * 1024;

    public Task InvokeAsync(HttpContext context)
    {
        var features = context.Features;
        if (features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true } && features.Get<IHttpMaxRequestBodySizeFeature>() is { } server)
        {
            var body = new LimitedBody(context.Request.Body, context.Request.ContentLength, server);
            features.Set<IHttpMaxRequestBodySizeFeature>(body);
            context.Request.Body = body;
        }

        return next(context);
    }

    private sealed class LimitedBody(Stream inner, long? announced, IHttpMaxRequestBodySizeFeature server) : ReadStream, IHttpMaxRequestBodySizeFeature
    {
        private long? limit = Default;
        private long length;
        private bool started;

        public bool IsReadOnly => started || server.IsReadOnly;

        public long? MaxRequestBodySize
        {
            get => limit;
            set
            {
                if (started)
                {
                    throw new InvalidOperationException("The body is being read.");
                }

                limit = value;
                server.MaxRequestBodySize = value is { } bytes ? Math.Max(bytes, HeardOut) : null;
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Start();
            return Count(await inner.ReadAsync(buffer, cancellationToken));
        }

        private void Start()
        {
            started = true;
            if (announced > limit)
            {
                throw TooLarge();
            }
        }

        private int Count(int bytes)
        {
            length += bytes;
            return length <= (limit ?? long.MaxValue) ? bytes : throw TooLarge();
        }

        private static BadHttpRequestException TooLarge() => new("The body of the request is too large.", StatusCodes.Status413PayloadTooLarge);
    }
}
