using System.Threading.Channels;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.HtmlRendering.Infrastructure;
using Microsoft.AspNetCore.Components.RenderTree;
using Microsoft.AspNetCore.Components.Web.HtmlRendering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Host.Tests.Live;

/// <summary>A component of a page that somebody has open at a host, without a browser.</summary>
internal sealed class RenderedPage : IAsyncDisposable
{
    private readonly AsyncServiceScope scope;
    private readonly Drawing drawing;
    private HtmlRootComponent root;

    private RenderedPage(AsyncServiceScope scope) => (this.scope, drawing) = (scope, new Drawing(scope.ServiceProvider));

    public static async Task<RenderedPage> OpenAsync<T>(TestCrm host, Actor actor, Func<IServiceProvider, Task<Dictionary<string, object?>>> parameters)
        where T : IComponent
    {
        var page = new RenderedPage(host.Services.CreateAsyncScope());
        var services = page.scope.ServiceProvider;
        services.GetRequiredService<CurrentActor>().Set(actor);
        await services.GetRequiredService<Records.RecordEngine>().SnapshotOfAsync(actor);
        var given = await parameters(services);
        await page.drawing.Dispatcher.InvokeAsync(async () =>
        {
            page.root = page.drawing.BeginRenderingComponent(typeof(T), ParameterView.FromDictionary(given));
            await page.root.QuiescenceTask;
        });
        return page;
    }

    /// <summary>Does something as an event of the page would.</summary>
    public Task DoAsync(Action work) => drawing.Dispatcher.InvokeAsync(work);

    /// <summary>What is shown, once it is as wanted.</summary>
    public async Task<string> UntilAsync(Func<string, bool> isWanted)
    {
        while (true)
        {
            var html = await drawing.Dispatcher.InvokeAsync(root.ToHtmlString);
            if (isWanted(html))
            {
                return html;
            }

            await drawing.Drawn.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    public Task<string> ShowsAsync(string text) => UntilAsync(html => html.Contains(text, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await drawing.DisposeAsync();
        await scope.DisposeAsync();
    }

    private sealed class Drawing(IServiceProvider services) : StaticHtmlRenderer(services, NullLoggerFactory.Instance)
    {
        public Channel<bool> Drawn { get; } = Channel.CreateUnbounded<bool>();

        protected override Task UpdateDisplayAsync(in RenderBatch renderBatch)
        {
            Drawn.Writer.TryWrite(true);
            return base.UpdateDisplayAsync(renderBatch);
        }
    }
}
