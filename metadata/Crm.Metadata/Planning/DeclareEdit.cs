using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Replaces what a module declared before by what it declares today. What it does not declare any more is hidden, never lost.</summary>
internal sealed class DeclareEdit(LayerEdit edit)
{
    // Fields the module does not declare any more and that are shown.
    private readonly List<(string Entity, FieldShape Field)> gone = [];

    public MetadataLayers Apply(MetadataChange.Declare declare)
    {
        var id = declare.Module.Id;
        var old = edit.Layers.Find(id) ?? Layer.Empty(declare.Module);
        var layer = Layer.Empty(declare.Module) with { Areas = declare.Shape.Areas };
        var renamed = edit.Renames.Count;
        foreach (var entity in declare.Shape.Entities)
        {
            Check(declare, entity);
            layer = layer.With(WithoutRenames(old.Entities.GetValueOrDefault(entity.Name), entity));
        }

        foreach (var left in old.Entities.Values.Where(e => !layer.Entities.ContainsKey(e.Name)))
        {
            layer = layer.With(left with { IsHidden = left.IsOwner ? true : null, Views = [], Rules = [], Grants = left.IsOwner ? left.Grants : [], Form = null, Placements = null });
            if (left.IsOwner && left.IsHidden != true)
            {
                edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("EntityGone", left.Label ?? Names.ToLabel(left.Name)), left.Name));
            }
            else if (!left.IsOwner)
            {
                gone.AddRange(left.Fields.Where(f => f.IsHidden != true).Select(f => (left.Name, f)));
            }
        }

        var layers = edit.Layers.With(layer);
        if (edit.Renames.Count > renamed)
        {
            // Other modules too: their next version may bring the new names only where those are known already.
            var names = new FieldRenames(SnapshotBuilder.Build(edit.Layers), edit.Renames[renamed..]);
            layers = layers.Items.Where(l => l.Name != id).Aggregate(layers, (all, other) => all.With(names.Follow(other)));
        }

        foreach (var entity in declare.Shape.Entities)
        {
            layers = layers.With(WithNewFields(layers.Custom, layer.Entities[entity.Name], old.Entities.GetValueOrDefault(entity.Name)));
            layers = layers.With(WithMergedLists(layers.Custom, layer.Entities[entity.Name], old.Entities.GetValueOrDefault(entity.Name)));
            layers = layers.With(WithVisibility(layers.Custom, entity, old.Entities.GetValueOrDefault(entity.Name)));
        }

        layers = Hide(layers, id);
        edit.Step(id, "StepDeclare", declare.Module.Name);
        return layers;
    }

    private void Check(MetadataChange.Declare declare, EntityShape entity)
    {
        var owner = edit.Layers.Items.FirstOrDefault(l => l.Name != declare.Module.Id && l.Entities.TryGetValue(entity.Name, out var shape) && shape.IsOwner);
        if (entity.IsOwner)
        {
            if (Names.EntityProblem(entity.Name) is { } problem)
            {
                edit.Errors.Add(new PlanMessage(PlanCodes.Name, problem, LayerEdit.Short(entity.Name)));
            }
            else if (entity.Name.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
            {
                edit.Error(PlanCodes.Name, entity.Name, "ModulePrefix", entity.Name);
            }

            if (owner is not null)
            {
                edit.Error(PlanCodes.Exists, entity.Name, "EntityOfOther", entity.Name, owner.Name);
            }

            if (entity.Fields.IsEmpty)
            {
                edit.Error(ErrorCodes.Required, entity.Name, "EntityWithoutFields", entity.Name);
            }
        }
        else if (owner is null)
        {
            edit.Error(ErrorCodes.UnknownEntity, entity.Name, "ExtendUnknown", entity.Name, declare.Module.Id);
        }
        else if (owner.Name != Origins.Platform && !DependsOn(declare.Module, owner.Name))
        {
            edit.Error(PlanCodes.Option, entity.Name, "ExtendStranger", entity.Name, owner.Name, declare.Module.Id);
        }

        foreach (var field in entity.Fields)
        {
            var target = LayerEdit.Short(entity.Name) + "." + LayerEdit.Short(field.Name);
            if (Names.FieldProblem(field.Name) is { } problem)
            {
                edit.Errors.Add(new PlanMessage(PlanCodes.Name, problem, target));
            }
            else if (field.Name.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
            {
                edit.Error(PlanCodes.Name, target, "ModulePrefix", field.Name);
            }

            if (edit.Layers.Items.FirstOrDefault(l => l.Name != declare.Module.Id && l.Entity(entity.Name).Field(field.Name)?.Type is not null) is { } other)
            {
                edit.Error(PlanCodes.Exists, target, "FieldOfOther", field.Name, other.Name);
            }
        }
    }

    /// <summary>The new shape with fields it does not name any more, hidden; fields under a new name are noted.</summary>
    private EntityShape WithoutRenames(EntityShape? old, EntityShape entity)
    {
        if (old is null)
        {
            return entity;
        }

        var renamed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in entity.Fields)
        {
            var target = entity.Name + "." + field.Name;
            if (old.Field(field.Name) is { } same)
            {
                CheckType(target, same, field);
            }
            else if (field.RenamedFrom is { } former && entity.Field(former) is null && old.Field(former) is { } before && renamed.Add(former))
            {
                CheckType(target, before, field);
                edit.Renames.Add(new FieldRename(entity.Name, former, field.Name));
            }
        }

        var left = old.Fields.Where(f => entity.Field(f.Name) is null && !renamed.Contains(f.Name)).ToList();
        gone.AddRange(left.Where(f => f.IsHidden != true).Select(f => (entity.Name, f)));
        return entity with { Fields = [.. entity.Fields, .. left] };
    }

    /// <summary>Hides fields that are gone. One that a formula, roll-up or rule of somebody else reads stays shown until that is changed: an upgrade breaks no calculation.</summary>
    private MetadataLayers Hide(MetadataLayers layers, string id)
    {
        if (gone.Count == 0)
        {
            return layers;
        }

        var state = MetadataState.Of(layers);
        var hidden = gone.ToDictionary(g => g.Entity + "." + g.Field.Name, g => WhereUsed.OfField(state, g.Entity, g.Field.Name).Where(u => u.Kind is "formula" or "roll_up" or "rule").ToList(), StringComparer.Ordinal);
        // What only something reads that goes as well is not needed.
        while (hidden.FirstOrDefault(h => h.Value.Exists(u => u.Kind == "rule" || !hidden.ContainsKey(u.Target))) is { Key: not null } needed)
        {
            edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("FieldGoneUsed", Label(needed.Key), needed.Key.Split('.')[0], string.Join("; ", needed.Value.Select(u => u.Text).Distinct(StringComparer.Ordinal))), needed.Key));
            hidden.Remove(needed.Key);
        }

        foreach (var (entity, field) in gone.Where(g => hidden.ContainsKey(g.Entity + "." + g.Field.Name)))
        {
            var layer = layers.Find(id)!;
            layers = layers.With(layer.With(layer.Entities[entity].With(field with { IsHidden = true })));
            edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("FieldGone", field.Label ?? Names.ToLabel(field.Name), entity), entity + "." + field.Name));
        }

        return layers;

        string Label(string target) => gone.First(g => g.Entity + "." + g.Field.Name == target).Field is { } field ? field.Label ?? Names.ToLabel(field.Name) : target;
    }

    private void CheckType(string target, FieldShape before, FieldShape after)
    {
        var isConverted = before is { Formula: null, RollUp: null } && after is { Formula: null, RollUp: null } && before.Type is { } from && after.Type is { } to && TypeConversion.Targets(from).Contains(to);
        if ((before.Type != after.Type && !isConverted) || (before.Formula is null, before.RollUp is null) != (after.Formula is null, after.RollUp is null))
        {
            edit.Error(ErrorCodes.Type, target, "TypeChange", after.Label ?? after.Name, before.Type?.Name, after.Type?.Name);
        }
        else if (!isConverted && before.Target != after.Target)
        {
            edit.Error(ErrorCodes.Type, target, "TargetChange", after.Label ?? after.Name, before.Target, after.Target);
        }
    }

    private bool DependsOn(ModuleInfo module, string id)
    {
        var needed = ModuleStates.DependsOn(module);
        return needed.Contains(id) || needed.Any(n => edit.Layers.Find(n) is { } layer && layer.Module != module && DependsOn(layer.Module, id));
    }

    /// <summary>Who works with records must not lose sight of them because a new version of a module says who sees them.</summary>
    private static Layer WithVisibility(Layer custom, EntityShape entity, EntityShape? old) =>
        entity is { IsOwner: true, Visibility: Visibility.Private or Visibility.PublicRead } && old is { IsOwner: true, Visibility: null } && custom.Entity(entity.Name).Visibility is null
            ? custom.With(custom.Entity(entity.Name) with { Visibility = Visibility.PublicWrite })
            : custom;

    /// <summary>A form the customer laid out gets the fields a new version of the module brings.</summary>
    private Layer WithNewFields(Layer custom, EntityShape entity, EntityShape? old)
    {
        var shape = custom.Entity(entity.Name);
        var added = entity.Fields.Where(f => f.IsHidden != true && old?.Field(f.Name) is null && !edit.Renames.Contains(new FieldRename(entity.Name, f.RenamedFrom ?? "", f.Name))).Select(f => f.Name).ToList();
        return shape.Form is { Sections: [.. var sections, var last] } && old is not null && added.Count > 0
            ? custom.With(shape with { Form = new FormDefinition([.. sections, last with { Fields = [.. last.Fields, .. added.Except(sections.Append(last).SelectMany(s => s.Fields))] }]) })
            : custom;
    }

    /// <summary>Choices and stages that the customer changed too take in what a new version of the module changes about others of them.</summary>
    private Layer WithMergedLists(Layer custom, EntityShape entity, EntityShape? old)
    {
        var shape = custom.Entity(entity.Name);
        foreach (var field in entity.Fields)
        {
            if (shape.Field(field.Name) is not { } own || (old?.Field(field.Name) ?? old?.Field(field.RenamedFrom ?? "")) is not { } former)
            {
                continue;
            }

            if (own.Choices is { } choices && former.Choices is { } before && field.Choices is { } after && !before.SequenceEqual(after) && ListMerge.Of(before, after, choices, c => c.Name) is { } merged)
            {
                own = own with { Choices = merged.SequenceEqual(after) ? null : merged };
                edit.MergedLists.Add((entity.Name, LayerSays.Key("fields", field.Name, "choices")));
            }

            if (own.Stages is { } stages && former.Stages is { } was && field.Stages is { } now && !IsSame(was, now) && ListMerge.Of(was, now, stages) is { } both)
            {
                own = own with { Stages = IsSame(both, now) ? null : both };
                edit.MergedLists.Add((entity.Name, LayerSays.Key("fields", field.Name, "stages")));
            }

            shape = shape.With(own);
        }

        return custom.With(shape);
    }

    private static bool IsSame(StagesDefinition one, StagesDefinition other) => one.Stages.SequenceEqual(other.Stages) && one.Moves.SequenceEqual(other.Moves);

    /// <summary>A shape whose titles, searches, views and form name fields by other paths.</summary>
    public static EntityShape Renamed(EntityShape shape, Func<string, string> name, Func<Filter, Filter> filter)
    {
        ImmutableArray<string>? All(ImmutableArray<string>? names) => names is { } list ? [.. list.Select(name)] : null;
        return shape with
        {
            TitleFields = All(shape.TitleFields),
            SearchFields = All(shape.SearchFields),
            Views = [.. shape.Views.Select(v => v with
            {
                Columns = [.. v.Columns.Select(name)],
                Filter = v.Filter is null ? null : filter(v.Filter),
                Sort = [.. v.Sort.Select(s => s with { Path = name(s.Path) })],
            })],
            Form = shape.Form is null ? null : new FormDefinition([.. shape.Form.Sections.Select(s => s with { Fields = [.. s.Fields.Select(name)] })]),
        };
    }
}
