using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Records;
using Crm.Records.Jobs;
using Crm.Sdk.Web.Live;

namespace Crm.Host.Pages.Live;

/// <summary>Passes on to the open pages of this host what all hosts announce. When the connection that listens was lost, everything may have changed meanwhile.</summary>
internal sealed class LiveFeed(Notifications notifications, LiveHub hub) : IHostedService, IDisposable
{
    /// <summary>What pages follow that show jobs; no entity has such a name.</summary>
    public const string Jobs = "crm.job";

    private ImmutableArray<IDisposable> subscriptions = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        subscriptions =
        [
            Subscribe(ChangeAnnouncer.Channel, TellOfRecords),
            // Which job it is does not matter: pages of jobs read again what they show.
            Subscribe(JobQueue.WorkChannel, _ => hub.Tell(LiveChange.AnyOf(Jobs))),
            Subscribe(JobQueue.ProgressChannel, _ => hub.Tell(LiveChange.AnyOf(Jobs))),
        ];
        return Task.CompletedTask;

        IDisposable Subscribe(string channel, Action<string> told) => notifications.Subscribe(channel, (payload, _) =>
        {
            told(payload);
            return Task.CompletedTask;
        });
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
    }

    private void TellOfRecords(string payload)
    {
        if (payload.Length == 0)
        {
            hub.TellAll();
        }
        else
        {
            var (entity, versions) = ChangeAnnouncer.Read(payload);
            hub.Tell(new LiveChange(entity, versions));
        }
    }
}
