using System.Net;
using System.Text;
using Crm.Sdk.Testing;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Security;

public sealed class HeaderTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/crm.css")]
    [InlineData("/odata/v4/users")]
    [InlineData("/health/live")]
    [InlineData("/there/is/nothing/here")]
    public async Task Every_answer_says_what_a_browser_may_do_with_it(string address)
    {
        using var answer = await security.Crm.Client().GetAsync(address);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("object-src 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.True(answer.Headers.Contains("Referrer-Policy"));
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("/sign-in", HttpStatusCode.OK)]
    [InlineData("/health/live", HttpStatusCode.OK)]
    [InlineData("/health/ready", HttpStatusCode.OK)]
    [InlineData("/crm.css", HttpStatusCode.OK)]
    [InlineData("/_framework/blazor.web.js", HttpStatusCode.OK)]
    [InlineData("/", HttpStatusCode.Found)]
    [InlineData("/e/contact", HttpStatusCode.Found)]
    [InlineData("/admin/modules", HttpStatusCode.Found)]
    [InlineData("/there/is/nothing/here", HttpStatusCode.Found)]
    public async Task Without_sign_in_only_what_signing_in_needs_is_open(string address, HttpStatusCode status)
    {
        using var answer = await security.Crm.Client().GetAsync(address);
        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task What_the_API_answers_is_not_kept_by_browsers()
    {
        using var client = await security.Crm.AdminClientAsync();
        using var answer = await client.GetAsync("/odata/v4/users");
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task A_body_over_a_megabyte_is_refused_where_no_files_are_taken()
    {
        using var client = await security.Crm.AdminClientAsync();
        using var content = new StringContent("{\"name\":\"" + new string('x', 1_100_000) + "\"}", Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/odata/v4/users", content);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task A_page_that_fails_tells_an_id_and_no_secrets()
    {
        await using var crm = await TestCrm.StartAsync(new TestCrmOptions { Configure = builder => builder.Services.AddSingleton<IAntiforgery, Broken>() });
        using var answer = await crm.Client().GetAsync("/sign-in");
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("secret", body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(" at ", body, StringComparison.Ordinal);
        Assert.Contains("<h1>", body, StringComparison.Ordinal);
    }

    private sealed class Broken : IAntiforgery
    {
        public AntiforgeryTokenSet GetAndStoreTokens(HttpContext httpContext) => throw new InvalidOperationException("The secret is 42.");

        public AntiforgeryTokenSet GetTokens(HttpContext httpContext) => throw new InvalidOperationException("The secret is 42.");

        public Task<bool> IsRequestValidAsync(HttpContext httpContext) => throw new InvalidOperationException("The secret is 42.");

        public Task ValidateRequestAsync(HttpContext httpContext) => throw new InvalidOperationException("The secret is 42.");

        public void SetCookieTokenAndHeader(HttpContext httpContext) => throw new InvalidOperationException("The secret is 42.");
    }
}
