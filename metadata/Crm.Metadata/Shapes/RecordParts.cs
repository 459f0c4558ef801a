using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Entities whose records are parts of others, as notes are, and the entities that have them.</summary>
internal static class RecordParts
{
    /// <summary>Names of entities whose records are parts of others.</summary>
    public static ImmutableArray<string> All(MetadataLayers layers) =>
        [.. layers.Items.SelectMany(l => l.Entities.Values).Where(e => e is { IsOwner: true, PartOf: not null }).Select(e => e.Name).Distinct(StringComparer.Ordinal)];

    /// <summary>Which of them the records of an entity have. Users, teams, links and parts themselves have none: who may see and change those follows from nothing else.</summary>
    /// <param name="all">Names of entities whose records are parts.</param>
    /// <param name="entity">The entity, with the parts that are said to be its.</param>
    public static ImmutableArray<string> Of(ImmutableArray<string> all, EntityDefinition entity) =>
        entity.Origin == Origins.Platform || entity.Link is not null || entity.PartOf is not null ? [] : [.. all.Where(entity.Parts.Contains)];

    /// <summary>Lets parts lead to the entities that have them, and nowhere else.</summary>
    public static void Lead(Dictionary<string, EntityDefinition> entities)
    {
        foreach (var part in entities.Values.Where(e => e.PartOf is not null).ToList())
        {
            ImmutableArray<string> targets = [.. entities.Values.Where(e => !e.IsHidden && e.Parts.Contains(part.Name)).Select(e => e.Name).Order(StringComparer.Ordinal)];
            if (part.TryField(part.PartOf!, out var field) && !field.Targets.SequenceEqual(targets))
            {
                entities[part.Name] = part with { Fields = [.. part.Fields.Select(f => f == field ? f with { Targets = targets } : f)] };
            }
        }
    }

    /// <summary>What is wrong with an entity as a part, and with the parts it is said to have.</summary>
    public static void Problems(List<PlanMessage> problems, EntityDefinition entity, ImmutableArray<EntityShape> shapes, ImmutableArray<string> all)
    {
        if (entity.PartOf is { } whole && (entity.Link is not null || !(entity.TryField(whole, out var field) && field is { Type: AnyLookupType, IsRequired: true, IsHidden: false })))
        {
            SnapshotCheck.Add(problems, PlanCodes.Option, entity.Name, "PartOfField", entity.Label, LayerEdit.Short(whole));
        }

        foreach (var unknown in shapes.SelectMany(s => s.Parts ?? []).Where(p => !all.Contains(p)).Distinct(StringComparer.Ordinal))
        {
            SnapshotCheck.Add(problems, ErrorCodes.Unknown, entity.Name, "UnknownPart", entity.Label, LayerEdit.Short(unknown));
        }
    }
}
