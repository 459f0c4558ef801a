using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;

namespace Crm.Rules;

/// <summary>
/// A few warm worker processes that run scripts. Nothing is started before the first script. A script that does not end, needs too much memory or ends its process costs
/// that process, which is replaced; who uses another one notices nothing.
/// </summary>
public sealed class ScriptWorkers : IAsyncDisposable
{
    /// <summary>Longest script, in characters.</summary>
    public const int MaxLength = 100_000;

    // Bytes of records in one message; a worker holds them as text, and its memory is limited.
    private const int MaxMessage = 1024 * 1024;

    private const int MaxChecks = 1000;

    // A batch in which one record after the other ends a worker is given up.
    private const int MaxLosses = 2;

    private readonly SemaphoreSlim free = new(Size);
    private readonly ConcurrentBag<WorkerProcess> idle = [];
    private readonly ConcurrentDictionary<string, ScriptCheck> checks = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource closing = new();
    private int starting;
    private int lost;

    /// <summary>How many scripts run at the same time.</summary>
    public static int Size { get; } = Math.Clamp(Environment.ProcessorCount, 2, 8);

    /// <summary>What a worker may hold, in bytes.</summary>
    public long MemoryBytes { get; init; } = 128L * 1024 * 1024;

    /// <summary>How much longer than its budget a script may take before its process is ended: what the engine cannot stop itself.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a caller waits for a worker.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How many processes had to be ended or ended by themselves.</summary>
    public int Lost => lost;

    /// <summary>Told of each of them: its process id and why.</summary>
    public Action<int, ScriptFailureKind>? WorkerLost { get; init; }

    /// <summary>Whether a script can be read, and the properties it names.</summary>
    public async Task<ScriptCheck> CheckAsync(string script, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(script);
        if (checks.TryGetValue(script, out var known))
        {
            return known;
        }

        var check = new ScriptCheck(new ScriptFailure(ScriptFailureKind.Ended, ""), []);
        await AskAsync([(WorkerMessages.Check(script), 1)], TimeSpan.FromSeconds(5), (_, json) => check = ReadCheck(json), (_, failure) => check = new ScriptCheck(failure, []), ct);
        // Being busy says nothing about the script.
        if (check.Failure is not { Kind: ScriptFailureKind.Busy or ScriptFailureKind.Time })
        {
            if (checks.Count >= MaxChecks)
            {
                checks.Clear();
            }

            checks[script] = check;
        }

        return check;
    }

    /// <summary>Runs a script on many records.</summary>
    /// <param name="call">The script and for whom it runs.</param>
    /// <param name="records">Each an object with <c>record</c>, <c>before</c> and <c>changed</c>, as JSON.</param>
    /// <param name="ct">Ends the worker that runs it.</param>
    /// <returns>One answer for each record, in their order.</returns>
    public async Task<ImmutableArray<ScriptAnswer>> RunAsync(ScriptCall call, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(records);
        var answers = new ScriptAnswer[records.Count];
        var next = 0;
        for (var losses = 0; next < records.Count; losses++)
        {
            var stopped = (ScriptFailure?)null;
            var first = next;
            await AskAsync(
                Messages(call, records, first),
                call.Budget,
                (_, json) => answers[next++] = ReadAnswer(json),
                (_, failure) => stopped = failure,
                ct);
            if (stopped is null)
            {
                break;
            }

            // It was at this one when it ended. Those behind it are run again elsewhere, unless it happens time and again.
            var until = losses >= MaxLosses || stopped.Kind == ScriptFailureKind.Busy ? records.Count : next + 1;
            while (next < until)
            {
                answers[next++] = ScriptAnswer.Failed(stopped, call.Budget);
            }
        }

        return [.. answers];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        while (idle.TryTake(out var worker))
        {
            await worker.DisposeAsync();
        }
    }

    private static IEnumerable<(byte[] Message, int Answers)> Messages(ScriptCall call, IReadOnlyList<ReadOnlyMemory<byte>> records, int first)
    {
        while (first < records.Count)
        {
            var (end, bytes) = (first, 0);
            do
            {
                bytes += records[end++].Length;
            }
            while (end < records.Count && bytes + records[end].Length <= MaxMessage);
            yield return (WorkerMessages.Run(call, records.Skip(first).Take(end - first)), end - first);
            first = end;
        }
    }

