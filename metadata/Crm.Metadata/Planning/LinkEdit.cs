using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Adds many-to-many fields to the customer's layer: as the link entity and the two fields they are made of.</summary>
internal static class LinkEdit
{
    /// <summary>Whether the field is still to be taken apart.</summary>
    public static bool IsNew(FieldShape field) => field is { Type: ManyToManyType, Link: null };

    public static void Add(LayerEdit edit, EntityDefinition entity, FieldShape field)
    {
        if (field.Target is not { } targetName)
        {
            edit.Error(ErrorCodes.Required, entity.Name + "." + LayerEdit.Short(field.Name), "LinkTarget", field.Label ?? field.Name);
            return;
        }

        if (edit.Find(targetName) is not { } target)
        {
            return;
        }

        var parts = LinkParts.Of(
            entity.Label,
            entity.PluralLabel,
            entity.Name,
            field,
            Names.CustomPrefix,
            name => SnapshotBuilder.Bare(edit.Layers, name) is not null,
            name => target.TryField(name, out _));
        if (parts.Inverse.Name == parts.Field.Name && entity.Name == targetName)
        {
            edit.Error(PlanCodes.Exists, entity.Name + "." + field.Name, "FieldExists", entity.Label, field.Name);
            return;
        }

        edit.Apply(new MetadataChange.CreateEntity(parts.Entity));
        edit.Apply(new MetadataChange.AddField(entity.Name, parts.Field));
        edit.Apply(new MetadataChange.AddField(targetName, parts.Inverse));
    }

    /// <summary>Removes the link entity of a field that was purged when no other field shows its links.</summary>
    public static void Purge(LayerEdit edit, FieldDefinition field)
    {
        if (field.Link is { } link
            && edit.Layers.Items.SelectMany(l => l.Entities.Values).SelectMany(e => e.Fields).All(f => f.Link?.Entity != link.Entity)
            && edit.Find(link.Entity) is { Origin: Origins.Custom } entity)
        {
            edit.Remove(link.Entity);
            edit.Purges.Add((link.Entity, null));
            edit.Step(link.Entity, "StepPurgeEntity", entity.PluralLabel);
        }
    }
}
