using System.Collections.Immutable;
using System.Net;
using System.Text;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Security;

public sealed class SignInTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    [Fact]
    public async Task A_page_without_sign_in_leads_to_the_form_and_back()
    {
        using var browser = new Browser(security.Crm);
        using var asked = await browser.GetAsync("/e/contact?view=all");
        Assert.Equal(HttpStatusCode.Found, asked.StatusCode);
        Assert.Equal("/sign-in?returnUrl=%2Fe%2Fcontact%3Fview%3Dall", asked.Headers.Location!.OriginalString);

        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword, "/e/contact?view=all");
        Assert.Equal(HttpStatusCode.Found, done.StatusCode);
        Assert.Equal("/e/contact?view=all", done.Headers.Location!.OriginalString);
        using var page = await browser.GetAsync("/e/contact?view=all");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/a\r\nSet-Cookie: x=y")]
    [InlineData("")]
    public async Task Signing_in_never_leads_to_another_site(string returnUrl)
    {
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword, returnUrl);
        Assert.Equal("/", done.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("admin", "wrong password", "wrong")]
    [InlineData("nobody", "wrong password", "wrong")]
    [InlineData("", "x", "missing")]
    [InlineData("admin", "", "missing")]
    public async Task What_is_wrong_is_said_on_the_form(string user, string password, string error)
    {
        using var browser = new Browser(security.Crm);
        using var answer = await browser.SignInAsync(user, password, "/e/contact");
        Assert.Equal($"/sign-in?returnUrl=%2Fe%2Fcontact&error={error}", answer.Headers.Location!.OriginalString);
        using var page = await browser.GetAsync("/");
        Assert.Equal(HttpStatusCode.Found, page.StatusCode);
        await security.ForgetAttemptsAsync();
    }

    [Fact]
    public async Task A_form_without_its_token_signs_nobody_in()
    {
        using var browser = new Browser(security.Crm);
        using var answer = await browser.PostAsync("/sign-in", [new("user_name", "admin"), new("password", TestCrm.AdminPassword)]);
        Assert.Contains("error=expired", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
        using var page = await browser.GetAsync("/");
        Assert.Equal(HttpStatusCode.Found, page.StatusCode);
    }

    [Fact]
    public async Task The_cookie_is_kept_from_scripts_and_other_sites()
    {
        using var browser = new Browser(security.Crm);
        using var answer = await browser.SignInAsync("admin", TestCrm.AdminPassword);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("crm-session=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("path=/", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_with_https_the_cookie_is_secure_and_bound_to_the_host()
    {
        await using var crm = await TestCrm.StartAsync(new TestCrmOptions { Settings = new Dictionary<string, string> { ["Crm:Proxies"] = "127.0.0.1" }.ToImmutableDictionary() });
        using var client = crm.Client();
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        using var page = await client.GetAsync("/sign-in");
        Assert.Equal("max-age=31536000", page.Headers.GetValues("Strict-Transport-Security").Single());
        var cookie = page.Headers.GetValues("Set-Cookie").First(c => c.Contains("crm-form", StringComparison.Ordinal));
        Assert.Contains("; secure", cookie, StringComparison.OrdinalIgnoreCase);

        var html = await page.Content.ReadAsStringAsync();
        var token = WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(html, "__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value);
        using var form = new HttpRequestMessage(HttpMethod.Post, "/sign-in") { Content = new FormUrlEncodedContent([new("user_name", "admin"), new("password", TestCrm.AdminPassword), new("__RequestVerificationToken", token)]) };
        form.Headers.Add("Cookie", cookie.Split(';')[0]);
        using var done = await client.SendAsync(form);
        var session = done.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("__Host-crm-session=", StringComparison.Ordinal));
        Assert.Contains("; secure", session, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_proxy_that_is_not_trusted_changes_nothing()
    {
        using var client = security.Crm.Client();
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("X-Forwarded-Host", "evil.example");
        using var page = await client.GetAsync("/");
        Assert.False(page.Headers.Contains("Strict-Transport-Security"));
        Assert.Equal("/sign-in?returnUrl=%2F", page.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_on_the_server_too()
    {
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword);
        var stolen = browser.Cookies.GetCookieHeader(browser.Address);
        Assert.Equal(HttpStatusCode.OK, await WithCookieAsync(stolen));

        var token = SignedInToken(browser);
        using var signedOut = await browser.PostAsync("/sign-out", [new("__RequestVerificationToken", token)]);
        Assert.Equal("/sign-in", signedOut.Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.Unauthorized, await WithCookieAsync(stolen));
    }

    [Fact]
    public async Task Another_site_cannot_sign_somebody_out()
    {
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword);
        using var forged = await browser.PostAsync("/sign-out", []);
        using var page = await browser.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Fact]
    public async Task Switching_a_user_off_ends_their_browser_sessions()
    {
        var (id, user) = await security.UserAsync();
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync(user, SecurityCrm.Password);
        var cookie = browser.Cookies.GetCookieHeader(browser.Address);
        Assert.Equal(HttpStatusCode.OK, await WithCookieAsync(cookie));
        await security.Crm.Records.SaveAsync(RecordChange.Update("user", id, new Dictionary<string, object?> { ["can_sign_in"] = false }));
        await Eventually.AsyncEqual(HttpStatusCode.Unauthorized, () => WithCookieAsync(cookie));
    }

    [Fact]
    public async Task A_change_with_the_cookie_alone_is_refused()
    {
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword);
        using var forged = await browser.SendAsync(NewUser());
        Assert.Equal(HttpStatusCode.Forbidden, forged.StatusCode);

        using var own = NewUser();
        own.Headers.Add("X-Requested-With", "fetch");
        using var accepted = await browser.SendAsync(own);
        Assert.Equal(HttpStatusCode.Created, accepted.StatusCode);
    }

    [Fact]
    public async Task A_change_from_another_origin_is_refused_whatever_it_carries()
    {
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword);
        using var forged = NewUser();
        forged.Headers.Add("X-Requested-With", "fetch");
        forged.Headers.Add("Origin", "https://evil.example");
        using var answer = await browser.SendAsync(forged);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);

        using var socket = new HttpRequestMessage(HttpMethod.Get, "/_blazor?id=x");
        socket.Headers.Add("Origin", "https://evil.example");
        socket.Headers.Add("Connection", "Upgrade");
        socket.Headers.Add("Upgrade", "websocket");
        using var refused = await browser.SendAsync(socket);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task The_live_connection_needs_a_sign_in()
    {
        using var answer = await security.Crm.Client().PostAsync("/_blazor/negotiate?negotiateVersion=1", new StringContent(""));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Two_hosts_accept_each_others_cookies_and_tokens_and_follow_each_others_sign_outs()
    {
        await using var second = await security.Crm.StartSecondHostAsync();
        using var browser = new Browser(security.Crm);
        using var done = await browser.SignInAsync("admin", TestCrm.AdminPassword);
        var cookie = browser.Cookies.GetCookieHeader(browser.Address);
        Assert.Equal(HttpStatusCode.OK, await WithCookieAsync(cookie, second));

        var (_, user) = await security.UserAsync();
        var token = await security.Crm.TokenAsync(user, SecurityCrm.Password);
        using var there = second.Client(token);
        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/api/auth/me")).StatusCode);
        using var here = security.Crm.Client(token);
        using var ended = await here.DeleteAsync("/api/auth/token");
        await Eventually.AsyncEqual(HttpStatusCode.Unauthorized, async () => (await there.GetAsync("/api/auth/me")).StatusCode);
    }

    private static HttpRequestMessage NewUser() => new(HttpMethod.Post, "/odata/v4/users")
    {
        Content = new StringContent($$"""{"name":"Forged","user_name":"forged.{{Guid.CreateVersion7()}}"}""", Encoding.UTF8, "application/json"),
    };

    // The token of the form in the user's menu, which is drawn over the live connection.
    private string SignedInToken(Browser browser)
    {
        using var scope = security.Crm.Services.CreateScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        context.Request.Headers.Cookie = browser.Cookies.GetCookieHeader(browser.Address);
        context.User = new Session(default, SessionKind.Browser, security.Crm.Admin.UserId, "admin", "", IsAdministrator: true).ToPrincipal(CookieAuthenticationDefaults.AuthenticationScheme);
        return scope.ServiceProvider.GetRequiredService<IAntiforgery>().GetTokens(context).RequestToken!;
    }

    private async Task<HttpStatusCode> WithCookieAsync(string cookie, TestCrm? crm = null)
    {
        using var client = (crm ?? security.Crm).Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/auth/me");
        request.Headers.Add("Cookie", cookie);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }
}
