using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Crm.Host.Webhooks;

/// <summary>Secrets of webhooks and what is signed with them, as https://www.standardwebhooks.com describes it.</summary>
internal sealed class WebhookSecrets(IDataProtectionProvider protection)
{
    private const string Prefix = "whsec_";

    private readonly IDataProtector protector = protection.CreateProtector("webhook secrets");

    /// <summary>A new secret as the receiver gets it, and sealed for the database.</summary>
    public (string Secret, string Sealed) Create()
    {
        var secret = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        return (secret, protector.Protect(secret));
    }

    /// <summary>The header <c>webhook-signature</c>.</summary>
    /// <param name="sealedSecret">The secret as the database has it.</param>
    /// <param name="id">The header <c>webhook-id</c>.</param>
    /// <param name="seconds">The header <c>webhook-timestamp</c>, in seconds since 1970.</param>
    /// <param name="payload">The body.</param>
    /// <exception cref="CryptographicException">The keys that sealed the secret are gone.</exception>
    public string Sign(string sealedSecret, Guid id, long seconds, string payload)
    {
        var key = Convert.FromBase64String(protector.Unprotect(sealedSecret)[Prefix.Length..]);
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{seconds}.{payload}"));
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
    }
}
