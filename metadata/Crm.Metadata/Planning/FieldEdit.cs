using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Changes of one field in the customer's layer.</summary>
internal sealed class FieldEdit(LayerEdit edit)
{
    /// <summary>With the target of a lookup beside the type, where it is stored.</summary>
    public static FieldShape Normal(FieldShape field) => field.Type switch
    {
        LookupType { DeclaredTarget: { } target } => field with { Type = Fields.LookupType, Target = field.Target ?? target },
        ManyToManyType { DeclaredTarget: { } target } => field with { Type = Fields.ManyToMany, Target = field.Target ?? target },
        _ => field,
    };

    public bool CanAdd(string entity, FieldShape field, bool needsPrefix)
    {
        var target = LayerEdit.Short(entity) + "." + LayerEdit.Short(field.Name);
        if (Names.FieldProblem(field.Name) is { } problem)
        {
            edit.Errors.Add(new PlanMessage(PlanCodes.Name, problem, target));
            return false;
        }

        var errors = edit.Errors.Count;
        if (needsPrefix && !field.Name.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
        {
            edit.Error(PlanCodes.Name, target, "FieldPrefix", field.Name);
        }

        if (field.Type is null)
        {
            edit.Error(ErrorCodes.Required, target, "FieldWithoutType", field.Name);
        }
        else if (!Fields.Designable.Contains(field.Type))
        {
            edit.Error(ErrorCodes.Type, target, "TypeNotDesignable", field.Type.Name);
        }

        return edit.Errors.Count == errors;
    }

    public void Add(string name, FieldShape added)
    {
        if (edit.Find(name) is not { } entity)
        {
            return;
        }

        var field = Normal(added);
        if (!CanAdd(name, field, entity.Origin != Origins.Custom))
        {
            return;
        }

        if (entity.TryField(field.Name, out var known))
        {
            edit.Error(PlanCodes.Exists, name + "." + field.Name, known.IsHidden ? "FieldExistsHidden" : "FieldExists", entity.Label, field.Name);
            return;
        }

        if (LinkEdit.IsNew(field))
        {
            LinkEdit.Add(edit, entity, field);
            return;
        }

        var shape = edit.Custom(name).With(field with { IsHidden = null, RenamedFrom = null });
        if (shape.Form is { Sections: [.. var sections, var last] })
        {
            shape = shape with { Form = new FormDefinition([.. sections, last with { Fields = last.Fields.Add(field.Name) }]) };
        }

        edit.Put(shape);
        edit.Step(name, "StepAddField", field.Label ?? Names.ToLabel(field.Name), entity.Label, field.Type!.Name);
    }

    public void Change(string entityName, FieldShape changes, ImmutableArray<string> reset)
    {
        if (edit.FindField(entityName, changes.Name) is not var (entity, field))
        {
            return;
        }

        var target = entityName + "." + field.Name;
        changes = Normal(changes);
        if (changes.Type is { } type && type != field.Type)
        {
            edit.Error(ErrorCodes.Type, target, "TypeChange", field.Label, field.Type.Name, type.Name);
            return;
        }

        if (changes.Target is { } pointed && pointed != field.Target)
        {
            edit.Error(ErrorCodes.Type, target, "TargetChange", field.Label, field.Target, LayerEdit.Short(pointed));
            return;
        }

        if ((changes.Link is { } link && link != field.Link) || changes.NewLink is not null)
        {
            edit.Error(ErrorCodes.Type, target, "LinkChange", field.Label);
            return;
        }

        if ((changes.Formula is not null && field.Formula is null) || (changes.RollUp is not null && field.RollUp is null))
        {
            edit.Error(ErrorCodes.Type, target, "TypeChange", field.Label, field.Type.Name, changes.Formula is null ? "roll_up" : "formula");
            return;
        }

        changes = changes with { Id = null, Type = null, Target = null, Link = null, IsHidden = null, RenamedFrom = null };
        var words = ShapeJson.Write(changes).Select(p => p.Key).Where(p => p != "name").Concat(reset).Distinct(StringComparer.Ordinal).ToList();
        if (field.IsSystem && words.Except(["label", "help"], StringComparer.Ordinal).Any())
        {
            edit.Error(ErrorCodes.ReadOnly, target, "SystemField", field.Label);
            return;
        }

        if (changes.Stages is { Stages.IsEmpty: true } moves && field.Stages is { } stages)
        {
            changes = changes with { Stages = stages with { Moves = moves.Moves } };
        }

        var shape = edit.Custom(entityName);
        edit.Put(shape.With(Reset(shape.Field(field.Name) ?? new FieldShape(field.Name), reset).Overlay(changes)));
        edit.Step(entityName, "StepChangeField", field.Label, entity.Label, string.Join(", ", words));
    }

    public void SetHidden(string entityName, string fieldName, bool hidden)
    {
        if (edit.FindField(entityName, fieldName) is not var (entity, field) || field.IsHidden == hidden)
        {
            return;
        }

        var target = entityName + "." + fieldName;
        if (field.IsSystem)
        {
            edit.Error(ErrorCodes.ReadOnly, target, "SystemField", field.Label);
            return;
        }

        if (hidden)
        {
            // As it is after the changes so far: a view that went with them stands in nobody's way.
            var now = SnapshotBuilder.Build(edit.Layers);
            foreach (var (owner, view) in ViewsFilteringBy(now, now.Entity(entityName).Field(fieldName)))
            {
                edit.Error(ErrorCodes.InUse, target, "UsedByView", field.Label, view.Label, owner.Label);
            }
        }

        var shape = edit.Custom(entityName);
        var own = (shape.Field(fieldName) ?? new FieldShape(fieldName)) with { IsHidden = null };
        edit.Put(shape.With(own));
        if (SnapshotBuilder.Bare(edit.Layers, entityName)!.Field(fieldName).IsHidden != hidden)
        {
            edit.Put(shape.With(own with { IsHidden = hidden }));
        }

        edit.Step(entityName, hidden ? "StepHideField" : "StepShowField", field.Label, entity.Label);
    }

    private static IEnumerable<(EntityDefinition Entity, ViewDefinition View)> ViewsFilteringBy(MetadataSnapshot snapshot, FieldDefinition field) =>
        from entity in snapshot.Entities.Values
        from view in entity.Views
        where view.Filter is not null && Paths.Of(snapshot, entity, view.Filter).Any(p => ReferenceEquals(Paths.Find(snapshot, p.Home, p.Path), field))
        select (entity, view);

    private static FieldShape Reset(FieldShape field, ImmutableArray<string> properties)
    {
        foreach (var property in properties)
        {
            field = property switch
            {
                "label" => field with { Label = null },
                "help" => field with { Help = null },
                "required" => field with { IsRequired = null },
                "unique" => field with { IsUnique = null },
                "indexed" => field with { IsIndexed = null },
                "read_only" => field with { IsReadOnly = null },
                "default" => field with { Default = null },
                "max_length" => field with { MaxLength = null },
                "minimum" => field with { Minimum = null },
                "maximum" => field with { Maximum = null },
                "scale" => field with { Scale = null },
                "currency" => field with { Currency = null },
                "country" => field with { Country = null },
                "choices" when field.Type is null => field with { Choices = null, Merged = null },
                "targets" => field with { Targets = null },
                "accept" => field with { Accept = null },
                "stages" or "moves" when field.Type is null => field with { Stages = null, Merged = null },
                "prefix" or "width" or "start" when field.Type is null => field with { Number = null },
                _ => field,
            };
        }

        return field;
    }
}
