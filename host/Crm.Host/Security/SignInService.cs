namespace Crm.Host.Security;

/// <summary>Signs people and programs in with a name and a password.</summary>
internal sealed class SignInService(Passwords passwords, SignInThrottle throttle, SessionStore sessions)
{
    /// <summary>Checks a name and a password, and signs in when they fit.</summary>
    /// <param name="kind">With what: a browser's cookie or a token.</param>
    /// <param name="userName">The account.</param>
    /// <param name="password">Its password.</param>
    /// <param name="context">The request.</param>
    /// <param name="device">A browser that signed in to this account before; null for any other.</param>
    public async Task<SignInResult> SignInAsync(SessionKind kind, string userName, string password, HttpContext context, string? device)
    {
        var ct = context.RequestAborted;
        var address = context.Connection.RemoteIpAddress;
        // The database takes no NUL in a text; no account has one in its name.
        var name = userName.Replace("\0", "", StringComparison.Ordinal).Trim();
        var origin = SignInOrigin.Of(name, address, device);
        if (await throttle.BeginAsync(origin, ct) is { } wait)
        {
            return new SignInResult.TooMany(wait);
        }

        if (await passwords.CheckAsync(name, password, ct) is not { } account)
        {
            return new SignInResult.Wrong();
        }

        await throttle.SucceedAsync(origin, ct);
        var lifetime = kind == SessionKind.Token ? SessionStore.TokenLifetime : (TimeSpan?)null;
        var (id, secret) = await sessions.CreateAsync(kind, account.Id, null, lifetime, address?.ToString(), null, ct);
        var session = await sessions.FindAsync(id, ct);
        // Switched off between the check and now.
        return session is null ? new SignInResult.Wrong() : new SignInResult.Done(session, secret);
    }
}

/// <summary>How signing in went.</summary>
internal abstract record SignInResult
{
    /// <summary>Signed in.</summary>
    /// <param name="Session">The sign-in.</param>
    /// <param name="Secret">The token, when one was asked for.</param>
    internal sealed record Done(Session Session, string? Secret) : SignInResult;

    /// <summary>No such account, a wrong password, or an account that may not sign in: nobody is told which.</summary>
    internal sealed record Wrong : SignInResult;

    /// <summary>Too many attempts; nothing was checked.</summary>
    /// <param name="Wait">When to try again.</param>
    internal sealed record TooMany(TimeSpan Wait) : SignInResult;
}
