using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Gives an entity of the customer's another name, and lets everything in the definitions follow.</summary>
internal sealed class EntityRenameEdit(LayerEdit edit)
{
    public void Apply(MetadataChange.RenameEntity change)
    {
        if (edit.Find(change.Entity) is not { } entity || !IsFree(entity, change.To))
        {
            return;
        }

        var rename = new EntityRename(entity.Name, change.To);
        // In the database a table goes from the name it has to the one it ends with, without those in between.
        var earlier = edit.EntityRenames.FindLastIndex(r => r.To == rename.From);
        if (earlier >= 0 && edit.EntityRenames[earlier].From != rename.To && edit.EntityRenames.Exists(r => r.From == rename.To || r.To == edit.EntityRenames[earlier].From))
        {
            edit.Error(ErrorCodes.Conflict, entity.Name, "RenameEntityTwice", entity.Label, rename.To);
            return;
        }

        Follow(rename);
        // People go on seeing the labels they know.
        var shape = edit.Custom(rename.To);
        edit.Put(shape with
        {
            Label = shape.Label ?? entity.Label,
            PluralLabel = shape.PluralLabel ?? entity.PluralLabel,
            // Also where somebody wrote down what would have been made of the name.
            SetName = shape.SetName == Names.ToPlural(entity.Name) ? Names.ToPlural(rename.To) : shape.SetName,
        });
        if (earlier >= 0)
        {
            rename = rename with { From = edit.EntityRenames[earlier].From };
            edit.EntityRenames.RemoveAt(earlier);
        }

        if (rename.From != rename.To && edit.Start.Snapshot.TryEntity(rename.To, out _))
        {
            edit.EntityRenames.Add(rename);
        }

        edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("RenameEntityOutside", entity.Name, change.To, SnapshotBuilder.Bare(edit.Layers, change.To)!.SetName), entity.Name));
        foreach (var (home, rule) in Scripts(entity.Name))
        {
            edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("RenameEntityScript", rule.Label ?? Names.ToLabel(rule.Name), home.Label ?? home.Name, entity.Name), home.Name + "." + rule.Name));
        }

        edit.Step(change.To, "StepRenameEntity", entity.Name, entity.Label, change.To);
    }

    /// <summary>Rules whose scripts name an entity; nobody can rewrite those.</summary>
    private IEnumerable<(EntityShape Entity, RuleDefinition Rule)> Scripts(string entity) =>
        from shape in edit.Layers.Custom.Entities.Values
        from rule in shape.Rules
        where rule.Script is { } script && ScriptNames.NamesEntity(script.Text, entity)
        select (shape, rule);

    private bool IsFree(EntityDefinition entity, string to)
    {
        if (entity.Origin != Origins.Custom)
        {
            edit.Error(ErrorCodes.ReadOnly, entity.Name, "RenameEntityOfModule", entity.Label, edit.Layers.Find(entity.Origin)?.Module.Name ?? entity.Origin);
        }
        else if (edit.Layers.Items.FirstOrDefault(l => !l.IsCustom && l.Entities.Values.Any(s => EntityRenames.Names(s, entity.Name))) is { } layer)
        {
            edit.Error(ErrorCodes.InUse, entity.Name, "RenameEntityInModule", entity.Label, layer.Module.Name);
        }
        else if (Names.EntityProblem(to) is { } problem)
        {
            edit.Errors.Add(new PlanMessage(PlanCodes.Name, problem, entity.Name));
        }
        else if (!to.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
        {
            edit.Error(PlanCodes.Name, entity.Name, "EntityPrefix", to);
        }
        else if ((SnapshotBuilder.Bare(edit.Layers, to) ?? edit.Start.Snapshot.Entities.GetValueOrDefault(to)) is { } other)
        {
            edit.Error(PlanCodes.Exists, entity.Name, other.IsHidden ? "RenameEntityTakenHidden" : "RenameEntityTaken", other.Label, to);
        }
        else
        {
            return true;
        }

        return false;
    }

    /// <summary>Lets everything mean the entity by its new name: the layer, what the changes start from, and what was noted of earlier ones.</summary>
    private void Follow(EntityRename rename)
    {
        edit.Put(EntityRenames.Follow(edit.Layers.Custom, rename));
        if (edit.Start.Snapshot.TryEntity(rename.From, out _))
        {
            edit.Start = MetadataState.Of(edit.Start.Layers.With(EntityRenames.Follow(edit.Start.Layers.Custom, rename)));
        }

        Map(edit.Renames, r => r with { Entity = rename.Of(r.Entity) });
        Map(edit.Purges, p => (rename.Of(p.Entity), p.Field));
        Map(edit.Splits, s => s with { Entity = rename.Of(s.Entity) });
    }

    private static void Map<T>(List<T> list, Func<T, T> next)
    {
        for (var index = 0; index < list.Count; index++)
        {
            list[index] = next(list[index]);
        }
    }
}
