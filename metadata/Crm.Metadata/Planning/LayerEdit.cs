using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Applies changes to layers one after the other, collecting what is wrong with each; what several changes together make wrong is found by <see cref="SnapshotCheck"/>.</summary>
internal sealed class LayerEdit(MetadataLayers start, MetadataSnapshot before)
{
    private readonly List<PlanStep> steps = [];

    public MetadataLayers Layers { get; private set; } = start;

    /// <summary>What the changes start from, with entities by the names they get.</summary>
    public MetadataState Start { get; set; } = new(before, start);

    public List<PlanMessage> Errors { get; } = [];

    public List<PlanMessage> Warnings { get; } = [];

    public List<FieldRename> Renames { get; } = [];

    /// <summary>Entities that are called otherwise, in the order their tables are renamed in.</summary>
    public List<EntityRename> EntityRenames { get; } = [];

    /// <summary>Fields, and entities (no field), that go away with their data.</summary>
    public List<(string Entity, string? Field)> Purges { get; } = [];

    /// <summary>Stages that records of others go to.</summary>
    public List<StageSplit> Splits { get; } = [];

    /// <summary>Lists, as <see cref="LayerSays.Key"/> behind their entity, in which what a module and the customer changed holds side by side.</summary>
    public HashSet<(string Entity, string Key)> MergedLists { get; } = [];

    /// <summary>What changes, in words.</summary>
    public IReadOnlyList<PlanStep> Steps => steps;

    public void Apply(MetadataChange change)
    {
        switch (change)
        {
            case MetadataChange.CreateEntity create:
                CreateEntity(create.Entity);
                break;
            case MetadataChange.ChangeEntity entity:
                ChangeEntity(entity.Entity, entity.Reset);
                break;
            case MetadataChange.HideEntity hide:
                SetHidden(hide.Entity, true);
                break;
            case MetadataChange.ShowEntity show:
                SetHidden(show.Entity, false);
                break;
            case MetadataChange.RenameEntity rename:
                new EntityRenameEdit(this).Apply(rename);
                break;
            case MetadataChange.AddField add:
                new FieldEdit(this).Add(add.Entity, add.Field);
                break;
            case MetadataChange.ChangeField field:
                new FieldEdit(this).Change(field.Entity, field.Field, field.Reset);
                break;
            case MetadataChange.HideField hide:
                new FieldEdit(this).SetHidden(hide.Entity, hide.Field, true);
                break;
            case MetadataChange.ShowField show:
                new FieldEdit(this).SetHidden(show.Entity, show.Field, false);
                break;
            case MetadataChange.RenameField rename:
                new ReworkEdit(this).Rename(rename);
                break;
            case MetadataChange.ChangeType type:
                new ReworkEdit(this).ChangeType(type);
                break;
            case MetadataChange.MergeChoices merge:
                new ChoiceEdit(this).Merge(merge);
                break;
            case MetadataChange.SplitStage split:
                new ChoiceEdit(this).Split(split);
                break;
            case MetadataChange.PurgeField purge:
                new PurgeEdit(this).Field(purge.Entity, purge.Field);
                break;
            case MetadataChange.PurgeEntity purge:
                new PurgeEdit(this).Entity(purge.Entity);
                break;
            case MetadataChange.SetView set:
                SetView(set.Entity, set.View);
                break;
            case MetadataChange.RemoveView remove:
                RemoveView(remove.Entity, remove.View);
                break;
            case MetadataChange.SetRule set:
                RuleEdit.Set(this, set.Entity, set.Rule);
                break;
            case MetadataChange.RemoveRule remove:
                RuleEdit.Remove(this, remove.Entity, remove.Rule);
                break;
            case MetadataChange.SetGrant set:
                GrantEdit.Set(this, set.Entity, set.Grant);
                break;
            case MetadataChange.RemoveGrant remove:
                GrantEdit.Remove(this, remove.Entity, remove.Role);
                break;
            case MetadataChange.SetForm set:
                SetForm(set.Entity, set.Form);
                break;
            case MetadataChange.ChangeSettings settings:
                SettingsEdit.Change(this, settings);
                break;
            case MetadataChange.ResetProperty reset:
                ResetEdit.Apply(this, reset);
                break;
            case MetadataChange.Import import:
                new ImportEdit(this).Apply(import);
                break;
            case MetadataChange.Revert revert:
                new RevertEdit(this).Apply(revert);
                break;
            case MetadataChange.Declare declare:
                Layers = new DeclareEdit(this).Apply(declare);
                break;
            default:
                throw new InvalidOperationException($"Unknown change {change.GetType().Name}.");
        }
    }

