using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Gives a field of the customer's another name or another type.</summary>
internal sealed class ReworkEdit(LayerEdit edit)
{
    public void Rename(MetadataChange.RenameField change)
    {
        if (Find(change.Entity, change.Field) is not var (entity, field))
        {
            return;
        }

        var target = entity.Name + "." + field.Name;
        if (Names.FieldProblem(change.To) is { } problem)
        {
            edit.Errors.Add(new PlanMessage(PlanCodes.Name, problem, target));
            return;
        }

        if (entity.Origin != Origins.Custom && !change.To.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
        {
            edit.Error(PlanCodes.Name, target, "FieldPrefix", change.To);
            return;
        }

        if (entity.TryField(change.To, out var known))
        {
            edit.Error(PlanCodes.Exists, target, known.IsHidden ? "FieldExistsHidden" : "FieldExists", entity.Label, change.To);
            return;
        }

        // In the database a field goes from the name it has to the one it ends with, without those in between.
        var earlier = edit.Renames.FindLastIndex(r => r.Entity == entity.Name && r.To == field.Name);
        if (earlier >= 0 && edit.Renames.Exists(r => r.Entity == entity.Name && (r.From == change.To || r.To == edit.Renames[earlier].From)) && edit.Renames[earlier].From != change.To)
        {
            edit.Error(ErrorCodes.Conflict, target, "RenameTwice", field.Label, change.To);
            return;
        }

        var rename = new FieldRename(entity.Name, field.Name, change.To);
        var custom = new FieldRenames(SnapshotBuilder.Build(edit.Layers), [rename]).Follow(edit.Layers.Custom);
        // People go on seeing the label they know.
        var renamed = custom.Entity(entity.Name).Field(change.To)!;
        edit.Put(custom.With(custom.Entity(entity.Name).With(renamed with { Label = renamed.Label ?? field.Label })));
        if (earlier >= 0)
        {
            rename = rename with { From = edit.Renames[earlier].From };
            edit.Renames.RemoveAt(earlier);
        }

        if (rename.From != rename.To)
        {
            edit.Renames.Add(rename);
        }

        edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("RenameOutside", field.Name, change.To), target));
        edit.Step(entity.Name, "StepRenameField", field.Name, entity.Label, change.To);
    }

    public void ChangeType(MetadataChange.ChangeType change)
    {
        if (Find(change.Entity, change.Field.Name) is not var (entity, field))
        {
            return;
        }

        var target = entity.Name + "." + field.Name;
        if (field.IsCalculated)
        {
            edit.Error(ErrorCodes.ReadOnly, target, "ConversionCalculated", field.Label);
            return;
        }

        var shape = edit.Custom(entity.Name);
        var old = shape.Field(field.Name)!;
        var wanted = FieldEdit.Normal(change.Field);
        if (!new FieldEdit(edit).CanAdd(entity.Name, wanted, needsPrefix: false))
        {
            return;
        }

        wanted = wanted with
        {
            Id = old.Id,
            Label = wanted.Label ?? old.Label,
            Help = wanted.Help ?? old.Help,
            IsRequired = wanted.IsRequired ?? old.IsRequired,
            IsUnique = wanted.IsUnique ?? (wanted.Type!.CanBeUnique ? old.IsUnique : null),
            IsHidden = old.IsHidden,
            // A list of choices goes along from one choice to several and back.
            IsIndexed = wanted.IsIndexed ?? (wanted.Type!.CanSort ? old.IsIndexed : null),
            Merged = TypeConversion.HasChoices(wanted.Type!) ? old.Merged : null,
            Choices = wanted.Choices ?? (TypeConversion.HasChoices(wanted.Type!) ? old.Choices : null),
        };
        if (wanted.Type == field.Type || !TypeConversion.Targets(field.Type).Contains(wanted.Type!))
        {
            edit.Error(ErrorCodes.Type, target, "ConversionUnknown", field.Label, field.Type.Name, wanted.Type!.Name, string.Join(", ", TypeConversion.Targets(field.Type).Select(t => t.Name)));
            return;
        }

        edit.Put(shape.With(wanted));
        edit.Step(entity.Name, "StepChangeFieldType", field.Label, entity.Label, field.Type.Name, wanted.Type!.Name);
    }

    private (EntityDefinition Entity, FieldDefinition Field)? Find(string entityName, string fieldName)
    {
        if (edit.FindField(entityName, fieldName) is not var (entity, field))
        {
            return null;
        }

        if (field.Origin != Origins.Custom)
        {
            edit.Error(ErrorCodes.ReadOnly, LayerEdit.Short(entityName) + "." + LayerEdit.Short(fieldName), "ReworkOfModule", field.Label);
            return null;
        }

        return (entity, field);
    }
}
