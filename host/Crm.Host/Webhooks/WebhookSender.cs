using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Crm.Metadata;
using Crm.Records;
using Crm.Records.Webhooks;
using Crm.Sdk;

namespace Crm.Host.Webhooks;

/// <summary>Sends what is due, each webhook on its own so that a slow receiver holds up nobody else. Several hosts share the work.</summary>
internal sealed class WebhookSender : BackgroundService
{
    private const int Batch = 16;
    private const int MaxAnswer = 2000;

    // Longer than an attempt of a whole batch can take.
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Answering = TimeSpan.FromSeconds(15);

    private readonly WebhookStore store;
    private readonly DeliveryQueue queue;
    private readonly WebhookSecrets secrets;
    private readonly WebhookPayloads payloads;
    private readonly BehaviorSource behaviors;
    private readonly Notifications notifications;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly HttpClient client;
    private readonly WakeUp wake = new();
    private readonly Dictionary<Guid, Task> running = [];
    private DateTimeOffset clearAt;

    public WebhookSender(
        WebhookStore store, DeliveryQueue queue, WebhookSecrets secrets, WebhookPayloads payloads, BehaviorSource behaviors, Notifications notifications, CrmSettings settings, TimeProvider time,
        ILogger<WebhookSender> log)
    {
        (this.store, this.queue, this.secrets, this.payloads, this.behaviors, this.notifications, this.time, this.log) =
            (store, queue, secrets, payloads, behaviors, notifications, time, log);
        // A redirect could lead to where the address itself may not.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) };
        if (!settings.AllowPrivateWebhooks)
        {
            handler.ConnectCallback = PublicAddresses.ConnectAsync;
        }

        client = new HttpClient(handler) { Timeout = Answering, MaxResponseContentBufferSize = 64 * 1024 };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("Crm-Webhooks/1");
    }

    public override void Dispose()
    {
        client.Dispose();
        wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = notifications.Subscribe(WebhookStore.Channel, async (_, ct) =>
        {
            behaviors.HearOutside("webhooks", await store.HeardAsync(ct));
            wake.Call();
        });
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Interval;
            try
            {
                if (time.GetUtcNow() >= clearAt)
                {
                    await queue.ClearAsync(stoppingToken);
                    clearAt = time.GetUtcNow().AddHours(1);
                }

                var (due, next) = await queue.DueAsync(stoppingToken);
                foreach (var webhook in due.Where(w => !running.TryGetValue(w, out var work) || work.IsCompleted))
                {
                    running[webhook] = Task.Run(() => DrainAsync(webhook, stoppingToken), CancellationToken.None);
                }

                pause = next < Interval ? next.Value : Interval;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception problem) when (problem is DbException or TimeoutException)
            {
                log.LogWarning(problem, "What is due for webhooks cannot be read; trying again.");
            }

            await wake.SleepAsync(pause, stoppingToken);
        }

        await Task.WhenAll(running.Values);
    }

    private async Task DrainAsync(Guid webhook, CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested && await SendAsync(webhook, ct))
            {
            }
        }
        catch (Exception problem) when (problem is DbException or TimeoutException or OperationCanceledException or QueryException)
        {
            // What was leased and not settled is sent again when the lease ends.
            if (!ct.IsCancellationRequested)
            {
                log.LogWarning(problem, "The webhook {Webhook} could not be served; trying again.", webhook);
            }
        }
        finally
        {
            // Something may have become due between the last look and now.
            wake.Call();
        }
    }

    /// <summary>Sends what is due, records side by side; false when nothing was.</summary>
    private async Task<bool> SendAsync(Guid webhook, CancellationToken ct)
    {
        if (await queue.TargetAsync(webhook, ct) is not var (target, actor))
        {
            return false;
        }

        var leased = await queue.LeaseAsync(webhook, Batch, Lease, ct);
        if (leased.IsEmpty)
        {
            return false;
        }

        if (actor is null)
        {
            foreach (var delivery in leased)
            {
                await queue.SettleAsync(delivery, isDelivered: false, null, WebhookTexts.Of("MakerGone"), isFinal: true, ct);
            }

            return true;
        }

        var fresh = leased.Where(d => d.Payload is null).ToList();
        var written = fresh.Count == 0 ? [] : await payloads.WriteAsync(fresh, actor, ct);
        await queue.KeepAsync(written, ct);
        await Task.WhenAll(leased.Select(d => SendAsync(target, d, d.Payload ?? written[d.Id], ct)));
        return true;
    }

    private async Task SendAsync(WebhookTarget target, LeasedDelivery delivery, string payload, CancellationToken ct)
    {
        int? status = null;
        string? answer;
        try
        {
            var seconds = time.GetUtcNow().ToUnixTimeSeconds();
            using var request = new HttpRequestMessage(HttpMethod.Post, target.Url) { Content = new StringContent(payload, Encoding.UTF8, "application/json") };
            request.Headers.Add("webhook-id", delivery.Id.ToString());
            request.Headers.Add("webhook-timestamp", seconds.ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("webhook-signature", secrets.Sign(target.Secret, delivery.Id, seconds, payload));
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            status = (int)response.StatusCode;
            answer = await BeginningAsync(response, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping: it is sent again, maybe a second time, under the same id.
            return;
        }
        catch (OperationCanceledException)
        {
            answer = WebhookTexts.Of("NoAnswer", (int)Answering.TotalSeconds);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or CryptographicException or FormatException)
        {
            // The innermost says what happened; those around it, that something did.
            answer = problem.GetBaseException().Message;
        }

        await queue.SettleAsync(delivery, status is >= 200 and < 300, status, answer, isFinal: false, CancellationToken.None);
    }

    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Answering);
        await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
        var bytes = new byte[MaxAnswer];
        var read = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, limit.Token);
        // Text columns hold no zeros, and half a character at the end becomes U+FFFD.
        return Encoding.UTF8.GetString(bytes, 0, read).Replace("\0", "", StringComparison.Ordinal);
    }
}
