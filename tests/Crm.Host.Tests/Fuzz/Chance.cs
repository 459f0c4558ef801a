using System.Globalization;
using System.Text;

namespace Crm.Host.Tests.Fuzz;

/// <summary>
/// Chance that is the same in every run. <c>CRM_TEST_SEED</c> tries another one, <c>CRM_TEST_RUNS</c> that many times as much (<c>CRM_TEST_RUNS=100</c>).
/// </summary>
internal sealed class Chance
{
    /// <summary>What programs stumble over, as JSON.</summary>
    public static readonly string[] NastyJson =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "-1e400", "99999999999999999999999999", "1e-400", "9223372036854775808", "\"\"", "\" \"", "\"\\u0000\"", "\"\\ud800\"", "\"a\\udfffb\"", "\"\\ud83d\\ude00\"",
        "[]", "{}", "[[[[[[[[[[]]]]]]]]]]", "[null]", "{\"\":1}", "{\"a\":{\"b\":{\"c\":null}}}", "\"x_deal\"", "\"01890a5d-ac96-774b-bcce-b302099a8057\"", "\"00000000-0000-0000-0000-000000000000\"",
        "\"'; drop table x_deal; --\"", "\"=1+1\"", "\"../../../etc/passwd\"", "\"${7*7}{{7*7}}\"", "\"2026-13-45\"", "\"9999-12-31T23:59:59.9999999Z\"", "\"0001-01-01T00:00:00+14:00\"", "\"10000-01-01\"",
        "\"24:00:00\"", "\"NaN\"", "\"\\u202e\\u0007\\ufeff\"", "[1,\"a\",null,{}]", "{\"amount\":1,\"currency\":\"§\"}", "[{\"kind\":1,\"value\":{}}]", "{\"add\":[{}],\"remove\":7}", "{\"all\":[{\"all\":[]}]}",
        "\"" + new string('x', 5000) + "\"", "[" + string.Join(',', Enumerable.Repeat("\"a\"", 2000)) + "]",
    ];

    private readonly Random random;

    private Chance(Random random) => this.random = random;

    /// <summary>Chance for one test.</summary>
    public static Chance For(string test)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("CRM_TEST_SEED") ?? "20261122", CultureInfo.InvariantCulture);
        // The hash of a text differs from run to run, this one does not.
        return new Chance(new Random(test.Aggregate(seed, (hash, c) => unchecked((hash * 31) + c))));
    }

    /// <summary>How often to try.</summary>
    public static int Runs(int usual) => usual * int.Parse(Environment.GetEnvironmentVariable("CRM_TEST_RUNS") ?? "1", CultureInfo.InvariantCulture);

    public int Next(int limit) => random.Next(limit);

    public bool OneIn(int times) => random.Next(times) == 0;

    public T Of<T>(params IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>The text with a few places damaged.</summary>
    public string Damage(string text, params IReadOnlyList<string> splinters)
    {
        var damaged = new StringBuilder(text);
        for (var n = 1 + random.Next(3); n > 0; n--)
        {
            var at = random.Next(damaged.Length + 1);
            switch (random.Next(4))
            {
                case 0:
                    damaged.Length = at;
                    break;
                case 1:
                    damaged.Remove(at, Math.Min(random.Next(8), damaged.Length - at));
                    break;
                default:
                    damaged.Insert(at, Of(splinters));
                    break;
            }
        }

        return damaged.ToString();
    }

    /// <summary>The bytes with a few places damaged.</summary>
    public byte[] Damage(byte[] bytes, params IReadOnlyList<byte[]> splinters)
    {
        var damaged = bytes.ToList();
        for (var n = 1 + random.Next(3); n > 0; n--)
        {
            var at = random.Next(damaged.Count + 1);
            switch (random.Next(5))
            {
                case 0:
                    damaged.RemoveRange(at, damaged.Count - at);
                    break;
                case 1 when at < damaged.Count:
                    damaged[at] = (byte)random.Next(256);
                    break;
                default:
                    damaged.InsertRange(at, Of(splinters));
                    break;
            }
        }

        return [.. damaged];
    }
}
