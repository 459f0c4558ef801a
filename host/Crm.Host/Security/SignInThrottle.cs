using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Crm.Metadata;
using Dapper;

namespace Crm.Host.Security;

/// <summary>
/// Slows guessing down, on all hosts together: by account and address, and by address over all accounts. Never by account alone, or a stranger
/// could keep its owner out. Whether the account exists makes no difference.
/// </summary>
internal sealed class SignInThrottle(CrmDatabase database)
{
    private const int AccountLimit = 5;
    private const int AddressLimit = 50;

    // One statement per key: counting before checking keeps a hundred guesses sent at once from all being checked.
    private const string Count =
        """
        INSERT INTO crm.sign_in_attempt AS a (key, failures, last_at) VALUES (@key, 1, now())
        ON CONFLICT (key) DO UPDATE SET
            was_refused = coalesce(a.blocked_until > now(), false),
            failures = CASE
                WHEN a.blocked_until > now() THEN a.failures
                WHEN a.last_at < now() - interval '15 minutes' THEN 1
                ELSE a.failures + 1 END,
            blocked_until = CASE
                WHEN a.blocked_until > now() THEN a.blocked_until
                WHEN a.last_at >= now() - interval '15 minutes' AND a.failures + 1 >= @limit
                    THEN now() + least(interval '30 seconds' * power(2, least(a.failures + 1 - @limit, 10)), interval '15 minutes') END,
            last_at = CASE WHEN a.blocked_until > now() THEN a.last_at ELSE now() END
        RETURNING CASE WHEN was_refused THEN greatest(1, ceil(extract(epoch FROM blocked_until - now())))::int END
        """;

    /// <summary>Counts an attempt before it is checked.</summary>
    /// <returns>How long to wait; null when it may be checked now.</returns>
    public async Task<TimeSpan?> BeginAsync(SignInOrigin origin, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        int? wait = null;
        foreach (var (key, limit) in Keys(origin))
        {
            var seconds = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(Count, new { key, limit }, cancellationToken: ct));
            wait = seconds > (wait ?? 0) ? seconds : wait;
        }

        return wait is { } found ? TimeSpan.FromSeconds(found) : null;
    }

    /// <summary>Takes the attempt back: the password was right.</summary>
    public async Task SucceedAsync(SignInOrigin origin, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            DELETE FROM crm.sign_in_attempt WHERE key = @account OR last_at < now() - interval '1 day';
            UPDATE crm.sign_in_attempt SET failures = greatest(failures - 1, 0), blocked_until = NULL WHERE key = @address
            """,
            new { account = Key("account", origin.Place, origin.UserName), address = Key("address", origin.Place) },
            cancellationToken: ct));
    }

    private static IEnumerable<(byte[] Key, int Limit)> Keys(SignInOrigin origin)
    {
        yield return (Key("account", origin.Place, origin.UserName), AccountLimit);
        if (!origin.IsKnownDevice)
        {
            yield return (Key("address", origin.Place), AddressLimit);
        }
    }

    private static byte[] Key(params ReadOnlySpan<string> parts) => SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts)));
}

/// <summary>Where an attempt to sign in comes from.</summary>
/// <param name="UserName">The account it is for, in lower case.</param>
/// <param name="Place">A browser that signed in to this account before, or else the address.</param>
/// <param name="IsKnownDevice">Whether it is such a browser.</param>
internal sealed record SignInOrigin(string UserName, string Place, bool IsKnownDevice)
{
    public static SignInOrigin Of(string userName, IPAddress? address, string? device)
    {
        // Far longer names than any account has would only fill the table.
        var name = userName.Length > 256 ? userName[..256] : userName;
        return new(name.ToLower(CultureInfo.InvariantCulture), device ?? Network(address), device is not null);
    }

    // A household or a server gets a whole /64 of IPv6: its addresses are one.
    private static string Network(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
    }
}
