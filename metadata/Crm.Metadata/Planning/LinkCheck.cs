using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with link entities and many-to-many fields: they hold only together.</summary>
internal static class LinkCheck
{
    public static void Problems(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity)
    {
        if (entity is { IsHidden: false, Link: { } ends } && (ends.Left == ends.Right || !IsEnd(entity, ends.Left) || !IsEnd(entity, ends.Right)))
        {
            SnapshotCheck.Add(problems, PlanCodes.Option, entity.Name, "LinkEnds", entity.Label, LayerEdit.Short(ends.Left), LayerEdit.Short(ends.Right));
        }

        foreach (var field in entity.Fields.Where(f => f.Type is ManyToManyType && f.Link is not null))
        {
            if (!snapshot.TryEntity(field.Link!.Entity, out var link) || !Fits(link, entity, field))
            {
                SnapshotCheck.Add(problems, PlanCodes.Option, entity.Name + "." + field.Name, "LinkView", field.Label, LayerEdit.Short(field.Link.Entity));
            }
        }
    }

    private static bool IsEnd(EntityDefinition entity, string name) =>
        entity.TryField(name, out var field) && field is { Type: LookupType, IsRequired: true, IsHidden: false };

    private static bool Fits(EntityDefinition link, EntityDefinition entity, FieldDefinition field) =>
        link.Link is { } ends
        && ((ends.Left, ends.Right) == (field.Link!.Near, field.Link.Far) || (ends.Right, ends.Left) == (field.Link.Near, field.Link.Far))
        && link.TryField(field.Link.Near, out var near) && near.Target == entity.Name
        && link.TryField(field.Link.Far, out var far) && far.Target == field.Target;
}
