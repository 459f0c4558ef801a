using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Removes what the customer made and hid. What still shows it loses its place; what would give another answer without it stands in the way.</summary>
internal sealed class PurgeEdit(LayerEdit edit)
{
    public void Field(string entityName, string fieldName)
    {
        if (edit.FindField(entityName, fieldName) is not var (entity, field))
        {
            return;
        }

        var target = LayerEdit.Short(entityName) + "." + LayerEdit.Short(fieldName);
        if (field.Origin != Origins.Custom)
        {
            edit.Error(ErrorCodes.ReadOnly, target, "PurgeOfModule", field.Label);
            return;
        }

        if (!field.IsHidden)
        {
            edit.Error(ErrorCodes.InUse, target, "PurgeShown", field.Label);
            return;
        }

        var state = MetadataState.Of(edit.Layers);
        var filters = WhereUsed.OfField(state, entityName, fieldName).Where(u => u.Kind is "filter" or "formula" or "rule" or "roll_up").Distinct().ToList();
        foreach (var use in filters)
        {
            edit.Error(ErrorCodes.InUse, target, "PurgeUsed", field.Label, use.Text);
        }

        if (filters.Count > 0)
        {
            return;
        }

        foreach (var shape in edit.Layers.Custom.Entities.Values.Where(s => state.Snapshot.TryEntity(s.Name, out _)))
        {
            edit.Put(Without(shape, state.Snapshot, entityName, fieldName));
        }

        edit.Purges.Add((entityName, fieldName));
        edit.Step(entityName, "StepPurgeField", field.Label, entity.Label);
        LinkEdit.Purge(edit, field);
    }

    public void Entity(string name)
    {
        if (edit.Find(name) is not { } entity)
        {
            return;
        }

        if (entity.Origin != Origins.Custom)
        {
            edit.Error(ErrorCodes.ReadOnly, name, "PurgeOfModule", entity.Label);
            return;
        }

        if (!entity.IsHidden)
        {
            edit.Error(ErrorCodes.InUse, name, "PurgeShown", entity.Label);
            return;
        }

        var uses = WhereUsed.OfEntity(MetadataState.Of(edit.Layers), name).Where(u => u.Kind == "lookup").ToList();
        foreach (var use in uses)
        {
            edit.Error(ErrorCodes.InUse, name, "PurgeUsed", entity.Label, use.Text);
        }

        if (uses.Count > 0)
        {
            return;
        }

        edit.Remove(name);
        edit.Purges.Add((name, null));
        edit.Step(name, "StepPurgeEntity", entity.PluralLabel);
    }

    private static EntityShape Without(EntityShape shape, MetadataSnapshot snapshot, string entity, string field)
    {
        var home = snapshot.Entity(shape.Name);
        bool Stays(string path) => !Paths.Along(snapshot, home, path).Any(a => a.Entity.Name == entity && a.Field.Name == field);
        ImmutableArray<string>? Rest(ImmutableArray<string>? names) => names is { } list && list.Where(Stays).ToImmutableArray() is { IsEmpty: false } rest ? rest : null;
        return shape with
        {
            TitleFields = Rest(shape.TitleFields),
            SearchFields = Rest(shape.SearchFields),
            Fields = shape.Name == entity ? shape.Fields.RemoveAll(f => f.Name == field) : shape.Fields,
            // A later field of the same name begins anew: it must not find rights meant for this one.
            Grants = shape.Name == entity ? [.. shape.Grants.Select(g => g with { Fields = g.Fields.Remove(field) })] : shape.Grants,
            Views = [.. shape.Views.Select(v => v with { Columns = [.. v.Columns.Where(Stays)], Sort = v.Sort.IsDefault ? [] : [.. v.Sort.Where(s => Stays(s.Path))] })],
            Form = shape.Form is null ? null : new FormDefinition([.. shape.Form.Sections.Select(s => s with { Fields = [.. s.Fields.Where(Stays)] })]),
        };
    }
}
