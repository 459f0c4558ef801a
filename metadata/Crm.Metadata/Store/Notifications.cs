using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Tells this host what other hosts announce with NOTIFY: one connection that listens for everybody. A subscriber is called with the payload, one call at a time;
/// with an empty text whenever listening begins (again), because something may have been missed until then.
/// </summary>
public sealed class Notifications(CrmDatabase database, TimeProvider time, ILogger<Notifications> log) : IAsyncDisposable
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly ILogger log = log;
    private ImmutableArray<Subscription> subscriptions = [];
    private CancellationTokenSource wake = new();
    private Task? loop;

    /// <summary>Asks to be told; the first subscription starts listening.</summary>
    /// <param name="channel">Name of the channel, for example <c>crm_metadata</c>.</param>
    /// <param name="handler">Called on a pool thread; what it throws is logged.</param>
    /// <returns>Ends the subscription.</returns>
    public IDisposable Subscribe(string channel, Func<string, CancellationToken, Task> handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(channel);
        ArgumentNullException.ThrowIfNull(handler);
        var subscription = new Subscription(channel, handler, this);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping.IsCancellationRequested, this);
            subscriptions = subscriptions.Add(subscription);
            loop ??= Task.Run(ListenAsync);
            wake.Cancel();
        }

        return subscription;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Task? running;
        lock (gate)
        {
            if (stopping.IsCancellationRequested)
            {
                return;
            }

            stopping.Cancel();
            running = loop;
        }

        if (running is not null)
        {
            await running;
        }

        foreach (var subscription in subscriptions)
        {
            await subscription.CloseAsync();
        }

        wake.Dispose();
        stopping.Dispose();
    }

    private async Task ListenAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await ListenOnceAsync(stopping.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                // Whatever broke the connection, listening must go on.
                if (stopping.IsCancellationRequested)
                {
                    return;
                }

                log.LogWarning(problem, "The connection that listens for changes of other hosts was lost; connecting again.");
                await Task.Delay(ReconnectDelay, time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenOnceAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        connection.Notification += (_, message) => Tell(s => s.Channel == message.Channel, message.Payload);
        var heard = new HashSet<Subscription>();
        while (true)
        {
            CancellationToken woken;
            ImmutableArray<Subscription> fresh;
            lock (gate)
            {
                if (wake.IsCancellationRequested)
                {
                    wake.Dispose();
                    wake = new CancellationTokenSource();
                }

                woken = wake.Token;
                fresh = [.. subscriptions.Where(s => !heard.Contains(s))];
            }

            foreach (var channel in fresh.Select(s => s.Channel).Distinct(StringComparer.Ordinal))
            {
                await using var listen = new NpgsqlCommand("LISTEN " + Sql.Quote(channel), connection);
                await listen.ExecuteNonQueryAsync(ct);
            }

            heard.UnionWith(fresh);
            Tell(fresh.Contains, "");

            using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, woken);
            try
            {
                // A connection that died without a word is noticed by the probe.
                if (!await connection.WaitAsync(ProbeInterval, both.Token))
                {
                    await using var probe = new NpgsqlCommand("SELECT 1", connection);
                    await probe.ExecuteNonQueryAsync(ct);
                }
            }
            catch (OperationCanceledException) when (woken.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                // Somebody subscribed.
            }
        }
    }

    private void Tell(Func<Subscription, bool> whom, string payload)
    {
        foreach (var subscription in subscriptions.Where(whom))
        {
            subscription.Tell(payload);
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (gate)
        {
            subscriptions = subscriptions.Remove(subscription);
        }
    }

    private sealed class Subscription : IDisposable
    {
        private readonly Channel<string> payloads = System.Threading.Channels.Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
        private readonly Notifications owner;
        private readonly Func<string, CancellationToken, Task> handler;
        private readonly Task pump;

        public Subscription(string channel, Func<string, CancellationToken, Task> handler, Notifications owner)
        {
            Channel = channel;
            this.handler = handler;
            this.owner = owner;
            var stop = owner.stopping.Token;
            pump = Task.Run(() => PumpAsync(stop), CancellationToken.None);
        }

        public string Channel { get; }

        public void Tell(string payload) => payloads.Writer.TryWrite(payload);

        public async Task CloseAsync()
        {
            payloads.Writer.TryComplete();
            await pump;
        }

        public void Dispose()
        {
            owner.Remove(this);
            payloads.Writer.TryComplete();
        }

        private async Task PumpAsync(CancellationToken stop)
        {
            await foreach (var payload in payloads.Reader.ReadAllAsync(CancellationToken.None))
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                try
                {
                    await handler(payload, stop);
                }
                catch (Exception problem)
                {
                    // One subscriber's fault must not silence the others.
                    // What a subscriber works with may be gone already while the host stops.
                    if (stop.IsCancellationRequested)
                    {
                        return;
                    }

                    owner.log.LogError(problem, "A subscriber of {Channel} failed.", Channel);
                }
            }
        }
    }
}
