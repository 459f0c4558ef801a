using System.Security.Claims;
using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>What somebody is signed in with.</summary>
internal enum SessionKind
{
    /// <summary>A cookie.</summary>
    Browser,

    /// <summary>A token got for a password.</summary>
    Token,

    /// <summary>A personal API key.</summary>
    Key,
}

/// <summary>One sign-in that holds.</summary>
/// <param name="Id">Its row in <c>crm.session</c>.</param>
/// <param name="Kind">What it is.</param>
/// <param name="UserId">Who.</param>
/// <param name="UserName">Their sign-in name.</param>
/// <param name="Name">Shown in history.</param>
/// <param name="IsAdministrator">May change metadata, modules and users; never with a key that is narrowed.</param>
/// <param name="Scope">What narrows it; null for all that the user may.</param>
internal sealed record Session(Guid Id, SessionKind Kind, Guid UserId, string UserName, string Name, bool IsAdministrator, AccessScope? Scope = null)
{
    public const string IdClaim = "session";
    public const string KindClaim = "session_kind";
    public const string UserClaim = "sub";
    public const string UserNameClaim = "user_name";
    public const string NameClaim = "name";
    public const string RoleClaim = "role";
    public const string ScopeClaim = "scope";

    public Actor Actor => new(UserId, Name, IsAdministrator) { Scope = Scope };

    /// <summary>The sign-in as the framework sees it.</summary>
    public ClaimsPrincipal ToPrincipal(string scheme)
    {
        List<Claim> claims =
        [
            new(IdClaim, Id.ToString()),
            new(KindClaim, Kind.ToString()),
            new(UserClaim, UserId.ToString()),
            new(UserNameClaim, UserName),
            new(NameClaim, Name),
        ];
        if (IsAdministrator)
        {
            claims.Add(new(RoleClaim, Roles.Administrator));
        }

        if (Scope is not null)
        {
            claims.Add(new(ScopeClaim, Scope.ToString()));
        }

        return new(new ClaimsIdentity(claims, scheme, NameClaim, RoleClaim));
    }

    /// <summary>Reads it back; null when nobody is signed in.</summary>
    public static Session? From(ClaimsPrincipal? principal) =>
        principal?.Identity is { IsAuthenticated: true }
        && Guid.TryParse(principal.FindFirst(IdClaim)?.Value, out var id)
        && Guid.TryParse(principal.FindFirst(UserClaim)?.Value, out var user)
        && Enum.TryParse<SessionKind>(principal.FindFirst(KindClaim)?.Value, out var kind)
            ? new(id, kind, user, principal.FindFirst(UserNameClaim)?.Value ?? "", principal.FindFirst(NameClaim)?.Value ?? "", principal.IsInRole(Roles.Administrator), principal.FindFirst(ScopeClaim) is { } scope ? AccessScope.Parse(scope.Value) : null)
            : null;
}

/// <summary>Names of roles and of the policies that ask for them.</summary>
internal static class Roles
{
    /// <summary>May change metadata, modules and users.</summary>
    public const string Administrator = "administrator";
}
