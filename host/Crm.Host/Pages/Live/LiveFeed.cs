using Crm.Metadata;
using Crm.Records;
using Crm.Sdk.Web.Live;

namespace Crm.Host.Pages.Live;

/// <summary>Passes on to the open pages of this host what all hosts announce. When the connection that listens was lost, everything may have changed meanwhile.</summary>
internal sealed class LiveFeed(Notifications notifications, LiveHub hub) : IHostedService, IDisposable
{
    private IDisposable? subscription;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        subscription = notifications.Subscribe(ChangeAnnouncer.Channel, (payload, _) =>
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

            return Task.CompletedTask;
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => subscription?.Dispose();
}
