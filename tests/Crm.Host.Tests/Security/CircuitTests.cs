using System.Security.Claims;
using Crm.Host.Security;
using Crm.Records;
using Crm.Sdk;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Host.Tests.Security;

/// <summary>What keeps a live connection from outliving the sign-in it was opened with.</summary>
public sealed class CircuitTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    [Fact]
    public async Task A_live_connection_acts_for_whoever_opened_it_until_the_sign_in_ends()
    {
        var authentication = new Changing();
        var current = new CurrentActor();
        using var circuit = new CircuitActor(authentication, current, security.Crm.Services.GetRequiredService<RecordEngine>());
        var records = new CurrentRecords(security.Crm.Services.GetRequiredService<IRecords>(), current);

        authentication.SignIn(new Session(Guid.CreateVersion7(), SessionKind.Browser, security.Crm.Admin.UserId, "admin", "Administrator", IsAdministrator: true));
        await circuit.OnCircuitOpenedAsync(null!, default);
        Assert.Equal(security.Crm.Admin.UserId, records.Actor.UserId);
        Assert.NotEmpty((await records.QueryAsync(new RecordQuery { Entity = "user" })).Records);

        authentication.SignOut();
        Assert.False(current.IsSet);
        await Assert.ThrowsAsync<InvalidOperationException>(() => records.QueryAsync(new RecordQuery { Entity = "user" }));
    }

    [Fact]
    public async Task A_live_connection_whose_session_was_ended_or_whose_rights_changed_does_not_hold()
    {
        var (id, _) = await security.UserAsync();
        var sessions = security.Crm.Services.GetRequiredService<SessionStore>();
        using var provider = new CircuitSignIn(NullLoggerFactory.Instance, sessions);
        var (first, _) = await sessions.CreateAsync(SessionKind.Browser, id, null, null, null, null, default);
        var (second, _) = await sessions.CreateAsync(SessionKind.Browser, id, null, null, null, null, default);
        var state = StateOf((await sessions.FindAsync(first, default))!);
        var other = StateOf((await sessions.FindAsync(second, default))!);
        Assert.True(await provider.HoldsAsync(state, default));

        Assert.True(await sessions.EndAsync(id, first, default));
        Assert.False(await provider.HoldsAsync(state, default));
        Assert.True(await provider.HoldsAsync(other, default));

        await security.Crm.Records.SaveAsync(RecordChange.Update("user", id, new Dictionary<string, object?> { ["is_administrator"] = true }));
        await Eventually.AsyncEqual(false, () => provider.HoldsAsync(other, default));
        Assert.False(await provider.HoldsAsync(new AuthenticationState(new ClaimsPrincipal()), default));
    }

    private static AuthenticationState StateOf(Session session) => new(session.ToPrincipal("Cookies"));

    private sealed class Changing : AuthenticationStateProvider
    {
        private AuthenticationState state = new(new ClaimsPrincipal(new ClaimsIdentity()));

        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(state);

        public void SignIn(Session session) => Change(StateOf(session));

        public void SignOut() => Change(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity())));

        private void Change(AuthenticationState next)
        {
            state = next;
            NotifyAuthenticationStateChanged(Task.FromResult(next));
        }
    }
}
