using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Crm.Sdk.Web;

/// <summary>Shows values: a badge for a choice, a link for an address, a plain text otherwise. Fragments instead of components, because a list shows hundreds.</summary>
public static class FieldDisplay
{
    // A list shows how a text begins.
    private const int MaxExcerpt = 200;

    /// <summary>Whether values are numbers, which stand to the right.</summary>
    public static bool IsNumber(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field.Type is NumberType and not RatingType;
    }

    /// <summary>Markup of a value; nothing for a missing one.</summary>
    /// <param name="display">How the user wants to see values.</param>
    /// <param name="field">The field.</param>
    /// <param name="value">The value.</param>
    /// <param name="title">What the record a reference points to is called.</param>
    /// <param name="href">Page of the record a reference points to; null for no link.</param>
    public static RenderFragment Of(DisplayContext display, FieldDefinition field, object? value, string? title = null, string? href = null)
    {
        ArgumentNullException.ThrowIfNull(display);
        ArgumentNullException.ThrowIfNull(field);
        return builder => Write(builder, display, field, value, title, href);
    }

    /// <summary>A file of a record: the picture, or a link that fetches it.</summary>
    /// <param name="field">The field.</param>
    /// <param name="file">Its value.</param>
    /// <param name="entity">The record's entity.</param>
    /// <param name="id">The record.</param>
    public static RenderFragment File(FieldDefinition field, FileValue file, string entity, Guid id)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(file);
        // The content behind an address must be this one, also after the file was replaced.
        var href = $"/api/records/{entity}/{id}/files/{field.Name}?v={file.Id:N}";
        return builder =>
        {
            builder.OpenElement(80, "a");
            builder.AddAttribute(81, "href", href);
            builder.AddAttribute(82, "target", "_blank");
            builder.AddAttribute(83, "rel", "noopener");
            if (field.Type is FileType { IsImage: true })
            {
                builder.OpenElement(84, "img");
                builder.AddAttribute(85, "class", "picture");
                builder.AddAttribute(86, "src", href);
                builder.AddAttribute(87, "alt", file.Name);
                builder.AddAttribute(88, "loading", "lazy");
                builder.CloseElement();
            }
            else
            {
                builder.AddContent(89, file.Name);
            }

            builder.CloseElement();
        };
    }

    private static void Write(RenderTreeBuilder builder, DisplayContext display, FieldDefinition field, object? value, string? title, string? href)
    {
        switch (field.Type.Name, value)
        {
            case (_, null):
                break;
            case (_, Guid) when field.Type is ReferenceType:
                Link(builder, href, string.IsNullOrWhiteSpace(title) ? Texts.Of("Untitled") : title);
                break;
            case (_, RecordRef any):
                Link(builder, $"/e/{any.Entity}/{any.Id}", display.Format(field, any));
                break;
            case ("email", string text):
                Link(builder, "mailto:" + text, text);
                break;
            case ("phone", string text):
                Link(builder, "tel:" + text.Replace(" ", "", StringComparison.Ordinal), text);
                break;
            case ("url", string text) when Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https":
                Link(builder, text, uri.Host + uri.PathAndQuery.TrimEnd('/'), leavesSite: true);
                break;
            case ("choice", string name):
                Badge(builder, field, name);
                break;
            case ("multi_choice", ImmutableArray<string> names):
                builder.OpenElement(0, "span");
                builder.AddAttribute(1, "class", "badges");
                foreach (var name in names)
                {
                    Badge(builder, field, name);
                }

                builder.CloseElement();
                break;
            case ("tags", ImmutableArray<string> tags):
                builder.OpenElement(4, "span");
                builder.AddAttribute(5, "class", "badges");
                foreach (var tag in tags)
                {
                    Span(builder, "badge", tag);
                }

                builder.CloseElement();
                break;
            case (_, LinkTitles links):
                Links(builder, links);
                break;
            case (_, ImmutableArray<KindValue> { IsEmpty: false } several) when field.Type is SeveralType type:
                // The first one is the one to use; a list has no room for more.
                Write(builder, display, type.SingleOf(field), several[0].Value, title, href);
                if (several.Length > 1)
                {
                    Span(builder, "faint small", string.Create(CultureInfo.InvariantCulture, $" +{several.Length - 1}"));
                }

                break;
            case (_, ImmutableArray<KindAddress> { IsEmpty: false } addresses):
                builder.AddContent(31, addresses[0].Address.ToString());
                if (addresses.Length > 1)
                {
                    Span(builder, "faint small", string.Create(CultureInfo.InvariantCulture, $" +{addresses.Length - 1}"));
                }

                break;
            case ("rating", long stars):
                Stars(builder, field, (int)stars);
                break;
            case ("colour", string colour) when IsColour(colour):
                builder.OpenElement(6, "span");
                builder.AddAttribute(7, "class", "swatch");
                builder.AddAttribute(8, "style", "--dot:" + colour);
                builder.AddContent(9, colour);
                builder.CloseElement();
                break;
            case ("geolocation", GeoPoint point):
                Link(builder, string.Create(CultureInfo.InvariantCulture, $"https://www.openstreetmap.org/?mlat={point.Latitude:0.######}&mlon={point.Longitude:0.######}#map=16/{point.Latitude:0.######}/{point.Longitude:0.######}"), point.ToString(), leavesSite: true);
                break;
            case ("rich_text", string html):
                var plain = display.Format(field, html);
                builder.AddContent(10, plain.Length > MaxExcerpt ? string.Concat(plain.AsSpan(0, MaxExcerpt), "…") : plain);
                break;
            case ("stage", string name):
                Stage(builder, field, name);
                break;
            case ("yes_no", bool yes):
                Span(builder, yes ? "badge badge-success" : "badge", display.Format(field, yes));
                break;
            case ("money", Money money):
                builder.AddContent(20, money.Amount.ToString("N2", display.Culture) + "\u00A0");
                Span(builder, "faint small", money.Currency);
                break;
            default:
                builder.AddContent(30, display.Format(field, value));
                break;
        }
    }

    private static void Link(RenderTreeBuilder builder, string? href, string text, bool leavesSite = false)
    {
        if (href is null)
        {
            builder.AddContent(40, text);
            return;
        }

        builder.OpenElement(41, "a");
        builder.AddAttribute(42, "href", href);
        if (leavesSite)
        {
            builder.AddAttribute(43, "target", "_blank");
            builder.AddAttribute(44, "rel", "noopener noreferrer");
        }

        builder.AddContent(45, text);
        builder.CloseElement();
    }

    private static void Links(RenderTreeBuilder builder, LinkTitles links)
    {
        foreach (var (link, index) in links.First.Select((l, i) => (l, i)))
        {
            builder.AddContent(90, index == 0 ? "" : ", ");
            Link(builder, $"/e/{link.Entity}/{link.Id}", link.Title);
        }

        if (links.Count > links.First.Length)
        {
            builder.AddContent(91, " ");
            Span(builder, "badge", string.Create(CultureInfo.CurrentCulture, $"+{links.Count - links.First.Length}"));
        }
    }

    private static void Badge(RenderTreeBuilder builder, FieldDefinition field, string name)
    {
        var choice = field.Choices.FirstOrDefault(c => c.Name == name);
        var colour = choice?.Colour is { } given && IsColour(given) ? given : null;
        builder.OpenElement(50, "span");
        builder.AddAttribute(51, "class", colour is null ? "badge" : "badge badge-dot");
        builder.AddAttribute(52, "style", colour is null ? null : "--dot:" + colour);
        builder.AddContent(53, choice?.Label ?? field.FindMerged(name)?.Label ?? name);
        builder.CloseElement();
    }

    private static void Stage(RenderTreeBuilder builder, FieldDefinition field, string name)
    {
        var stage = field.Stages?.Find(name);
        Span(builder, "badge badge-dot " + (stage?.Kind switch { StageKind.Won => "badge-success", StageKind.Lost => "badge-danger", StageKind.Open => "badge-info", _ => "" }), stage?.Label ?? field.FindMerged(name)?.Label ?? name);
    }

    private static void Stars(RenderTreeBuilder builder, FieldDefinition field, int stars)
    {
        var most = Math.Max(RatingType.Stars(field), stars);
        builder.OpenElement(70, "span");
        builder.AddAttribute(71, "class", "stars");
        builder.AddAttribute(72, "role", "img");
        builder.AddAttribute(73, "aria-label", Texts.Of("StarsOf", stars, most));
        builder.AddContent(74, new string('★', stars) + new string('☆', most - stars));
        builder.CloseElement();
    }

    private static void Span(RenderTreeBuilder builder, string style, string text)
    {
        builder.OpenElement(60, "span");
        builder.AddAttribute(61, "class", style);
        builder.AddContent(62, text);
        builder.CloseElement();
    }

    // The colour goes into a style attribute: a name or a hexadecimal number, nothing that could end the declaration.
    private static bool IsColour(string text) =>
        text.Length is > 2 and <= 24 && (text[0] == '#' ? text.Skip(1).All(char.IsAsciiHexDigit) : text.All(char.IsAsciiLetter));
}
