using System.Text;
using Crm.Metadata;
using Dapper;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Crm.Host.Security;

/// <summary>Keeps and checks passwords; only their hashes are stored.</summary>
internal sealed class Passwords(CrmDatabase database)
{
    // PBKDF2 with HMAC-SHA512; the number of rounds OWASP asks for.
    private static readonly PasswordHasher<Session> Hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = 210_000 }));

    // Checked when there is no such account, so that the answer takes as long.
    private static readonly Lazy<string> NobodysHash = new(() => Hasher.HashPassword(null!, Guid.CreateVersion7().ToString()));

    /// <summary>Who signs in with this name and password; null when nobody does.</summary>
    public async Task<Account?> CheckAsync(string userName, string password, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var account = await connection.QueryFirstOrDefaultAsync<Account>(new CommandDefinition(
            """
            SELECT u.id, u.user_name AS userName, c.password_hash AS hash, u.can_sign_in AND u.is_active AS maySignIn
            FROM records."user" u JOIN crm.credential c ON c.user_id = u.id
            WHERE lower(u.user_name) = lower(@userName)
            ORDER BY u.user_name = @userName DESC
            """,
            new { userName },
            cancellationToken: ct));
        var fits = Fits(account?.Hash ?? NobodysHash.Value, password);
        return fits && account is { MaySignIn: true } ? account : null;
    }

    /// <summary>Whether this is the password of the user.</summary>
    public async Task<bool> IsAsync(Guid userId, string password, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var hash = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("SELECT password_hash FROM crm.credential WHERE user_id = @userId", new { userId }, cancellationToken: ct));
        return hash is not null && Fits(hash, password);
    }

    /// <summary>Gives a user a password.</summary>
    public async Task SetAsync(Guid userId, string password, CancellationToken ct)
    {
        var hash = Hasher.HashPassword(null!, Normalize(password));
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.credential (user_id, password_hash) VALUES (@userId, @hash)
            ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = now()
            """,
            new { userId, hash },
            cancellationToken: ct));
    }

    private static bool Fits(string hash, string password) =>
        password.Length <= PasswordRules.MaxLength && Hasher.VerifyHashedPassword(null!, hash, Normalize(password)) != PasswordVerificationResult.Failed;

    // The same letters typed on another keyboard may be other code points.
    private static string Normalize(string password) => password.IsNormalized(NormalizationForm.FormKC) ? password : password.Normalize(NormalizationForm.FormKC);

    /// <summary>What is needed to sign somebody in.</summary>
    internal sealed record Account(Guid Id, string UserName, string Hash, bool MaySignIn);
}
