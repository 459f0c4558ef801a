using Crm.Metadata;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Records;

/// <summary>
/// Tells listeners of committed changes: at least once, in order per record, one host at a time. A row leaves the outbox only after every listener has handled
/// it; a host that dies leaves its rows to the next one. A module that is off when an event is due is not told of it.
/// </summary>
public sealed class OutboxDispatcher(
    CrmDatabase database, BehaviorSource behaviors, Notifications notifications, IEnumerable<IOutboxConsumer> consumers, ILogger<OutboxDispatcher> log) : BackgroundService
{
    // Whoever holds this lock dispatches; it ends with its connection.
    private const long LockKey = 0x43524d_4f555442;
    private const int BatchSize = 500;
    private const int Lanes = 4;

    private readonly OutboxStore store = new(database);
    private readonly WakeUp wake = new();
    private readonly WakeUp written = new();
    private int isWritten;
    private volatile bool isLeading;

    /// <summary>How often a host looks whether the one that dispatches is gone, and the one that dispatches whether it missed something.</summary>
    internal TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after one another commits wake whoever dispatches; what somebody listens to wakes it by itself.</summary>
    internal TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The pause after the first failure; it doubles with each further one, up to an hour.</summary>
    internal TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a listener may take.</summary>
    internal TimeSpan ListenerTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        behaviors.Written += OnWritten;
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        behaviors.Written -= OnWritten;
        wake.Dispose();
        written.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = notifications.Subscribe(HistoryStore.Channel, (_, _) =>
        {
            wake.Call();
            return Task.CompletedTask;
        });
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var telling = TellLeaderAsync(over.Token);
        try
        {
            await LeadInTurnAsync(stoppingToken);
        }
        finally
        {
            await over.CancelAsync();
            await telling;
        }
    }

    private async Task LeadInTurnAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LeadAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is NpgsqlException or TimeoutException)
            {
                log.LogWarning(problem, "The outbox cannot be read; trying again.");
                await wake.SleepAsync(Interval, stoppingToken);
            }
            finally
            {
                isLeading = false;
            }
        }
    }

    private void OnWritten()
    {
        if (Interlocked.Exchange(ref isWritten, 1) == 0)
        {
            written.Call();
        }
    }

    /// <summary>
    /// Wakes whoever dispatches, here or on another host, soon after commits of this host: pages show what others change. Not in the commits themselves, because those
    /// with an announcement wait for one another.
    /// </summary>
    private async Task TellLeaderAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await written.SleepAsync(TimeSpan.FromDays(1), ct);
            if (Interlocked.Exchange(ref isWritten, 0) == 0)
            {
                continue;
            }

            if (isLeading)
            {
                wake.Call();
            }
            else
            {
                await TellOtherHostAsync(ct);
            }

            await Task.Delay(Pace, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TellOtherHostAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = await database.OpenAsync(ct);
            await using var command = new NpgsqlCommand("SELECT pg_notify($1, '')", connection) { Parameters = { new() { Value = HistoryStore.Channel } } };
            await command.ExecuteNonQueryAsync(ct);
        }
        catch (Exception problem) when (problem is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // It looks by itself before long.
            log.LogDebug(problem, "The host that dispatches could not be woken.");
        }
    }

    /// <summary>Dispatches while this host holds the lock; returns when another one does.</summary>
    private async Task LeadAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        await using (var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = LockKey } } })
        {
            if (!behaviors.IsKnown || await command.ExecuteScalarAsync(ct) is not true)
            {
                await wake.SleepAsync(Interval, ct);
                return;
            }
        }

        isLeading = true;
        while (!ct.IsCancellationRequested)
        {
            var due = await OutboxStore.DueAsync(connection, BatchSize, ct);
            long[] fresh = [.. due.Where(r => r.Attempts == 0).Select(r => r.Id)];
            foreach (var consumer in fresh.Length > 0 ? consumers : [])
            {
                // Before anybody is told: a row leaves the outbox only when nobody is left to be told of it.
                await consumer.TakeAsync(connection, fresh, ct);
            }

            await DispatchAsync(due, ct);
            if (due.Count < BatchSize)
            {
                var next = await OutboxStore.NextAsync(connection, ct);
                await wake.SleepAsync(next < Interval ? next.Value : Interval, ct);
            }
        }
    }

    private async Task DispatchAsync(List<OutboxRow> due, CancellationToken ct)
    {
        var current = behaviors.Current;
        var (heard, unheard) = (due.Where(r => !current.ListenersOf(r.Entity).IsEmpty), due.Where(r => current.ListenersOf(r.Entity).IsEmpty).ToList());
        if (unheard.Count > 0)
        {
            await store.DeleteAsync(unheard.Select(r => r.Id), ct);
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = Lanes, CancellationToken = ct };
        await Parallel.ForEachAsync(heard.GroupBy(r => r.RecordId), options, async (record, token) =>
        {
            foreach (var row in record)
            {
                if (!await TellAsync(row, current, token))
                {
                    // What happened to this record later is told later.
                    break;
                }
            }
        });
    }

    private async Task<bool> TellAsync(OutboxRow row, RecordBehaviors current, CancellationToken ct)
    {
        var told = row.Told.ToHashSet(StringComparer.Ordinal);
        var problems = new List<string>();
        foreach (var binding in current.ListenersOf(row.Entity))
        {
            var name = $"{binding.Module}/{binding.Type.FullName}";
            if (!told.Contains(name) && !await TellAsync(binding, row, problems, ct))
            {
                continue;
            }

            told.Add(name);
        }

        // A host that is stopping still writes down what was handled, so that it is not told again.
        if (problems.Count == 0)
        {
            await store.DeleteAsync([row.Id], CancellationToken.None);
            return true;
        }

        var pause = FirstPause * Math.Pow(2, Math.Min(row.Attempts, 20));
        await store.PostponeAsync(row, told, pause < TimeSpan.FromHours(1) ? pause : TimeSpan.FromHours(1), string.Join('\n', problems), CancellationToken.None);
        return false;
    }

    private async Task<bool> TellAsync(BehaviorBinding binding, OutboxRow row, List<string> problems, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(ListenerTimeout);
        try
        {
            await using var scope = binding.Scopes.CreateAsyncScope();
            var listener = (IRecordListener)scope.ServiceProvider.GetRequiredService(binding.Type);
            await listener.HandleAsync(row.ToEvent(), limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception problem)
        {
            // A listener of a module may fail in any way; the row remembers how, and it is told again.
            log.LogWarning(problem, "The module {Module} failed to handle event {Event} in {Listener}; it is told again.", binding.Module, row.Id, binding.Type.Name);
            problems.Add($"{binding.Module}/{binding.Type.Name}: {problem.GetType().Name}: {problem.Message}");
            return false;
        }
    }
}
