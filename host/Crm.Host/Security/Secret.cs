using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Crm.Host.Security;

/// <summary>Tokens and keys: 256 random bits, of which the database knows only the hash. They need no slow hash because they cannot be guessed.</summary>
internal static class Secret
{
    /// <summary>Makes one; the prefix lets scanners of code and logs recognise it.</summary>
    public static string Create(SessionKind kind) =>
        (kind == SessionKind.Key ? "crm_key_" : "crm_token_") + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
