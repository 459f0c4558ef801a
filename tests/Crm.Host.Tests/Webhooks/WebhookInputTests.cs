using System.Net;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Security;
using Crm.Host.Webhooks;

namespace Crm.Host.Tests.Webhooks;

public sealed class WebhookInputTests(ApiCrm api, SecurityCrm security) : IClassFixture<ApiCrm>, IClassFixture<SecurityCrm>
{
    [Theory]
    [InlineData("""{"url":"https://example.com"}""", "name")]
    [InlineData("""{"name":"X","url":"ftp://example.com"}""", "url")]
    [InlineData("""{"name":"X","url":"https://me:secret@example.com/"}""", "url")]
    [InlineData("""{"name":"X","url":"/hooks"}""", "url")]
    [InlineData("""{"name":"X","url":"https://example.com","entities":["nothing"]}""", "entities")]
    [InlineData("""{"name":"X","url":"https://example.com","events":[]}""", "events")]
    [InlineData("""{"name":"X","url":"https://example.com","events":["read"]}""", "events")]
    [InlineData("""{"name":"X","url":"https://example.com","secret":"mine"}""", "secret")]
    [InlineData("""{"name":1}""", "name")]
    public async Task A_webhook_that_makes_no_sense_is_refused_with_the_name_at_fault(string json, string target)
    {
        var refused = await api.SendAsync("POST", "api/webhooks", json);
        Assert.InRange((int)refused.Status, 400, 422);
        Assert.Equal(target, refused.Target);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fe80::1")]
    [InlineData("fd00::1")]
    [InlineData("ff02::1")]
    [InlineData("2001:db8::1")]
    public void An_address_that_is_not_public_is_known(string address) => Assert.False(PublicAddresses.Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.32.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("::ffff:8.8.8.8")]
    public void A_public_address_is_known(string address) => Assert.True(PublicAddresses.Contains(IPAddress.Parse(address)));

    [Fact]
    public async Task Nothing_is_sent_to_this_machine_unless_the_operator_allows_it()
    {
        await using var receiver = new Receiver();
        Assert.Equal("url", (await api.SendAsync("POST", "api/webhooks", $$"""{"name":"Inside","url":"{{receiver.Url}}"}""")).Target);
        var made = await api.SendAsync("POST", "api/webhooks", $$"""{"name":"Inside","url":"https://localhost:{{receiver.Url.Port}}/","entities":["x_firm"]}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        await api.CreateAsync("x_firms", """{"name":"Secret"}""");
        var log = $"api/webhooks/{made.Json["id"]}/deliveries";
        await Eventually.AsyncEqual(true, async () => (await api.GetAsync(log)).Text.Contains("localhost leads to an address that is not public", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_administrators_see_and_make_webhooks()
    {
        using var stranger = api.Crm.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(new Uri("api/webhooks", UriKind.Relative))).StatusCode);
        using var user = security.Crm.Client(await security.Crm.TokenAsync((await security.UserAsync()).UserName, SecurityCrm.Password));
        Assert.Equal(HttpStatusCode.Forbidden, (await user.GetAsync(new Uri("api/webhooks", UriKind.Relative))).StatusCode);
    }
}
