using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Puts a package into the customer's layer. Each difference is made by the same change an administrator would make, so that the same checks and the same steps
/// hold; at the end the layer says exactly what the package says, also where no change exists for it (the order of fields).
/// </summary>
internal sealed class ImportEdit(LayerEdit edit)
{
    /// <summary>Whether an entity of this name is the customer's own.</summary>
    public static bool IsOwn(string entity) => entity.StartsWith(Names.CustomPrefix, StringComparison.Ordinal);

    public void Apply(MetadataChange.Import import)
    {
        foreach (var missing in import.Needs.Where(n => edit.Layers.Find(n) is null))
        {
            edit.Error(ErrorCodes.Module, PackageLayout.Manifest, "PackageNeeds", LayerEdit.Short(missing));
        }

        if (edit.Errors.Count > 0)
        {
            return;
        }

        Areas(import);
        Settings(import);
        ImmutableArray<EntityShape> wanted = [.. import.Shape.Entities.Select(e => e with { IsOwner = IsOwn(e.Name), Fields = [.. e.Fields.Select(FieldEdit.Normal)] })];
        foreach (var twice in wanted.GroupBy(e => e.Name, StringComparer.Ordinal).Where(g => g.Skip(1).Any()))
        {
            edit.Error(PlanCodes.Exists, LayerEdit.Short(twice.Key), "EntityExists", LayerEdit.Short(twice.Key));
            return;
        }

        wanted = new ImportIds(edit).Match(wanted);
        if (edit.Errors.Count > 0)
        {
            return;
        }

        // New entities first, so that whatever leads to them finds them.
        foreach (var entity in wanted.OrderBy(Exists))
        {
            Entity(entity, import.IsComplete);
        }

        if (import.IsComplete)
        {
            foreach (var left in edit.Layers.Custom.Entities.Values.Where(e => wanted.All(w => w.Name != e.Name)).ToList())
            {
                Leave(left);
            }
        }
    }

    private bool Exists(EntityShape entity) => SnapshotBuilder.Bare(edit.Layers, entity.Name) is not null;

    private void Entity(EntityShape wanted, bool isComplete)
    {
        var (errors, steps) = (edit.Errors.Count, edit.Steps.Count);
        if (wanted.IsOwner && !Exists(wanted))
        {
            // What it says about the fields every entity has comes when it has them.
            edit.Apply(new MetadataChange.CreateEntity(wanted with { Fields = wanted.Fields.RemoveAll(f => f.Type is null) }));
            if (edit.Errors.Count == errors)
            {
                Fields(SnapshotBuilder.Bare(edit.Layers, wanted.Name)!, wanted, isComplete);
            }
        }
        else if (edit.Find(wanted.Name) is { } entity)
        {
            Properties(entity, wanted, isComplete);
            Fields(entity, wanted, isComplete);
            Layout(entity, wanted, isComplete);
        }

        if (edit.Errors.Count == errors && SnapshotBuilder.Bare(edit.Layers, wanted.Name) is { } changed)
        {
            if (wanted.IsHidden is { } hidden && hidden != changed.IsHidden)
            {
                edit.Apply(hidden ? new MetadataChange.HideEntity(wanted.Name) : new MetadataChange.ShowEntity(wanted.Name));
            }

            Finish(changed, wanted, isComplete, edit.Steps.Count > steps);
        }
    }

    /// <summary>What lies in the layer now becomes exactly what the package says.</summary>
    private void Finish(EntityDefinition entity, EntityShape wanted, bool isComplete, bool isShown)
    {
        var current = edit.Custom(entity.Name);
        var errors = new List<PlanMessage>();
        using var document = JsonDocument.Parse(ShapeMerge.Of(ShapeJson.Write(current), ShapeJson.Write(wanted), isComplete).ToJsonString());
        using var json = new JsonInput(document.RootElement, entity.Name, errors);
        var merged = ShapeJson.ReadEntity(json, errors, json.RequiredText("name"), Origins.Custom, isStored: true, out _);
        edit.Errors.AddRange(errors);
        if (!Same(current, merged, ShapeJson.Write))
        {
            edit.Put(merged);
            if (!isShown)
            {
                edit.Step(entity.Name, "StepImportRest", entity.Label);
            }
        }
    }

