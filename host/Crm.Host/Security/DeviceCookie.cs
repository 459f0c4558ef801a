using Microsoft.AspNetCore.DataProtection;

namespace Crm.Host.Security;

/// <summary>
/// Marks a browser that once signed in to an account: its attempts are counted apart from those of its address, so that a stranger behind the same
/// proxy cannot lock the owner out. It gives no right by itself.
/// </summary>
internal sealed class DeviceCookie(IDataProtectionProvider protection)
{
    private const string CookieName = "crm-device";

    private readonly IDataProtector protector = protection.CreateProtector("Crm.Device");

    /// <summary>The mark, when this browser signed in to the account before.</summary>
    public string? Read(HttpContext context, string userName)
    {
        if (context.Request.Cookies[SecureCookieManager.Name(context, CookieName)] is not { } value)
        {
            return null;
        }

        try
        {
            return protector.Unprotect(value) is var text && text.Split('\n') is [var device, var name] && name.Equals(userName.Trim(), StringComparison.OrdinalIgnoreCase) ? device : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            // Made up, or sealed with a key that is gone: then it is an unknown browser.
            return null;
        }
    }

    public void Write(HttpContext context, string userName) => context.Response.Cookies.Append(
        SecureCookieManager.Name(context, CookieName),
        protector.Protect($"{Guid.CreateVersion7()}\n{userName}"),
        new CookieOptions { HttpOnly = true, Secure = context.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = TimeSpan.FromDays(365), IsEssential = true });
}
