using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Crm.Sdk.Web;

/// <summary>Shows formatted text. Built element by element from what <see cref="RichText"/> allows: no markup is ever taken over as it stands.</summary>
public sealed class RichTextView : ComponentBase
{
    private ImmutableArray<RichTextNode> nodes = [];
    private string? parsed;

    /// <summary>The HTML text.</summary>
    [Parameter, EditorRequired]
    public string Html { get; set; } = "";

    /// <inheritdoc/>
    protected override void OnParametersSet()
    {
        if (parsed != Html)
        {
            (parsed, nodes) = (Html, RichText.Parse(Html));
        }
    }

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.OpenElement(0, "div");
        builder.AddAttribute(1, "class", "rich-text");
        Write(builder, nodes);
        builder.CloseElement();
    }

    private static void Write(RenderTreeBuilder builder, ImmutableArray<RichTextNode> nodes)
    {
        foreach (var node in nodes)
        {
            if (node.Tag is null)
            {
                builder.AddContent(2, node.Text);
                continue;
            }

            builder.OpenElement(3, node.Tag);
            if (node.Href is { } href)
            {
                builder.AddAttribute(4, "href", href);
                builder.AddAttribute(5, "target", "_blank");
                builder.AddAttribute(6, "rel", "noopener noreferrer");
            }

            Write(builder, node.Children);
            builder.CloseElement();
        }
    }
}
