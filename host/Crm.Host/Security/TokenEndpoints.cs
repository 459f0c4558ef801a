using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crm.Host.Api;
using Crm.Host.Api.OpenApi;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Security;

/// <summary>Signing in for programs: tokens for a password, and personal API keys.</summary>
internal static class TokenEndpoints
{
    private const string KeyExample = """{"name":"Nightly report","expires_in_days":365,"entities":{"contact":{"operations":["read"],"fields":["first_name","last_name","email"]}}}""";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var auth = routes.MapGroup("/api/auth").WithTags("Signing in");
        auth.MapPost("/token", TokenAsync).AllowAnonymous().WithSummary("Get a token for a user name and a password");
        auth.MapDelete("/token", EndTokenAsync).WithSummary("End the token this request carries").OpenToNarrowedKeys();
        auth.MapGet("/me", Me).WithSummary("Who is signed in").OpenToNarrowedKeys();
        auth.MapGet("/keys", KeysAsync).WithSummary("List your personal API keys");
        auth.MapPost("/keys", CreateKeyAsync).WithSummary("Make a personal API key; it is shown only in this answer")
            .WithDescription("entities narrows the key: it may do what both they and you may, and nothing else exists for it. operations are read, create, write and delete; without fields all are meant.")
            .WithMetadata(new ExampleBody(KeyExample));
        auth.MapDelete("/keys/{id:guid}", DeleteKeyAsync).WithSummary("Remove a personal API key");
    }

    private static async Task<IResult> TokenAsync(TokenRequest request, SignInService service, HttpContext context)
    {
        if (string.IsNullOrWhiteSpace(request.UserName) || string.IsNullOrEmpty(request.Password))
        {
            throw new ApiException(ApiError.BadRequest(SecurityTexts.Of("SignInMissing"), string.IsNullOrWhiteSpace(request.UserName) ? "username" : "password"));
        }

        switch (await service.SignInAsync(SessionKind.Token, request.UserName, request.Password, context, device: null))
        {
            case SignInResult.Done(_, var secret):
                return TypedResults.Json(new TokenAnswer(secret!, "Bearer", (int)SessionStore.TokenLifetime.TotalSeconds));
            case SignInResult.TooMany(var wait):
                throw TooMany(context, wait);
            default:
                throw new ApiException(new ApiError(StatusCodes.Status401Unauthorized, "credentials", SecurityTexts.Of("SignInWrong")));
        }
    }

    /// <summary>The answer to one attempt too many.</summary>
    public static ApiException TooMany(HttpContext context, TimeSpan wait)
    {
        var seconds = Math.Ceiling(wait.TotalSeconds);
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return new(new ApiError(StatusCodes.Status429TooManyRequests, "too_many", SecurityTexts.Of("SignInSlow", seconds)));
    }

    private static async Task<IResult> EndTokenAsync(HttpContext context, SessionStore sessions)
    {
        var session = Current(context);
        await sessions.EndAsync(session.UserId, session.Id, context.RequestAborted);
        return TypedResults.NoContent();
    }

    private static MeAnswer Me(HttpContext context)
    {
        var session = Current(context);
        return new(session.UserId, session.UserName, session.Name, session.IsAdministrator);
    }

    private static async Task<IResult> KeysAsync(HttpContext context, SessionStore sessions)
    {
        var keys = await sessions.KeysAsync(Current(context).UserId, context.RequestAborted);
        return TypedResults.Json(new { value = keys.Select(Answer) });
    }

    private static async Task<IResult> CreateKeyAsync(KeyRequest request, HttpContext context, SessionStore sessions, [FromServices] IMetadata metadata)
    {
        var session = NotByKey(context);
        var entities = request.Entities?.ToDictionary(e => e.Key, e => KeyEntity.Scope(e.Value, "entities." + e.Key), StringComparer.Ordinal);
        if (KeyRules.Errors(metadata.Current, request.Name, request.ExpiresInDays, entities) is [_, ..] errors)
        {
            throw new ApiException(Errors.From(SaveResult.Refused(errors)));
        }

        var lifetime = request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : (TimeSpan?)null;
        var (id, secret) = await sessions.CreateAsync(
            SessionKind.Key, session.UserId, request.Name!.Trim(), lifetime, context.Connection.RemoteIpAddress?.ToString(), entities, context.RequestAborted);
        var made = (await sessions.KeysAsync(session.UserId, context.RequestAborted)).Single(key => key.Id == id);
        return TypedResults.Json(Answer(made) with { Key = secret }, statusCode: StatusCodes.Status201Created);
    }

    private static KeyAnswer Answer(ApiKey key) => new(key.Id, key.Name, key.CreatedAt, key.LastUsedAt, key.ExpiresAt)
    {
        Entities = key.Scope?.Entities.ToDictionary(e => e.Key, e => KeyEntity.Of(e.Value), StringComparer.Ordinal),
    };

    private static async Task<IResult> DeleteKeyAsync(Guid id, HttpContext context, SessionStore sessions)
    {
        var session = NotByKey(context);
        if (!(await sessions.KeysAsync(session.UserId, context.RequestAborted)).Any(key => key.Id == id) || !await sessions.EndAsync(session.UserId, id, context.RequestAborted))
        {
            throw new ApiException(ApiError.NotFound(SecurityTexts.Of("KeyUnknown")));
        }

        return TypedResults.NoContent();
    }

    private static Session Current(HttpContext context) =>
        Session.From(context.User) ?? throw new InvalidOperationException("The authorization let somebody in who is not signed in.");

    // A key that leaked must not be able to make itself a successor.
    private static Session NotByKey(HttpContext context) =>
        Current(context) is { Kind: not SessionKind.Key } session
            ? session
            : throw new ApiException(new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, SecurityTexts.Of("KeyByKey")));

    internal sealed record TokenRequest([property: JsonPropertyName("username")] string? UserName, [property: JsonPropertyName("password")] string? Password);

    internal sealed record TokenAnswer(
        [property: JsonPropertyName("access_token")] string AccessToken,
        [property: JsonPropertyName("token_type")] string TokenType,
        [property: JsonPropertyName("expires_in")] int ExpiresIn);

    internal sealed record MeAnswer(
        [property: JsonPropertyName("id")] Guid Id,
        [property: JsonPropertyName("user_name")] string UserName,
        [property: JsonPropertyName("name")] string Name,
        [property: JsonPropertyName("is_administrator")] bool IsAdministrator);

    internal sealed record KeyRequest([property: JsonPropertyName("name")] string? Name, [property: JsonPropertyName("expires_in_days")] int? ExpiresInDays)
    {
        [JsonPropertyName("entities")]
        public Dictionary<string, KeyEntity?>? Entities { get; init; }
    }

    /// <summary>What a narrowed key may do with an entity.</summary>
    internal sealed record KeyEntity(
        [property: JsonPropertyName("operations"), JsonRequired] IReadOnlyList<string?>? Operations,
        [property: JsonPropertyName("fields"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string?>? Fields)
    {
        public static KeyEntity Of(EntityScope scope) => new([.. scope.Operations.Select(Word)], scope.Fields);

        /// <exception cref="ApiException">An operation is none a key can be narrowed to.</exception>
        public static EntityScope Scope(KeyEntity? entity, string target) => new(
            [.. (entity?.Operations ?? []).Distinct(StringComparer.Ordinal).Select(word => KeyRules.Operations.Where(o => Word(o) == word).Select(o => (AccessOperation?)o).FirstOrDefault()
                ?? throw new ApiException(ApiError.BadRequest(SecurityTexts.Of("KeyOperation", word ?? "null"), target)))],
            entity?.Fields is null ? null : [.. entity.Fields.Select(f => f ?? "").Distinct(StringComparer.Ordinal)]);

        private static string Word(AccessOperation operation) => JsonNamingPolicy.SnakeCaseLower.ConvertName(operation.ToString());
    }

    internal sealed record KeyAnswer(
        [property: JsonPropertyName("id")] Guid Id,
        [property: JsonPropertyName("name")] string Name,
        [property: JsonPropertyName("created_at")] DateTime CreatedAt,
        [property: JsonPropertyName("last_used_at")] DateTime LastUsedAt,
        [property: JsonPropertyName("expires_at")] DateTime? ExpiresAt)
    {
        [JsonPropertyName("entities"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public Dictionary<string, KeyEntity>? Entities { get; init; }

        [JsonPropertyName("key"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Key { get; init; }
    }
}
