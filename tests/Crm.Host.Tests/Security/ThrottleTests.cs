using System.Net;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Security;

public sealed class ThrottleTests : IAsyncLifetime
{
    private static readonly IPAddress Home = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress Elsewhere = IPAddress.Parse("198.51.100.9");

    private TestCrm crm = null!;
    private SignInThrottle throttle = null!;

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync();
        throttle = crm.Services.GetRequiredService<SignInThrottle>();
    }

    public async Task DisposeAsync() => await crm.DisposeAsync();

    [Theory]
    [InlineData("admin")]
    [InlineData("nobody.at.all")]
    public async Task After_five_wrong_passwords_the_API_asks_to_wait_whether_or_not_the_account_exists(string user)
    {
        for (var i = 0; i < 5; i++)
        {
            using var wrong = await TryAsync(user, "wrong");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        using var refused = await TryAsync(user, user == "admin" ? TestCrm.AdminPassword : "wrong");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
    }

    [Fact]
    public async Task A_stranger_does_not_lock_the_owner_out()
    {
        await ExhaustAsync(SignInOrigin.Of("anna", Elsewhere, null));
        Assert.Null(await throttle.BeginAsync(SignInOrigin.Of("anna", Home, null), default));
    }

    [Fact]
    public async Task A_browser_that_signed_in_before_is_not_locked_out_by_others_at_its_address()
    {
        await ExhaustAsync(SignInOrigin.Of("anna", Home, null));
        Assert.NotNull(await throttle.BeginAsync(SignInOrigin.Of("anna", Home, null), default));
        Assert.Null(await throttle.BeginAsync(SignInOrigin.Of("anna", Home, "device-1"), default));
    }

    [Fact]
    public async Task One_address_that_tries_many_accounts_is_slowed_down()
    {
        for (var i = 0; i < 50; i++)
        {
            Assert.Null(await throttle.BeginAsync(SignInOrigin.Of($"user{i}", Elsewhere, null), default));
        }

        Assert.NotNull(await throttle.BeginAsync(SignInOrigin.Of("user51", Elsewhere, null), default));
    }

    [Fact]
    public async Task The_addresses_of_one_IPv6_network_count_as_one()
    {
        for (var i = 0; i < 5; i++)
        {
            await throttle.BeginAsync(SignInOrigin.Of("anna", IPAddress.Parse($"2001:db8::{i + 1}"), null), default);
        }

        Assert.NotNull(await throttle.BeginAsync(SignInOrigin.Of("anna", IPAddress.Parse("2001:db8::ffff"), null), default));
    }

    [Fact]
    public async Task Guesses_sent_at_once_are_counted_one_by_one()
    {
        var origin = SignInOrigin.Of("anna", Home, null);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => throttle.BeginAsync(origin, default)));
        Assert.Equal(5, answers.Count(wait => wait is null));
    }

    [Fact]
    public async Task A_right_password_takes_the_wrong_ones_back()
    {
        var origin = SignInOrigin.Of("anna", Home, null);
        for (var i = 0; i < 4; i++)
        {
            await throttle.BeginAsync(origin, default);
        }

        await throttle.SucceedAsync(origin, default);
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(await throttle.BeginAsync(origin, default));
        }
    }

    [Fact]
    public async Task Trying_on_while_blocked_does_not_make_the_wait_longer()
    {
        var origin = SignInOrigin.Of("anna", Home, null);
        await ExhaustAsync(origin);
        var first = await throttle.BeginAsync(origin, default);
        for (var i = 0; i < 10; i++)
        {
            await throttle.BeginAsync(origin, default);
        }

        Assert.True(await throttle.BeginAsync(origin, default) <= first);
        await PassAsync("31 seconds");
        Assert.Null(await throttle.BeginAsync(origin, default));
    }

    [Fact]
    public async Task Every_wrong_password_after_that_doubles_the_wait_up_to_a_quarter_of_an_hour()
    {
        var origin = SignInOrigin.Of("anna", Home, null);
        await ExhaustAsync(origin);
        var waits = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            waits.Add(Math.Round((await throttle.BeginAsync(origin, default))!.Value.TotalSeconds / 30.0) * 30);
            await ExpireBlockAsync();
            Assert.Null(await throttle.BeginAsync(origin, default));
        }

        Assert.Equal([30, 60, 120, 240, 480, 900, 900, 900], waits);
    }

    private async Task ExhaustAsync(SignInOrigin origin)
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(await throttle.BeginAsync(origin, default));
        }
    }

    // The clock is the database's: instead of waiting, what it remembers is moved into the past.
    private Task PassAsync(string time) =>
        ExecuteAsync($"UPDATE crm.sign_in_attempt SET last_at = last_at - interval '{time}', blocked_until = blocked_until - interval '{time}'");

    private Task ExpireBlockAsync() => ExecuteAsync("UPDATE crm.sign_in_attempt SET blocked_until = now() - interval '1 second'");

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        await connection.ExecuteAsync(sql);
    }

    private Task<HttpResponseMessage> TryAsync(string user, string password) =>
        System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(crm.Client(), "/api/auth/token", new { username = user, password });
}