    public void Error(string code, string target, string text, params ReadOnlySpan<object?> arguments) =>
        Errors.Add(new PlanMessage(code, MetadataTexts.Of(text, arguments), target));

    public void Step(string entity, string text, params ReadOnlySpan<object?> arguments) =>
        steps.Add(new PlanStep(MetadataTexts.Of(text, arguments), null, StepLock.None, entity));

    /// <summary>The entity as it is after the changes so far; null, with an error, when there is none.</summary>
    public EntityDefinition? Find(string name)
    {
        var entity = SnapshotBuilder.Bare(Layers, name);
        if (entity is null)
        {
            Error(ErrorCodes.UnknownEntity, name, "UnknownEntity", Short(name));
        }

        return entity;
    }

    /// <summary>A field and its entity; null, with an error, when there is none.</summary>
    public (EntityDefinition Entity, FieldDefinition Field)? FindField(string entityName, string fieldName)
    {
        if (Find(entityName) is not { } entity)
        {
            return null;
        }

        if (entity.TryField(fieldName, out var field))
        {
            return (entity, field);
        }

        Error(ErrorCodes.UnknownField, Short(entityName) + "." + Short(fieldName), "UnknownField", entity.Label, Short(fieldName));
        return null;
    }

    public EntityShape Custom(string entity) => Layers.Custom.Entity(entity);

    /// <summary>Puts a shape into the customer's layer, without overrides that say nothing any more.</summary>
    public void Put(EntityShape shape) =>
        Layers = Layers.With(Layers.Custom.With(shape with { Fields = shape.Fields.RemoveAll(f => f == new FieldShape(f.Name)) }));

    /// <summary>Replaces the customer's layer.</summary>
    public void Put(Layer custom) => Layers = Layers.With(custom);

    /// <summary>Takes an entity of the customer's out of the definitions.</summary>
    public void Remove(string entity) => Layers = Layers.With(Layers.Custom.Without(entity));

    /// <summary>Replaces the areas of the customer's layer.</summary>
    public void Put(ImmutableArray<AreaDefinition> areas) => Layers = Layers.With(Layers.Custom with { Areas = areas });

    private static ViewDefinition Normal(ViewDefinition view) => view with
    {
        Origin = Origins.Custom,
        Columns = view.Columns.IsDefault ? [] : view.Columns,
        Sort = view.Sort.IsDefault ? [] : view.Sort,
    };

    public static string Short(string name) => name.Length > 60 ? name[..60] : name;

