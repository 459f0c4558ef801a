using System.Collections.Frozen;
using System.Text;

namespace Crm.Host.Security;

/// <summary>Which passwords are accepted: long ones that are not among the first an attacker tries. No rules on kinds of characters, which only make passwords predictable.</summary>
internal static class PasswordRules
{
    public const int MinLength = 12;
    public const int MaxLength = 256;

    // Bases of the common passwords; with digits and signs around them, or repeated, they stay as common.
    private static readonly FrozenSet<string> Common = FrozenSet.ToFrozenSet(
    [
        "", "password", "passwort", "passwd", "pass", "passw", "qwerty", "qwertyuiop", "qwertz", "qwertzuiop", "azerty", "azertyuiop", "asdfgh", "asdfghjkl", "zxcvbnm",
        "qwertyuiopasdfghjkl", "qwertyuiopasdfghjklzxcvbnm", "qazwsx", "qazwsxedc", "qazwsxedcrfv", "qweasd", "qweasdzxc", "qwer", "asdf", "zxcv", "qwerasdf", "qwerasdfzxcv",
        "abc", "abcd", "abcdef", "abcdefg", "abcdefgh", "abcdefghij", "abcdefghijkl", "abcdefghijklmnopqrstuvwxyz", "a", "aa", "aaa", "x", "admin", "administrator", "root", "user", "guest",
        "test", "testing", "tester", "demo", "login", "welcome", "letmein", "letmeinplease", "changeme", "changeit", "default", "secret", "topsecret", "master", "access", "system",
        "iloveyou", "iloveyousomuch", "ilovemyself", "loveyou", "love", "lovely", "princess", "sunshine", "monkey", "dragon", "shadow", "superman", "batman", "spiderman", "starwars", "pokemon",
        "football", "baseball", "basketball", "liverpool", "manchesterunited", "chelsea", "arsenal", "barcelona", "realmadrid", "michael", "jordan", "jennifer", "daniel", "andrew", "joshua",
        "jessica", "charlie", "thomas", "killer", "trustno", "whatever", "freedom", "hello", "helloworld", "computer", "internet", "samsung", "google", "facebook", "microsoft", "company",
        "crm", "sales", "summer", "winter", "spring", "autumn", "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
        "onetwothree", "fuckyou", "motherfucker", "chocolate", "butterfly", "purple", "orange", "banana", "cookie", "cheese", "pepper", "ginger", "tigger", "flower", "soccer", "hockey",
        "correcthorsebatterystaple", "thisisapassword", "thisismypassword", "mypassword", "newpassword", "oldpassword", "nopassword", "passwordpassword", "q1w2e3r4t5y6", "1q2w3e4r5t6y", "1qaz2wsx3edc",
    ]);

    /// <summary>Why a password is refused, as a key of the texts; null when it is fine.</summary>
    public static string? Refuses(string password, string userName)
    {
        if (password.Length < MinLength)
        {
            return "PasswordShort";
        }

        if (password.Length > MaxLength)
        {
            return "PasswordLong";
        }

        var plain = password.ToLowerInvariant();
        var letters = Simplify(plain);
        return plain.Distinct().Count() < 4
            || IsRun(plain)
            || Common.Contains(plain)
            || Common.Contains(letters)
            || Common.Contains(Simplify(Repeated(plain)))
            || (userName.Length > 2 && plain.Contains(userName, StringComparison.OrdinalIgnoreCase))
                ? "PasswordCommon"
                : null;
    }

    // passw0rd!2026 → password
    private static string Simplify(string text)
    {
        var trimmed = text.Trim(' ', '!', '?', '.', ',', '-', '_', '*', '#', '$', '@', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        var result = new StringBuilder(trimmed.Length);
        foreach (var c in trimmed)
        {
            result.Append(c switch { '0' => 'o', '1' => 'i', '3' => 'e', '4' or '@' => 'a', '5' or '$' => 's', '7' => 't', _ => c });
        }

        return result.Replace(" ", "").Replace("-", "").Replace("_", "").ToString();
    }

    // letmeinletmein → letmein
    private static string Repeated(string text)
    {
        for (var length = 1; length <= text.Length / 2; length++)
        {
            if (text.Length % length == 0 && Enumerable.Range(0, text.Length - length).All(i => text[i] == text[i + length]))
            {
                return text[..length];
            }
        }

        return text;
    }

    // 123456789012, abcdefghijkl and backwards
    private static bool IsRun(string text) =>
        Enumerable.Range(1, text.Length - 1).Count(i => Math.Abs(text[i] - text[i - 1]) == 1) >= text.Length - 3;
}
