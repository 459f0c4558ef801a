using Crm.Sdk.Web.Live;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Crm.Host.Pages.Live;

/// <summary>Pages whose browser is away, kept for when it comes back, do not read what nobody sees.</summary>
internal sealed class LiveCircuit(LivePages pages) : CircuitHandler
{
    public override Task OnConnectionDownAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        pages.IsConnected = false;
        return Task.CompletedTask;
    }

    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        pages.IsConnected = true;
        return Task.CompletedTask;
    }
}
