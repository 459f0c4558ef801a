using System.Text.Json.Serialization;
using Crm.Host.Api;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;

namespace Crm.Host.Security;

/// <summary>Changing passwords: one's own with the current one, anybody's as an administrator. It ends the user's other sign-ins.</summary>
internal sealed class PasswordChanges(CrmDatabase database, Passwords passwords, SignInThrottle throttle, SessionStore sessions)
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/users/{id:guid}/password", ChangeAsync).WithTags("Signing in").WithSummary("Set a user's password");

    /// <summary>Sets a password.</summary>
    /// <param name="session">Who asks.</param>
    /// <param name="userId">Whose password.</param>
    /// <param name="current">The one that holds now; needed for one's own.</param>
    /// <param name="password">The new one.</param>
    /// <param name="address">From where, for counting wrong attempts.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<PasswordResult> SetAsync(Session session, Guid userId, string? current, string? password, System.Net.IPAddress? address, CancellationToken ct)
    {
        var own = session.UserId == userId;
        if (!own && !session.IsAdministrator)
        {
            return Refused(null, ErrorCodes.Access, SecurityTexts.Of("PasswordOthers"));
        }

        await using var connection = await database.OpenAsync(ct);
        var userName = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("SELECT user_name FROM records.\"user\" WHERE id = @userId", new { userId }, cancellationToken: ct));
        if (userName is null)
        {
            return Refused(null, ErrorCodes.NotFound, SecurityTexts.Of("UserUnknown"));
        }

        if (userId == Actor.System.UserId)
        {
            return Refused(null, ErrorCodes.Access, SecurityTexts.Of("PasswordSystem"));
        }

        if (PasswordRules.Refuses(password ?? "", userName) is { } rule)
        {
            return Refused("password", ErrorCodes.Rule, SecurityTexts.Of(rule, rule == "PasswordLong" ? PasswordRules.MaxLength : PasswordRules.MinLength));
        }

        if (own)
        {
            var origin = SignInOrigin.Of(userName, address, device: null);
            if (await throttle.BeginAsync(origin, ct) is { } wait)
            {
                return new PasswordResult([], wait);
            }

            if (!await passwords.IsAsync(userId, current ?? "", ct))
            {
                return Refused("current_password", ErrorCodes.Rule, SecurityTexts.Of("PasswordCurrentWrong"));
            }

            await throttle.SucceedAsync(origin, ct);
        }

        await passwords.SetAsync(userId, password!, ct);
        await sessions.EndOthersAsync(userId, own ? session.Id : null, ct);
        return new PasswordResult([], null);

        static PasswordResult Refused(string? field, string code, string message) => new([new(field, code, message)], null);
    }

    private static async Task<IResult> ChangeAsync(Guid id, PasswordRequest request, PasswordChanges changes, HttpContext context)
    {
        var session = Session.From(context.User) ?? throw new InvalidOperationException("The authorization let somebody in who is not signed in.");
        if (session.Kind == SessionKind.Key)
        {
            throw new ApiException(new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, SecurityTexts.Of("KeyByKey")));
        }

        var result = await changes.SetAsync(session, id, request.CurrentPassword, request.Password, context.Connection.RemoteIpAddress, context.RequestAborted);
        if (result.Wait is { } wait)
        {
            throw TokenEndpoints.TooMany(context, wait);
        }

        return result.Errors is [] ? TypedResults.NoContent() : throw new ApiException(Errors.From(SaveResult.Refused([.. result.Errors])));
    }

    internal sealed record PasswordRequest([property: JsonPropertyName("password")] string? Password, [property: JsonPropertyName("current_password")] string? CurrentPassword);
}

/// <summary>How setting a password went.</summary>
/// <param name="Errors">Why it was refused; empty when it was set, or when <paramref name="Wait"/> says to try later.</param>
/// <param name="Wait">When to try again after too many attempts.</param>
internal sealed record PasswordResult(IReadOnlyList<ValidationError> Errors, TimeSpan? Wait);
