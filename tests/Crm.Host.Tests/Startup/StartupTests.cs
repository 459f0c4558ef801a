using System.Net;
using System.Text.Json;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Startup;

public sealed class StartupTests
{
    [Fact]
    public async Task A_started_host_says_that_it_is_ready()
    {
        await using var crm = await TestCrm.StartAsync();
        using var answer = await crm.Client().GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal("ready", body.GetProperty("status").GetString());
        Assert.Equal("ok", body.GetProperty("database").GetString());
    }

    [Fact]
    public async Task A_restarted_host_answers_at_the_same_address()
    {
        await using var crm = await TestCrm.StartAsync();
        var address = crm.Address;
        await crm.RestartAsync();
        Assert.Equal(address, crm.Address);
        using var answer = await crm.Client().GetAsync("/health/live");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Two_hosts_share_one_database()
    {
        await using var first = await TestCrm.StartAsync();
        await using var second = await first.StartSecondHostAsync();
        Assert.NotEqual(first.Address, second.Address);
        using var answer = await second.Client().GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
