using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Links of many-to-many fields as JSON. As stored: <c>"link":{"entity":"x_role","near":"opportunity","far":"contact"}</c>. To make new ones, all of it optional:
/// <c>"link":{"name":"x_role","label":"Role","fields":[…]},"inverse":{"name":"x_opportunities","label":"Opportunities"}</c>.
/// </summary>
internal static class LinkJson
{
    public static void Write(JsonObject json, FieldShape field)
    {
        if (field.Link is { } link)
        {
            json["link"] = new JsonObject { ["entity"] = link.Entity, ["near"] = link.Near, ["far"] = link.Far };
        }
        else if (field.NewLink is { } asked)
        {
            if (asked.Entity is not null)
            {
                json["link"] = ShapeJson.Write(asked.Entity);
            }

            if ((asked.Inverse ?? asked.InverseLabel) is not null)
            {
                var inverse = new JsonObject();
                foreach (var (name, text) in new[] { ("name", asked.Inverse), ("label", asked.InverseLabel) }.Where(p => p.Item2 is not null))
                {
                    inverse[name] = text;
                }

                json["inverse"] = inverse;
            }
        }
    }

    /// <summary>The two lookups of a link entity: <c>"link":["opportunity","contact"]</c>.</summary>
    public static LinkEnds? ReadEnds(JsonInput json)
    {
        switch (json.Texts("link"))
        {
            case null:
                return null;
            case [var left, var right]:
                return new LinkEnds(left, right);
            default:
                json.Error(ErrorCodes.BadRequest, "link", MetadataTexts.Of("LinkEndsShape"));
                return null;
        }
    }

    public static (LinkView? Link, NewLink? NewLink) Read(JsonInput json, List<PlanMessage> errors)
    {
        var (name, label) = json.Element("inverse") is { } inverse ? Inverse(inverse, json.At("inverse"), errors) : (null, null);
        if (json.Element("link") is not { } element)
        {
            return (null, (name ?? label) is null ? null : new NewLink(null, name, label));
        }

        using var link = new JsonInput(element, json.At("link"), errors);
        if (link.Has("entity"))
        {
            return (new LinkView(link.RequiredText("entity"), link.RequiredText("near"), link.RequiredText("far")), null);
        }

        return (null, new NewLink(ShapeJson.ReadEntity(link, errors, link.Text("name") ?? "", Origins.Custom, isStored: false, out _), name, label));
    }

    private static (string? Name, string? Label) Inverse(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return (json.Text("name"), json.Text("label"));
    }
}
