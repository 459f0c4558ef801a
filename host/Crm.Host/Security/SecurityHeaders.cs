namespace Crm.Host.Security;

/// <summary>What every answer tells the browser about what it may do with it.</summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    // Scripts come from files of this host only. Styles may stand in elements because Radzen positions its pop-ups and sizes its columns that way;
    // no value of a record ever becomes a style. Pictures may be data (icons, previews). The live connection is one to this host ('self').
    private const string Policy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }

        if (ApiPath.Is(context.Request.Path))
        {
            headers.CacheControl = "no-store";
        }

        return next(context);
    }
}
