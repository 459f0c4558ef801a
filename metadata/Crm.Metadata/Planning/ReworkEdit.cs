using System.Collections.Immutable;
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

        // A formula or rule is text somebody wrote; changing it behind their back may change what it means.
        var state = MetadataState.Of(edit.Layers);
        var texts = WhereUsed.OfField(state, entity.Name, field.Name).Where(u => u.Kind is "formula" or "rule" or "roll_up").Distinct().ToList();
        foreach (var use in texts)
        {
            edit.Error(ErrorCodes.InUse, target, "RenameUsed", field.Label, use.Text);
        }

        if (texts.Count > 0)
        {
            return;
        }

        foreach (var shape in edit.Layers.Custom.Entities.Values.Where(s => state.Snapshot.TryEntity(s.Name, out _)))
        {
            var home = state.Snapshot.Entity(shape.Name);
            edit.Put(DeclareEdit.Renamed(shape, path => Renamed(state.Snapshot, home, path, entity.Name, field.Name, change.To)) with
            {
                // People go on seeing the label they know.
                Fields = shape.Name != entity.Name ? shape.Fields : [.. shape.Fields.Select(f => f.Name == field.Name ? f with { Name = change.To, Label = f.Label ?? field.Label } : f)],
            });
        }

        edit.Renames.Add(new FieldRename(entity.Name, field.Name, change.To));
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
            Label = wanted.Label ?? old.Label,
            Help = wanted.Help ?? old.Help,
            IsRequired = wanted.IsRequired ?? old.IsRequired,
            IsUnique = wanted.IsUnique ?? (wanted.Type!.CanBeUnique ? old.IsUnique : null),
            IsHidden = old.IsHidden,
            // A list of choices goes along from one choice to several and back.
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
        if (edit.Find(entityName) is not { } entity)
        {
            return null;
        }

        var target = LayerEdit.Short(entityName) + "." + LayerEdit.Short(fieldName);
        if (!entity.TryField(fieldName, out var field))
        {
            edit.Error(ErrorCodes.UnknownField, target, "UnknownField", entity.Label, LayerEdit.Short(fieldName));
            return null;
        }

        if (field.Origin != Origins.Custom)
        {
            edit.Error(ErrorCodes.ReadOnly, target, "ReworkOfModule", field.Label);
            return null;
        }

        return (entity, field);
    }

    private static string Renamed(MetadataSnapshot snapshot, EntityDefinition home, string path, string entity, string from, string to)
    {
        var segments = path.Split('.');
        var along = Paths.Along(snapshot, home, path).ToImmutableArray();
        for (var i = 0; i < along.Length; i++)
        {
            // A segment may be a property of the field: rent_currency.
            if (along[i].Entity.Name == entity && along[i].Field.Name == from)
            {
                segments[i] = to + segments[i][from.Length..];
            }
        }

        return string.Join('.', segments);
    }
}