    private void CreateEntity(EntityShape entity)
    {
        var errors = Errors.Count;
        if (Names.EntityProblem(entity.Name) is { } problem)
        {
            Errors.Add(new PlanMessage(PlanCodes.Name, problem, Short(entity.Name)));
        }
        else if (!entity.Name.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
        {
            Error(PlanCodes.Name, entity.Name, "EntityPrefix", entity.Name);
        }

        if (SnapshotBuilder.Bare(Layers, entity.Name) is not null)
        {
            Error(PlanCodes.Exists, entity.Name, "EntityExists", entity.Name);
        }

        if (entity.SetName is { } set && !set.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
        {
            Error(PlanCodes.Name, entity.Name, "SetPrefix", Short(set));
        }

        if (entity.Fields.IsEmpty)
        {
            Error(ErrorCodes.Required, Short(entity.Name), "EntityWithoutFields", Short(entity.Name));
        }

        var fields = ImmutableArray.CreateBuilder<FieldShape>();
        foreach (var field in entity.Fields.Select(FieldEdit.Normal))
        {
            if (fields.Any(f => f.Name == field.Name))
            {
                Error(PlanCodes.Exists, Short(entity.Name) + "." + Short(field.Name), "FieldExists", Short(entity.Name), Short(field.Name));
            }
            else if (new FieldEdit(this).CanAdd(entity.Name, field, needsPrefix: false))
            {
                fields.Add(field);
            }
        }

        // With a name that cannot be used nothing else about the entity can be checked.
        if (Errors.Count > errors && (Names.EntityProblem(entity.Name) is not null || Layers.Items.Any(l => l.Entities.TryGetValue(entity.Name, out var known) && known.IsOwner)))
        {
            return;
        }

        var views = entity.Views.Select(Normal);
        foreach (var twice in entity.Views.GroupBy(v => v.Name, StringComparer.Ordinal).Where(g => g.Skip(1).Any()))
        {
            Error(PlanCodes.Exists, entity.Name, "ViewTwice", Short(twice.Key));
        }

        Put(entity with { IsOwner = true, IsHidden = null, Fields = [.. fields.Where(f => !LinkEdit.IsNew(f))], Views = [.. views], RemovedViews = [], Rules = [.. entity.Rules.Select(r => r with { Origin = Origins.Custom })], RemovedRules = [] });
        CheckPlacements(entity);
        Step(entity.Name, "StepCreateEntity", entity.Label ?? Names.ToLabel(entity.Name), entity.Fields.Length);
        foreach (var field in fields.Where(LinkEdit.IsNew))
        {
            new FieldEdit(this).Add(entity.Name, field);
        }
    }

    private void ChangeEntity(EntityShape changes, ImmutableArray<string> reset)
    {
        if (Find(changes.Name) is not { } entity)
        {
            return;
        }

        if (!changes.Fields.IsEmpty || !changes.Views.IsEmpty || !changes.Rules.IsEmpty || !changes.Grants.IsEmpty || changes.Form is not null)
        {
            Error(PlanCodes.Option, entity.Name, "ChangeEntityParts");
        }

        var isCustom = entity.Origin == Origins.Custom;
        if (changes.SetName is { } set && set != entity.SetName)
        {
            if (!isCustom)
            {
                Error(ErrorCodes.ReadOnly, entity.Name, "SetOfModule", entity.Name);
            }
            else if (!set.StartsWith(Names.CustomPrefix, StringComparison.Ordinal))
            {
                Error(PlanCodes.Name, entity.Name, "SetPrefix", Short(set));
            }
        }

        var shape = Custom(entity.Name);
        bool Resets(string property) => reset.Contains(property);
        CheckPlacements(changes);
        Put(shape with
        {
            Label = Resets("label") ? null : changes.Label ?? shape.Label,
            PluralLabel = Resets("plural") ? null : changes.PluralLabel ?? shape.PluralLabel,
            SetName = Resets("set") ? null : (isCustom ? changes.SetName : null) ?? shape.SetName,
            Icon = Resets("icon") ? null : changes.Icon ?? shape.Icon,
            TitleFields = Resets("title") ? null : changes.TitleFields ?? shape.TitleFields,
            SearchFields = Resets("search") ? null : changes.SearchFields ?? shape.SearchFields,
            Parts = Resets("parts") ? null : changes.Parts ?? shape.Parts,
            Visibility = Resets("visibility") ? null : changes.Visibility ?? shape.Visibility,
            HasViewLog = Resets("view_log") ? null : changes.HasViewLog ?? shape.HasViewLog,
            Placements = Resets("placements") ? null : changes.Placements ?? shape.Placements,
        });
        var words = ShapeJson.Write(changes with { Fields = [], Views = [], Form = null }).Select(p => p.Key).Where(p => p != "name").Concat(reset);
        Step(entity.Name, "StepChangeEntity", entity.Label, string.Join(", ", words));
    }

    private void CheckPlacements(EntityShape entity)
    {
        foreach (var place in entity.Placements ?? [])
        {
            var sections = Layers.Items.SelectMany(l => l.Areas).Where(a => a.Name == place.Area).SelectMany(a => a.Sections);
            if (sections.All(s => s.Name != place.Section))
            {
                Error(ErrorCodes.Unknown, entity.Name, "UnknownPlace", Short(place.Area), Short(place.Section));
            }
        }
    }

    private void SetHidden(string name, bool hidden)
    {
        if (Find(name) is not { } entity || entity.IsHidden == hidden)
        {
            return;
        }

        if (hidden && entity.Origin == Origins.Platform)
        {
            Error(ErrorCodes.ReadOnly, name, "PlatformEntity", entity.Label);
            return;
        }

        var shape = Custom(name) with { IsHidden = null };
        Put(shape);
        if (SnapshotBuilder.Bare(Layers, name)!.IsHidden != hidden)
        {
            Put(shape with { IsHidden = hidden });
        }

        Step(name, hidden ? "StepHideEntity" : "StepShowEntity", entity.Label);
        if (hidden)
        {
            foreach (var pointing in Start.Snapshot.Entities.Values.SelectMany(e => e.Fields.Where(f => !f.IsHidden && f.Target == name && e.Name != name).Select(f => (Entity: e, Field: f))))
            {
                Warnings.Add(new PlanMessage(ErrorCodes.InUse, MetadataTexts.Of("HiddenTarget", pointing.Entity.Label, pointing.Field.Label, entity.Label), pointing.Entity.Name + "." + pointing.Field.Name));
            }
        }
    }

    private void SetView(string name, ViewDefinition view)
    {
        if (Find(name) is not { } entity)
        {
            return;
        }

        var shape = Custom(name);
        Put(shape.With(Normal(view)) with { RemovedViews = shape.RemovedViews.Remove(view.Name) });
        Step(name, "StepSetView", view.Label, entity.Label);
    }

    private void RemoveView(string name, string view)
    {
        if (Find(name) is not { } entity)
        {
            return;
        }

        var views = SnapshotBuilder.Build(Layers).Entity(name).Views;
        if (views.FirstOrDefault(v => v.Name == view) is not { } known)
        {
            Error(ErrorCodes.Unknown, name, "UnknownView", entity.Label, Short(view));
            return;
        }

        if (views.Length == 1)
        {
            Error(PlanCodes.Layout, name, "LastView", entity.Label);
            return;
        }

        var shape = Custom(name);
        Put(shape with { Views = shape.Views.RemoveAll(v => v.Name == view) });
        if (SnapshotBuilder.Build(Layers).Entity(name).Views.Any(v => v.Name == view))
        {
            Put(Custom(name) with { RemovedViews = shape.RemovedViews.Add(view) });
        }

        Step(name, "StepRemoveView", known.Label, entity.Label);
    }

    private void SetForm(string name, FormDefinition? form)
    {
        if (Find(name) is not { } entity)
        {
            return;
        }

        // What was laid out before it was hidden keeps its place, so that it comes back there.
        var known = Layers.Items.SelectMany(l => l.Entity(name).Form?.Sections ?? []).SelectMany(s => s.Fields).ToHashSet(StringComparer.Ordinal);
        foreach (var hidden in (form?.Sections ?? []).SelectMany(s => s.Fields).Where(f => !known.Contains(f) && entity.TryField(f, out var field) && field.IsHidden))
        {
            Error(PlanCodes.Layout, name + "." + hidden, "HiddenOnForm", hidden);
        }

        Put(Custom(name) with { Form = form });
        Step(name, form is null ? "StepResetForm" : "StepSetForm", entity.Label);
    }
}
