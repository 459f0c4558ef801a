using Microsoft.AspNetCore.Authentication.Cookies;

namespace Crm.Host.Security;

/// <summary>Over https a cookie gets the prefix <c>__Host-</c>, with which browsers refuse one that another host or an insecure page set; over http they would refuse the prefix.</summary>
internal sealed class SecureCookieManager : ICookieManager
{
    private readonly ChunkingCookieManager inner = new();

    public string? GetRequestCookie(HttpContext context, string key) => inner.GetRequestCookie(context, Name(context, key));

    public void AppendResponseCookie(HttpContext context, string key, string? value, CookieOptions options) => inner.AppendResponseCookie(context, Name(context, key), value, options);

    public void DeleteCookie(HttpContext context, string key, CookieOptions options) => inner.DeleteCookie(context, Name(context, key), options);

    /// <summary>The cookie's name in this request.</summary>
    public static string Name(HttpContext context, string key) => context.Request.IsHttps ? "__Host-" + key : key;
}