    private void Properties(EntityDefinition entity, EntityShape wanted, bool isComplete)
    {
        bool IsProperty(string name) => ShapeJson.EntityOptions.Contains(name, StringComparer.Ordinal);
        if (Difference(ShapeJson.Write(edit.Custom(entity.Name)), ShapeJson.Write(wanted), isComplete, IsProperty) is not { } changes)
        {
            return;
        }

        using var document = JsonDocument.Parse(changes.ToJsonString());
        using var json = new JsonInput(document.RootElement, entity.Name, edit.Errors);
        json.TakeAll();
        edit.Apply(new MetadataChange.ChangeEntity(ShapeJson.ReadEntity(json, edit.Errors, entity.Name, Origins.Custom, isStored: false, out var reset), reset));
    }

    private void Fields(EntityDefinition entity, EntityShape wanted, bool isComplete)
    {
        var own = edit.Custom(entity.Name).Fields;
        foreach (var field in wanted.Fields)
        {
            var current = own.FirstOrDefault(f => f.Name == field.Name) ?? new FieldShape(field.Name);
            if (IsConverted(current, field))
            {
                edit.Apply(new MetadataChange.ChangeType(entity.Name, field));
                current = edit.Custom(entity.Name).Field(field.Name)!;
            }

            if (field.Type is not null && !entity.TryField(field.Name, out _))
            {
                edit.Apply(new MetadataChange.AddField(entity.Name, field));
            }
            else if (isComplete && current.Type is not null && field.Type is null)
            {
                edit.Error(ErrorCodes.Required, entity.Name + "." + field.Name, "FieldWithoutType", field.Name);
            }
            else
            {
                Change(entity.Name, current, field, isComplete);
            }

            if (field.IsHidden is { } hidden)
            {
                edit.Apply(hidden ? new MetadataChange.HideField(entity.Name, field.Name) : new MetadataChange.ShowField(entity.Name, field.Name));
            }
        }

        foreach (var left in isComplete ? own.Where(f => f.Type is not null && f.IsHidden != true && wanted.Field(f.Name) is null) : [])
        {
            var label = entity.Field(left.Name).Label;
            edit.Step(entity.Name, "StepHideField", label, entity.Label);
            edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("PackageFieldGone", label, entity.Label), entity.Name + "." + left.Name));
        }
    }

    private static bool IsConverted(FieldShape current, FieldShape wanted) =>
        current is { Type: { } from, Formula: null, RollUp: null } && wanted is { Type: { } to, Formula: null, RollUp: null } && TypeConversion.Targets(from).Contains(to);

    private void Change(string entity, FieldShape current, FieldShape wanted, bool isComplete)
    {
        var now = ShapeJson.Write(wanted);
        if (Difference(ShapeJson.Write(current), now, isComplete, name => name is not ("id" or "hidden" or "renamed_from")) is not { } changes)
        {
            return;
        }

        var (field, reset, errors) = ReadField(changes);
        if (errors.Count > 0)
        {
            // Some properties only make sense together; then all of them are said again.
            foreach (var (name, value) in now)
            {
                changes[name] = value?.DeepClone();
            }

            (field, reset, errors) = ReadField(changes);
            edit.Errors.AddRange(errors);
        }

        edit.Apply(new MetadataChange.ChangeField(entity, field, reset));
    }

    private void Layout(EntityDefinition entity, EntityShape wanted, bool isComplete)
    {
        var current = edit.Custom(entity.Name);
        foreach (var view in wanted.Views.Where(v => !Same(current.Views.FirstOrDefault(c => c.Name == v.Name), v, ShapeJson.Write)))
        {
            edit.Apply(new MetadataChange.SetView(entity.Name, view));
        }

        foreach (var left in isComplete ? current.Views.Where(v => wanted.Views.All(w => w.Name != v.Name)) : [])
        {
            edit.Step(entity.Name, "StepRemoveView", left.Label, entity.Label);
        }

        foreach (var view in wanted.RemovedViews.Except(current.RemovedViews).Where(v => SnapshotBuilder.Build(edit.Layers).Entity(entity.Name).Views.Any(e => e.Name == v)))
        {
            edit.Apply(new MetadataChange.RemoveView(entity.Name, view));
        }

        if ((wanted.Form is not null || isComplete) && !Same(current.Form, wanted.Form, ShapeJson.Write))
        {
            // A field that was hidden after it was put on the form is still on it, and comes back with it.
            edit.Put(edit.Custom(entity.Name) with { Form = wanted.Form });
            edit.Step(entity.Name, wanted.Form is null ? "StepResetForm" : "StepSetForm", entity.Label);
        }
    }

    /// <summary>A part of the customer's layer that a complete package does not have: own entities are hidden and keep their records, overrides go.</summary>
    private void Leave(EntityShape left)
    {
        if (!left.IsOwner)
        {
            Entity(new EntityShape(left.Name), isComplete: true);
        }
        else if (left.IsHidden != true)
        {
            edit.Apply(new MetadataChange.HideEntity(left.Name));
            edit.Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("PackageEntityGone", left.Label ?? Names.ToLabel(left.Name)), left.Name));
        }
    }

    private void Areas(MetadataChange.Import import)
    {
        var current = edit.Layers.Custom.Areas;
        ImmutableArray<AreaDefinition> wanted = import.IsComplete
            ? import.Shape.Areas
            : [.. current.Where(c => import.Shape.Areas.All(a => a.Name != c.Name)), .. import.Shape.Areas];
        string Text(ImmutableArray<AreaDefinition> areas) => new JsonArray([.. areas.OrderBy(a => a.Name, StringComparer.Ordinal).Select(ShapeJson.Write)]).ToJsonString();
        if (Text(current) != Text(wanted))
        {
            edit.Put(wanted);
            edit.Step(PlatformShape.SettingsArea, "StepImportAreas");
        }
    }

    private void Settings(MetadataChange.Import import) =>
        edit.Apply(import.IsComplete ? MetadataChange.ChangeSettings.To(import.Shape.Settings) : new MetadataChange.ChangeSettings(import.Shape.Settings, []));

    /// <summary>What is said otherwise now, with null for what is not said any more; null when all is the same.</summary>
    private static JsonObject? Difference(JsonObject before, JsonObject after, bool isComplete, Func<string, bool> counts)
    {
        var changes = new JsonObject { ["name"] = after["name"]!.DeepClone() };
        foreach (var (name, value) in after.Where(p => counts(p.Key) && before[p.Key]?.ToJsonString() != p.Value?.ToJsonString()))
        {
            changes[name] = value?.DeepClone();
        }

        foreach (var (name, _) in isComplete ? before.Where(p => counts(p.Key) && !after.ContainsKey(p.Key)) : [])
        {
            changes[name] = null;
        }

        return changes.Count > 1 ? changes : null;
    }

    private static (FieldShape Field, ImmutableArray<string> Reset, List<PlanMessage> Errors) ReadField(JsonObject changes)
    {
        var errors = new List<PlanMessage>();
        using var document = JsonDocument.Parse(changes.ToJsonString());
        return (ShapeJson.ReadField(document.RootElement, changes["name"]!.ToString(), errors, isStored: true, out var reset), reset, errors);
    }

    private static bool Same<T>(T? one, T? other, Func<T, JsonObject> write)
        where T : class => (one is null ? null : write(one))?.ToJsonString() == (other is null ? null : write(other))?.ToJsonString();
}
