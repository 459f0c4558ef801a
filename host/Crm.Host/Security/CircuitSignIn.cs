using Crm.Records;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Crm.Host.Security;

/// <summary>Looks every minute whether the sign-in behind a live connection still holds: one opened before a sign-out must not outlive it.</summary>
internal sealed class CircuitSignIn(ILoggerFactory loggers, SessionStore sessions) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromMinutes(1);

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        HoldsAsync(authenticationState, cancellationToken);

    /// <summary>Whether the sign-in a connection was opened with is still what it was.</summary>
    public async Task<bool> HoldsAsync(AuthenticationState state, CancellationToken ct)
    {
        if (Session.From(state.User) is not { } then)
        {
            return false;
        }

        // Whoever gained or lost rights begins anew, with a page made for them.
        var now = await sessions.FindAsync(then.Id, ct);
        return now is not null && now.IsAdministrator == then.IsAdministrator;
    }
}

/// <summary>Says who acts in a live connection before anything is shown in it, and takes it back when the sign-in ends.</summary>
internal sealed class CircuitActor(AuthenticationStateProvider authentication, CurrentActor current, RecordEngine engine) : CircuitHandler, IDisposable
{
    public override async Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        authentication.AuthenticationStateChanged += Changed;
        Apply(await authentication.GetAuthenticationStateAsync());
        if (current.IsSet)
        {
            // From here on what they may see is known without asking.
            await engine.SnapshotOfAsync(current.Value, cancellationToken);
        }
    }

    public void Dispose() => authentication.AuthenticationStateChanged -= Changed;

    private async void Changed(Task<AuthenticationState> state) => Apply(await state);

    private void Apply(AuthenticationState state)
    {
        if (Session.From(state.User) is { } session)
        {
            current.Set(session.Actor);
        }
        else
        {
            current.Clear();
        }
    }
}
