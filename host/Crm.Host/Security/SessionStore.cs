using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;

namespace Crm.Host.Security;

/// <summary>The sign-ins in the database, with a short memory so that not every request asks it.</summary>
internal sealed class SessionStore(CrmDatabase database, SessionCache cache)
{
    /// <summary>Announces that the sign-ins of the user in the payload changed.</summary>
    public const string Channel = "crm_security";

    /// <summary>How long a token lasts.</summary>
    public static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    // A browser left alone is signed out; one in use lasts, up to a limit. Clocks are the database's: hosts may differ.
    private const string Expiry =
        """
        CASE kind
            WHEN 'browser' THEN least(now() + interval '1 day', created_at + interval '30 days')
            ELSE expires_at
        END
        """;

    private const string Select =
        """
        SELECT s.id, initcap(s.kind) AS kind, s.user_id, u.user_name, u.name, coalesce(u.is_administrator, false) AS is_administrator, s.scope::text AS scope
        FROM crm.session s JOIN records."user" u ON u.id = s.user_id
        WHERE (s.expires_at IS NULL OR s.expires_at > now()) AND u.can_sign_in AND u.is_active
        """;

    /// <summary>The sign-in a token or key stands for; null when it does not hold.</summary>
    public Task<Session?> FindAsync(string secret, CancellationToken ct)
    {
        var hash = Secret.Hash(secret);
        return cache.GetAsync(Convert.ToHexString(hash), () => LoadAsync(Select + " AND s.secret_hash = @hash", new { hash }, ct));
    }

    /// <summary>The sign-in with this id; null when it does not hold any more.</summary>
    public Task<Session?> FindAsync(Guid id, CancellationToken ct) =>
        cache.GetAsync(id.ToString(), () => LoadAsync(Select + " AND s.id = @id", new { id }, ct));

    /// <summary>Signs a user in.</summary>
    /// <param name="kind">With what.</param>
    /// <param name="userId">Who.</param>
    /// <param name="name">What a key is called by its owner.</param>
    /// <param name="lifetime">When it ends; null for a browser's sliding limit or a key without end.</param>
    /// <param name="address">From where.</param>
    /// <param name="entities">What narrows a key; null for all that its user may.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>Its id, and the secret that is shown once (none for a browser).</returns>
    public async Task<(Guid Id, string? Secret)> CreateAsync(SessionKind kind, Guid userId, string? name, TimeSpan? lifetime, string? address, IReadOnlyDictionary<string, EntityScope>? entities, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        var secret = kind == SessionKind.Browser ? null : Secret.Create(kind);
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            DELETE FROM crm.session WHERE expires_at < now();
            INSERT INTO crm.session (id, kind, user_id, secret_hash, name, address, expires_at, scope)
            VALUES (@id, @kind, @userId, @hash, @name, @address, now() + @lifetime, @scope::jsonb)
            """,
            new
            {
                id,
                kind = Name(kind),
                userId,
                hash = secret is null ? null : Secret.Hash(secret),
                name,
                address,
                scope = entities is null ? null : new AccessScope(id, name ?? "", entities).ToString(),
                lifetime = kind == SessionKind.Browser ? TimeSpan.FromDays(1) : lifetime,
            },
            cancellationToken: ct));
        return (id, secret);
    }

    /// <summary>The personal API keys of a user.</summary>
    public async Task<ImmutableArray<ApiKey>> KeysAsync(Guid userId, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<KeyRow>(new CommandDefinition(
            "SELECT id, name, created_at, last_used_at, expires_at, scope::text AS scope FROM crm.session WHERE kind = 'key' AND user_id = @userId ORDER BY created_at",
            new { userId },
            cancellationToken: ct));
        return [.. rows.Select(r => new ApiKey(r.Id, r.Name, r.Created_At, r.Last_Used_At, r.Expires_At, r.Scope is null ? null : AccessScope.Parse(r.Scope)))];
    }

    /// <summary>Ends one sign-in of a user.</summary>
    /// <returns>False when the user has no such sign-in.</returns>
    public async Task<bool> EndAsync(Guid userId, Guid id, CancellationToken ct) =>
        await ExecuteAndTellAsync("DELETE FROM crm.session WHERE user_id = @userId AND id = @id", userId, id, ct) > 0;

    /// <summary>Ends every sign-in of a user except one.</summary>
    public Task EndOthersAsync(Guid userId, Guid? except, CancellationToken ct) =>
        ExecuteAndTellAsync("DELETE FROM crm.session WHERE user_id = @userId AND id IS DISTINCT FROM @id", userId, except, ct);

    private async Task<int> ExecuteAndTellAsync(string sql, Guid userId, Guid? id, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var rows = await connection.ExecuteAsync(new CommandDefinition(sql, new { userId, id }, transaction, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, @user)", new { Channel, user = userId.ToString() }, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        // The other hosts are told; this one must not answer from memory before it is told too.
        cache.Forget(userId);
        return rows;
    }

    private async Task<Session?> LoadAsync(string sql, object parameters, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var found = await connection.QuerySingleOrDefaultAsync<SessionRow>(new CommandDefinition(sql, parameters, cancellationToken: ct));
        if (found is null)
        {
            return null;
        }

        await connection.ExecuteAsync(new CommandDefinition(
            $"UPDATE crm.session SET last_used_at = now(), expires_at = {Expiry} WHERE id = @Id AND last_used_at < now() - interval '5 minutes'",
            new { found.Id },
            cancellationToken: ct));
        var scope = found.Scope is null ? null : AccessScope.Parse(found.Scope);
        return new(found.Id, Enum.Parse<SessionKind>(found.Kind), found.User_Id, found.User_Name, found.Name, found.Is_Administrator && scope is null, scope);
    }

    private static string Name(SessionKind kind) => kind switch
    {
        SessionKind.Browser => "browser",
        SessionKind.Token => "token",
        _ => "key",
    };

    private sealed record SessionRow(Guid Id, string Kind, Guid User_Id, string User_Name, string Name, bool Is_Administrator, string? Scope);

    private sealed record KeyRow(Guid Id, string Name, DateTime Created_At, DateTime Last_Used_At, DateTime? Expires_At, string? Scope);
}

/// <summary>A personal API key as its owner sees it; the key itself is shown only when it is made.</summary>
internal sealed record ApiKey(Guid Id, string Name, DateTime CreatedAt, DateTime LastUsedAt, DateTime? ExpiresAt, AccessScope? Scope);
