using System.Text;
using System.Text.Json;

namespace Crm.Rules.Tests;

/// <summary>A pool of workers for the tests of one class.</summary>
public sealed class Pool : IAsyncLifetime
{
    private static readonly ReadOnlyMemory<byte> Deal = Encoding.UTF8.GetBytes(
        """{"record":{"amount":3,"note":null,"title":"hello","exact":12345678901234567.25,"tags":["x"]},"before":{"amount":2,"note":null,"title":"hello","exact":12345678901234567.25,"tags":["x"]},"changed":["amount"]}""");

    public IList<ScriptFailureKind> Reasons { get; } = new List<ScriptFailureKind>();

    public ScriptWorkers Workers { get; private set; } = null!;

    public Task InitializeAsync()
    {
        Workers = new ScriptWorkers
        {
            WorkerLost = (_, reason) =>
            {
                lock (Reasons)
                {
                    Reasons.Add(reason);
                }
            },
        };
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await Workers.DisposeAsync();

    /// <summary>A budget that a script which means well keeps on a busy machine too.</summary>
    public static ScriptCall Call(string script, int budget = 10_000) => new(script, TimeSpan.FromMilliseconds(budget), Guid.Empty, "Ada", true, new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero));

    public async Task<ScriptAnswer> RunAsync(string script, int budget = 10_000) => Assert.Single(await Workers.RunAsync(Call(script, budget), [Deal]));

    public Task<System.Collections.Immutable.ImmutableArray<ScriptAnswer>> RunManyAsync(string script, int count, int budget = 10_000) =>
        Workers.RunAsync(Call(script, budget), [.. Enumerable.Range(1, count).Select(i => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($$"""{"record":{"amount":{{i}}},"before":null,"changed":["amount"]}"""))]);

    /// <summary>What a script sets, as text.</summary>
    public async Task<string> SetsAsync(string script)
    {
        var answer = await RunAsync(script);
        Assert.Null(answer.Failure);
        return string.Join(" ", answer.Set.Select(s => s.Key + "=" + s.Value.GetRawText()));
    }

    /// <summary>What a script set, as a number.</summary>
    public static long Number(ScriptAnswer answer) => Assert.Single(answer.Set).Value is { ValueKind: JsonValueKind.Number } json ? json.GetInt64() : throw new InvalidOperationException("No number was set.");
}
