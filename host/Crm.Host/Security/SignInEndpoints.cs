using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.Extensions;

namespace Crm.Host.Security;

/// <summary>Signing in and out with a browser. The page with the form is a page like others; it posts here.</summary>
internal static class SignInEndpoints
{
    /// <summary>Page and target of the form with the fields <c>user_name</c>, <c>password</c>, <c>returnUrl</c> and the anti-forgery token.</summary>
    public const string Path = "/sign-in";

    public const string SignOutPath = "/sign-out";

    /// <summary>Query key with which the page is shown again: <c>wrong</c>, <c>slow</c> (then <c>seconds</c> says how long), <c>missing</c>, <c>expired</c>.</summary>
    public const string ErrorKey = "error";

    public const string SecondsKey = "seconds";

    public const string ReturnUrlKey = "returnUrl";

    public static void Map(IEndpointRouteBuilder routes)
    {
        // The token is checked here so that a form left open too long leads back to the form, not to a bare error. The page itself may answer posts too.
        routes.MapPost(Path, SignInAsync).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription().WithOrder(-1);
        routes.MapPost(SignOutPath, SignOutAsync).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription().WithOrder(-1);
    }

    /// <summary>Address of the form.</summary>
    public static string Url(string? returnUrl, string? error = null, TimeSpan? wait = null)
    {
        var query = new QueryBuilder();
        query.Add(ReturnUrlKey, LocalUrl.OrHome(returnUrl));
        if (error is not null)
        {
            query.Add(ErrorKey, error);
        }

        if (wait is { } time)
        {
            query.Add(SecondsKey, Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }

        return Path + query.ToQueryString();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, SignInService service, DeviceCookie device, IAntiforgery antiforgery)
    {
        if (!context.Request.HasFormContentType)
        {
            return TypedResults.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        string? returnUrl = form[ReturnUrlKey];
        // The token was made for nobody. A browser that is signed in already would make it fail, though there is nothing to protect.
        context.User = new ClaimsPrincipal(new ClaimsIdentity());
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            return Back("expired");
        }

        string userName = form["user_name"].ToString(), password = form["password"].ToString();
        if (string.IsNullOrWhiteSpace(userName) || password.Length == 0)
        {
            return Back("missing");
        }

        switch (await service.SignInAsync(SessionKind.Browser, userName, password, context, device.Read(context, userName)))
        {
            case SignInResult.Done(var session, _):
                device.Write(context, session.UserName);
                await context.SignInAsync(
                    CookieAuthenticationDefaults.AuthenticationScheme,
                    session.ToPrincipal(CookieAuthenticationDefaults.AuthenticationScheme),
                    new AuthenticationProperties { IsPersistent = true });
                return TypedResults.LocalRedirect(LocalUrl.OrHome(returnUrl));
            case SignInResult.TooMany(var wait):
                return Back("slow", wait);
            default:
                return Back("wrong");
        }

        IResult Back(string error, TimeSpan? wait = null) => TypedResults.LocalRedirect(Url(returnUrl, error, wait));
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, SessionStore sessions, IAntiforgery antiforgery)
    {
        if (Session.From(context.User) is { } session)
        {
            if (!await antiforgery.IsRequestValidAsync(context))
            {
                return TypedResults.LocalRedirect("/");
            }

            await sessions.EndAsync(session.UserId, session.Id, context.RequestAborted);
        }

        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return TypedResults.LocalRedirect(Path);
    }
}
