using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Effective definitions as JSON. <c>origins</c> names the layer of each property that does not come from where the definition itself does.</summary>
internal static class DefinitionJson
{
    public static JsonObject Write(MetadataState state, EntityDefinition entity)
    {
        var shapes = state.Layers.Items
            .Where(l => l.Entities.TryGetValue(entity.Name, out var shape) && (!shape.IsOwner || l.Name == entity.Origin))
            .Select(l => (Layer: l.Name, Shape: l.Entities[entity.Name]))
            .ToList();
        var json = new JsonObject
        {
            ["name"] = entity.Name,
            ["origin"] = entity.Origin,
            ["label"] = entity.Label,
            ["plural"] = entity.PluralLabel,
            ["set"] = entity.SetName,
            ["icon"] = entity.Icon,
            ["hidden"] = entity.IsHidden,
            ["title"] = ShapeJson.Texts(entity.TitleFields),
            ["search"] = ShapeJson.Texts(entity.SearchFields),
            ["parts"] = ShapeJson.Texts(entity.Parts),
            ["fields"] = new JsonArray([.. entity.Fields.Select(f => Write(f, shapes))]),
            ["views"] = new JsonArray([.. entity.Views.Select(Write)]),
            ["rules"] = new JsonArray([.. entity.Rules.Select(Write)]),
            ["visibility"] = ShapeJson.Word(entity.Visibility),
            ["view_log"] = entity.HasViewLog,
            ["grants"] = new JsonArray([.. entity.Grants.Select(Write)]),
            ["form"] = ShapeJson.Write(entity.Form),
            ["placements"] = new JsonArray([.. entity.Placements.Select(ShapeJson.Write)]),
        };
        if (shapes.Select(s => s.Shape.Id).FirstOrDefault(i => i is not null) is { } id)
        {
            json["id"] = id.ToString();
        }

        if (entity.PartOf is { } whole)
        {
            json["part_of"] = whole;
        }

        if (entity.Link is { } ends)
        {
            json["link"] = ShapeJson.Texts([ends.Left, ends.Right]);
        }

        PutOrigins(json, entity.Origin, shapes.Select(s => (s.Layer, ShapeJson.Write(s.Shape))));
        return json;
    }

    private static JsonObject Write(FieldDefinition field, List<(string Layer, EntityShape Shape)> shapes)
    {
        // The same words as in a change, so that what is read can be sent back.
        var json = ShapeJson.Write(new FieldShape(field.Name)
        {
            Type = field.Type,
            Label = field.Label,
            Help = field.Help,
            IsRequired = field.IsRequired,
            IsUnique = field.IsUnique,
            IsIndexed = field.IsIndexed ? true : null,
            IsReadOnly = field.IsReadOnly,
            IsHidden = field.IsHidden,
            Default = field.Default,
            MaxLength = field.MaxLength,
            Minimum = field.Minimum,
            Maximum = field.Maximum,
            Scale = field.Scale,
            Currency = field.Currency,
            Country = field.IsCountryOfInstallation ? null : field.Country,
            Choices = field.Choices.IsEmpty ? null : field.Choices,
            Merged = field.Merged.IsEmpty ? null : field.Merged,
            Target = field.Target,
            Link = field.Link,
            Targets = field.Targets.IsEmpty ? null : field.Targets,
            Accept = field.Accept.IsEmpty ? null : field.Accept,
            Stages = field.Stages,
            Number = field.Number,
            Formula = field.Formula,
            RollUp = field.RollUp,
        });
        if (shapes.Select(s => s.Shape.Field(field.Name)?.Id).FirstOrDefault(i => i is not null) is { } id)
        {
            json["id"] = id.ToString();
        }

        json["origin"] = field.Origin;
        json["system"] = field.IsSystem;
        json["properties"] = ShapeJson.Texts(field.Type.Columns.Select(c => field.Name + c.Suffix));
        if (field.Type.NavigationProperty(field) is { } navigation)
        {
            json["navigation"] = navigation;
        }

        PutOrigins(json, field.Origin, shapes.Select(s => (s.Layer, s.Shape.Field(field.Name))).Where(s => s.Item2 is not null).Select(s => (s.Layer, ShapeJson.Write(s.Item2!))));
        return json;
    }

    private static JsonObject Write(ViewDefinition view)
    {
        var json = ShapeJson.Write(view);
        json["origin"] = view.Origin;
        return json;
    }

    private static JsonObject Write(RuleDefinition rule)
    {
        var json = RuleJson.Write(rule);
        json["origin"] = rule.Origin;
        return json;
    }

    private static JsonObject Write(GrantDefinition grant)
    {
        var json = GrantJson.Write(grant);
        json["origin"] = grant.Origin;
        return json;
    }

    private static void PutOrigins(JsonObject json, string home, IEnumerable<(string Layer, JsonObject Says)> layers)
    {
        var origins = new JsonObject();
        foreach (var (layer, says) in layers)
        {
            foreach (var (property, _) in says)
            {
                if (property is not ("name" or "type" or "id" or "owner" or "fields" or "views" or "removed_views" or "rules" or "removed_rules" or "grants" or "renamed_from") && (layer != home || origins.ContainsKey(property)))
                {
                    origins[property] = layer;
                }
            }
        }

        if (origins.Count > 0)
        {
            json["origins"] = origins;
        }
    }
}
