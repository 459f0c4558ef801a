using System.Collections.Concurrent;
using System.Threading.Channels;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.HtmlRendering.Infrastructure;
using Microsoft.AspNetCore.Components.RenderTree;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Components.Web.HtmlRendering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.JSInterop;

namespace Crm.Host.Tests.Live;

/// <summary>A component of a page that somebody has open at a host, without a browser.</summary>
internal sealed class RenderedPage : IAsyncDisposable
{
    private readonly AsyncServiceScope scope;
    private readonly Drawing drawing;
    private HtmlRootComponent root;

    private RenderedPage(AsyncServiceScope scope, ServicesInstead services) => (this.scope, drawing) = (scope, new Drawing(services));

    /// <summary>Opens it.</summary>
    /// <param name="host">Where.</param>
    /// <param name="actor">Who.</param>
    /// <param name="parameters">What the component is given.</param>
    /// <param name="instead">Makes what stands in for services of the host. With a script (<see cref="IJSRuntime"/>), the component is told when it was drawn.</param>
    public static async Task<RenderedPage> OpenAsync<T>(
        TestCrm host, Actor actor, Func<IServiceProvider, Task<Dictionary<string, object?>>> parameters, Func<IServiceProvider, Dictionary<Type, object>>? instead = null)
        where T : IComponent
    {
        var opened = host.Services.CreateAsyncScope();
        var services = opened.ServiceProvider;
        services.GetRequiredService<CurrentActor>().Set(actor);
        await services.GetRequiredService<Records.RecordEngine>().SnapshotOfAsync(actor);
        var page = new RenderedPage(opened, new ServicesInstead(services, instead?.Invoke(services) ?? []));
        var given = await parameters(services);
        await page.drawing.Dispatcher.InvokeAsync(async () =>
        {
            page.root = page.drawing.BeginRenderingComponent(typeof(T), ParameterView.FromDictionary(given));
            // A script may take its time.
            await (page.drawing.HasScript ? Task.CompletedTask : page.root.QuiescenceTask);
        });
        return page;
    }

    /// <summary>Does something as an event of the page would.</summary>
    public Task DoAsync(Action work) => drawing.Dispatcher.InvokeAsync(work);

    /// <summary>Raises an event of the element that carries an attribute, as the browser would; ends when what it leads to has ended.</summary>
    /// <param name="attribute">Name of the attribute.</param>
    /// <param name="name">Name of the event, as <c>onchange</c>.</param>
    /// <param name="value">What the element holds now.</param>
    public Task RaiseAsync(string attribute, string name, string value) => drawing.Dispatcher.InvokeAsync(() => drawing.RaiseAsync(attribute, null, name, new ChangeEventArgs { Value = value }));

    /// <summary>Clicks on the element that carries an attribute with a value.</summary>
    public Task ClickAsync(string attribute, string marked, bool shift = false) => drawing.Dispatcher.InvokeAsync(() => drawing.RaiseAsync(attribute, marked, "onclick", new MouseEventArgs { ShiftKey = shift }));

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

    private sealed class ServicesInstead(IServiceProvider services, Dictionary<Type, object> instead) : IServiceProvider
    {
        public bool HasScript => instead.ContainsKey(typeof(IJSRuntime));

        public object? GetService(Type serviceType) => serviceType switch
        {
            _ when serviceType == typeof(IServiceProvider) => this,
            // That of the host gives constructors the host's services; without it there is one that asks here.
            _ when serviceType == typeof(IComponentActivator) => null,
            _ => instead.GetValueOrDefault(serviceType) ?? services.GetService(serviceType),
        };
    }

    private sealed class Drawing(ServicesInstead services) : StaticHtmlRenderer(services, NullLoggerFactory.Instance)
    {
        private readonly ConcurrentDictionary<int, bool> components = [];

        public bool HasScript => services.HasScript;

        public Channel<bool> Drawn { get; } = Channel.CreateUnbounded<bool>();

        public Task RaiseAsync(string attribute, string? marked, string name, EventArgs args)
        {
            var handlers = components.Keys.Select(component => Handler(GetCurrentRenderTreeFrames(component), attribute, marked, name));
            return DispatchEventAsync(handlers.OfType<ulong>().Single(), fieldInfo: null, args);
        }

        protected override Task UpdateDisplayAsync(in RenderBatch renderBatch)
        {
            foreach (var updated in renderBatch.UpdatedComponents.Array.AsSpan(0, renderBatch.UpdatedComponents.Count))
            {
                components[updated.ComponentId] = true;
            }

            foreach (var gone in renderBatch.DisposedComponentIDs.Array.AsSpan(0, renderBatch.DisposedComponentIDs.Count))
            {
                components.TryRemove(gone, out _);
            }

            Drawn.Writer.TryWrite(true);
            var drawn = base.UpdateDisplayAsync(renderBatch);
            return HasScript ? Task.CompletedTask : drawn;
        }

        private static ulong? Handler(ArrayRange<RenderTreeFrame> frames, string attribute, string? marked, string name)
        {
            var isMarked = false;
            ulong? handler = null;
            foreach (var frame in frames.Array.AsSpan(0, frames.Count))
            {
                if (frame.FrameType != RenderTreeFrameType.Attribute)
                {
                    if (isMarked && handler is not null)
                    {
                        break;
                    }

                    (isMarked, handler) = (false, null);
                    continue;
                }

                isMarked |= frame.AttributeName == attribute && (marked is null || marked.Equals(frame.AttributeValue));
                handler = frame.AttributeName == name ? frame.AttributeEventHandlerId : handler;
            }

            return isMarked ? handler : null;
        }
    }
}