    /// <summary>Sends messages to one worker and waits for each answer.</summary>
    private async Task AskAsync(
        IEnumerable<(byte[] Message, int Answers)> messages, TimeSpan budget, Action<int, JsonElement> answered, Action<int, ScriptFailure> failed, CancellationToken ct)
    {
        if (!await free.WaitAsync(Patience, ct))
        {
            failed(0, new ScriptFailure(ScriptFailureKind.Busy, ""));
            return;
        }

        WorkerProcess? worker = null;
        try
        {
            worker = await TakeAsync(ct);
            var count = 0;
            foreach (var (message, answers) in messages)
            {
                // A worker that ends while it is written to is found out when it is read from.
                var sending = worker.SendAsync(message, ct).AsTask();
                for (var i = 0; i < answers; i++)
                {
                    var (answer, failure) = await ReceiveAsync(worker, budget + Grace, ct);
                    if (failure is not null)
                    {
                        await LoseAsync(worker, failure, sending);
                        worker = null;
                        failed(count, failure);
                        return;
                    }

                    using var json = JsonDocument.Parse(answer!);
                    answered(count++, json.RootElement);
                }

                await sending;
            }

            Return(worker);
            worker = null;
        }
        finally
        {
            if (worker is not null)
            {
                // The caller left in the middle: what it still answers would be taken for another's.
                await worker.DisposeAsync();
            }

            free.Release();
        }
    }

    private static async Task<(byte[]? Answer, ScriptFailure? Failure)> ReceiveAsync(WorkerProcess worker, TimeSpan time, CancellationToken ct)
    {
        try
        {
            if (await worker.ReceiveAsync(time, ct) is { } answer)
            {
                return (answer, null);
            }

            await worker.EndedAsync(ct);
            return (null, new ScriptFailure(worker.IsOutOfMemory ? ScriptFailureKind.Memory : ScriptFailureKind.Ended, ""));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (null, new ScriptFailure(ScriptFailureKind.Time, ""));
        }
    }

    private async Task LoseAsync(WorkerProcess worker, ScriptFailure failure, Task sending)
    {
        Interlocked.Increment(ref lost);
        WorkerLost?.Invoke(worker.Id, failure.Kind);
        await worker.DisposeAsync();
        try
        {
            await sending;
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody reads any more.
        }

        // The next caller should not wait for a start.
        _ = ReplaceAsync();
    }

    private async Task<WorkerProcess> TakeAsync(CancellationToken ct)
    {
        while (idle.TryTake(out var worker))
        {
            if (worker.IsAlive)
            {
                return worker;
            }

            await worker.DisposeAsync();
        }

        return await WorkerProcess.StartAsync(MemoryBytes, ct);
    }

    private async Task ReplaceAsync()
    {
        if (Interlocked.Increment(ref starting) <= Size)
        {
            try
            {
                Return(await WorkerProcess.StartAsync(MemoryBytes, closing.Token));
            }
            catch (Exception problem) when (problem is OperationCanceledException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // The next caller starts one himself, and is told why it cannot be started.
            }
        }

        Interlocked.Decrement(ref starting);
    }

    private void Return(WorkerProcess worker)
    {
        if (closing.IsCancellationRequested || idle.Count >= Size)
        {
            _ = worker.DisposeAsync().AsTask();
            return;
        }

        idle.Add(worker);
        // Closed in between: whoever closed has not seen it.
        if (closing.IsCancellationRequested && idle.TryTake(out var late))
        {
            _ = late.DisposeAsync().AsTask();
        }
    }

    private static ScriptCheck ReadCheck(JsonElement json) => json.TryGetProperty("failure", out var failure)
        ? new ScriptCheck(ScriptFailure.Read(failure), [])
        : new ScriptCheck(null, [.. json.GetProperty("fields").EnumerateArray().Select(f => (f[0].GetString()!, f[1].GetInt32(), f[2].GetInt32()))]);

    private static ScriptAnswer ReadAnswer(JsonElement json)
    {
        var took = TimeSpan.FromMilliseconds(json.GetProperty("ms").GetDouble());
        return json.TryGetProperty("failure", out var failure)
            ? ScriptAnswer.Failed(ScriptFailure.Read(failure), took)
            : new ScriptAnswer(
                [.. json.GetProperty("set").EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.Clone()))],
                [.. json.GetProperty("refused").EnumerateArray().Select(r => (r[0].GetString(), r[1].GetString()!))],
                null,
                took);
    }
}
