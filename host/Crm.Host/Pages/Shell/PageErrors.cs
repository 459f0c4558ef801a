using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Crm.Host.Pages.Shell;

/// <summary>Shows a failed page as a message with an id that leads to the log, and leaves the shell usable.</summary>
public sealed class PageErrors(ILogger<PageErrors> log, NavigationManager location) : ErrorBoundaryBase
{
    private string id = "";
    private string failedAt = "";

    /// <inheritdoc/>
    protected override void OnParametersSet()
    {
        // Another page is not to blame for the one that failed.
        if (CurrentException is not null && failedAt != location.Uri)
        {
            Recover();
        }
    }

    /// <inheritdoc/>
    protected override Task OnErrorAsync(Exception exception)
    {
        id = ErrorIds.Next();
        failedAt = location.Uri;
        log.LogError(exception, "A page failed; the user was shown the id {ErrorId}.", id);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (CurrentException is null)
        {
            builder.AddContent(0, ChildContent);
            return;
        }

        builder.OpenComponent<PageFailed>(1);
        builder.AddComponentParameter(2, nameof(PageFailed.Id), id);
        builder.AddComponentParameter(3, nameof(PageFailed.Retry), EventCallback.Factory.Create(this, Recover));
        builder.CloseComponent();
    }
}
