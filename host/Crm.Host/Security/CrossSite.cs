using Crm.Host.Api;
using Crm.Sdk;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Crm.Host.Security;

/// <summary>
/// A browser sends its cookie whoever made it send the request. So what changes something must come from a page of this host: the origin must be this
/// one, and a call of the API needs the header <c>X-Requested-With</c>, which other origins cannot set, or an anti-forgery token.
/// </summary>
internal sealed class CrossSite(RequestDelegate next, IAntiforgery antiforgery)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var byCookie = context.User.Identity is { IsAuthenticated: true, AuthenticationType: CookieAuthenticationDefaults.AuthenticationScheme };
        var changes = !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || HttpMethods.IsOptions(context.Request.Method));
        var opensSocket = context.WebSockets.IsWebSocketRequest || context.Request.Headers.Upgrade.Count > 0;
        if (byCookie && (changes || opensSocket) && IsForeign(context.Request))
        {
            await RefuseAsync(context, "The request comes from another site.");
            return;
        }

        if (byCookie && changes && ApiPath.Is(context.Request.Path) && !context.Request.Path.StartsWithSegments("/_blazor", StringComparison.OrdinalIgnoreCase)
            && context.Request.Headers["X-Requested-With"].Count == 0 && !await antiforgery.IsRequestValidAsync(context))
        {
            await RefuseAsync(context, "Send the header X-Requested-With, an anti-forgery token, or a bearer token instead of the cookie.");
            return;
        }

        await next(context);
    }

    private static bool IsForeign(HttpRequest request) =>
        request.Headers.Origin is [{ Length: > 0 } origin] && !(Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority.Equals(Authority(request), StringComparison.OrdinalIgnoreCase));

    private static string Authority(HttpRequest request) => Uri.TryCreate($"{request.Scheme}://{request.Host.Value}", UriKind.Absolute, out var own) ? own.Authority : "";

    private static Task RefuseAsync(HttpContext context, string message) =>
        Errors.WriteAsync(context, new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, message));
}
