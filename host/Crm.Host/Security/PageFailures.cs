using System.Net;

namespace Crm.Host.Security;

/// <summary>A page that fails says so with an id under which the log has the reason; the reason itself is nobody's business.</summary>
internal sealed class PageFailures(RequestDelegate next, ILogger<PageFailures> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (ApiPath.Is(context.Request.Path))
        {
            await next(context);
            return;
        }

        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there any more.
        }
        catch (BadHttpRequestException error) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = error.StatusCode;
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            log.LogError(error, "Page {Path} failed ({Id})", context.Request.Path.Value, context.TraceIdentifier);
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            context.Response.ContentType = "text/html; charset=utf-8";
            var title = WebUtility.HtmlEncode(SecurityTexts.Of("FailedTitle"));
            var text = WebUtility.HtmlEncode(SecurityTexts.Of("FailedText", context.TraceIdentifier));
            await context.Response.WriteAsync($"<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>", context.RequestAborted);
        }
    }
}
