using System.Data.Common;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>Gives everything below <c>/odata</c>, <c>/api</c>, <c>/elsa/api</c> and <c>/openapi</c> an error body in one shape, whoever refused the request.</summary>
internal sealed class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    /// <summary>Puts the middleware before everything else, so that refusals of sign-in and routing pass it too.</summary>
    internal sealed class AtTheFront : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseMiddleware<ErrorMiddleware>();
            next(app);
        };
    }

    public Task InvokeAsync(HttpContext context) => IsApi(context.Request.Path) ? GuardAsync(context, next, logger) : next(context);

    /// <summary>Runs a request and turns its failures into answers.</summary>
    public static async Task GuardAsync(HttpContext context, RequestDelegate handler, ILogger logger)
    {
        ApiError? error;
        try
        {
            await handler(context);
            error = context.Response is { HasStarted: false, ContentType: null, StatusCode: >= 400 } ? Bare(context) : null;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            error = ErrorOf(exception, context, logger);
            context.Response.Headers.ContentLength = null;
        }

        if (error is not null)
        {
            await Errors.WriteAsync(context, error);
        }
    }

    /// <summary>What a failure is to the caller; what nobody expected goes into the log.</summary>
    public static ApiError ErrorOf(Exception exception, HttpContext context, ILogger logger) => Translate(exception) ?? Unexpected(context, exception, logger);

    private static bool IsApi(PathString path) =>
        path.StartsWithSegments("/odata", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/openapi", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/elsa/api", StringComparison.OrdinalIgnoreCase)
        || (path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase, out var rest) && rest.HasValue && rest != "/");

    private static ApiError? Translate(Exception exception) => exception switch
    {
        ApiException refused => refused.Error,
        QueryException query => Errors.From(query),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            new ApiError(StatusCodes.Status413PayloadTooLarge, ErrorCodes.BadRequest, "The body of the request is too large."),
        BadHttpRequestException bad when bad.InnerException is JsonException json => Unreadable(json),
        BadHttpRequestException bad => new ApiError(bad.StatusCode, ErrorCodes.BadRequest, bad.Message),
        JsonException json => Unreadable(json),
        // What the database refuses as no text, wherever it stood; everything else it refuses is a fault of ours.
        DbException { SqlState: "22021" or "22P05" } => ApiError.BadRequest("A text holds the character NUL, which cannot be stored."),
        _ => null,
    };

    // Where a value has the wrong type the exception names types of the program, which say nothing to the caller.
    private static ApiError Unreadable(JsonException json) => json.Path is { Length: > 0 } path
        ? ApiError.BadRequest($"The value at {path} of the JSON has the wrong type.", path.TrimStart('$', '.'))
        : ApiError.BadRequest("The JSON cannot be read: " + json.Message);

    private static ApiError Unexpected(HttpContext context, Exception exception, ILogger logger)
    {
        logger.LogError(exception, "Request {Method} {Path} failed ({Id})", context.Request.Method, context.Request.Path.Value, context.TraceIdentifier);
        return new ApiError(StatusCodes.Status500InternalServerError, "internal", $"Something went wrong in the CRM. The log tells more under the id {context.TraceIdentifier}.");
    }

    // A refusal by the framework (no sign-in, unknown path, wrong method) comes without a body.
    private static ApiError Bare(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status401Unauthorized => new ApiError(401, "unauthorized", "Sign in first: send a token in the Authorization header."),
        StatusCodes.Status403Forbidden => new ApiError(403, ErrorCodes.Access, "You may not do this."),
        StatusCodes.Status404NotFound => ApiError.NotFound($"There is nothing at {context.Request.Path}."),
        StatusCodes.Status405MethodNotAllowed => new ApiError(405, ErrorCodes.BadRequest, $"{context.Request.Method} is not possible here."),
        StatusCodes.Status413PayloadTooLarge => new ApiError(413, ErrorCodes.BadRequest, "The body of the request is too large."),
        StatusCodes.Status415UnsupportedMediaType => new ApiError(415, ErrorCodes.BadRequest, "The content type of the request is not understood here."),
        StatusCodes.Status429TooManyRequests => new ApiError(429, "too_many", "Too many requests; try again later."),
        var status => new ApiError(status, ErrorCodes.BadRequest, "The request was refused."),
    };
}
