using System.Net;
using System.Text.RegularExpressions;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Security;

/// <summary>What a browser does without a window: keeps cookies, fills in forms.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly HttpClient client;

    public Browser(TestCrm crm)
    {
        Address = crm.Address;
        Cookies = new CookieContainer();
        client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Cookies }) { BaseAddress = crm.Address };
    }

    public Uri Address { get; }

    public CookieContainer Cookies { get; }

    public Task<HttpResponseMessage> GetAsync(string address) => client.GetAsync(address);

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => client.SendAsync(request);

    /// <summary>Opens the form and sends it.</summary>
    public async Task<HttpResponseMessage> SignInAsync(string userName, string password, string? returnUrl = null)
    {
        var token = await FormTokenAsync();
        return await PostAsync("/sign-in", [new("user_name", userName), new("password", password), new("returnUrl", returnUrl ?? "/"), new("__RequestVerificationToken", token)]);
    }

    public Task<HttpResponseMessage> PostAsync(string address, IEnumerable<KeyValuePair<string, string>> fields) =>
        client.PostAsync(address, new FormUrlEncodedContent(fields));

    /// <summary>The anti-forgery token in the sign-in form.</summary>
    public async Task<string> FormTokenAsync()
    {
        var page = await client.GetStringAsync("/sign-in");
        var match = Token().Match(page);
        Assert.True(match.Success, "The sign-in page has no anti-forgery token.");
        return WebUtility.HtmlDecode(match.Groups["value"].Value);
    }

    public void Dispose() => client.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<value>[^\"]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Token();
}
