using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Collects what a module declares. Checks nothing that the planner checks: a wrong shape becomes a list of all its errors when it is planned.</summary>
/// <param name="origin">Id of the module.</param>
public sealed class MetadataBuilder(string origin) : IMetadataBuilder
{
    private readonly List<EntityShapeBuilder> entities = [];
    private readonly List<AreaDefinition> areas = [];

    /// <inheritdoc/>
    public IMetadataBuilder Entity(string name, Action<IEntityBuilder> define) => Define(name, isOwner: true, define);

    /// <inheritdoc/>
    public IMetadataBuilder Extend(string name, Action<IEntityBuilder> define) => Define(name, isOwner: false, define);

    /// <inheritdoc/>
    public IMetadataBuilder Area(string name, string label, int order = 100, string? icon = null)
    {
        var index = areas.FindIndex(a => a.Name == name);
        if (index < 0)
        {
            areas.Add(new AreaDefinition(name, label, order, icon, [], origin));
        }
        else
        {
            areas[index] = areas[index] with { Label = label, Order = order, Icon = icon };
        }

        return this;
    }

    /// <inheritdoc/>
    public IMetadataBuilder Section(string area, string name, string label, int order = 100)
    {
        var index = areas.FindIndex(a => a.Name == area);
        if (index < 0)
        {
            // Only a section of somebody else's area: an empty label leaves the area as its owner declared it.
            areas.Add(new AreaDefinition(area, "", 100, null, [], origin));
            index = areas.Count - 1;
        }

        areas[index] = areas[index] with
        {
            Sections = [.. areas[index].Sections.Where(s => s.Name != name), new SectionDefinition(name, label, order)],
        };
        return this;
    }

    /// <summary>What was declared.</summary>
    public DeclaredShape Build()
    {
        var shapes = entities.ConvertAll(e => e.Shape);
        foreach (var (entity, field) in shapes.SelectMany(s => s.Fields.Where(f => LinkEdit.IsNew(f) && f.Target is not null).Select(f => (s, f))).ToList())
        {
            var parts = LinkParts.Of(
                entity.Label ?? Names.ToLabel(entity.Name),
                entity.PluralLabel ?? Names.ToLabel(Names.ToPlural(entity.Name)),
                entity.Name,
                field,
                "",
                name => shapes.Exists(s => s.Name == name),
                name => shapes.Exists(s => s.Name == field.Target && s.Field(name) is not null));
            shapes.Add(parts.Entity with { IsOwner = true });
            With(shapes, entity.Name, parts.Field);
            With(shapes, field.Target!, parts.Inverse);
        }

        return new([.. shapes], [.. areas]);
    }

    private static void With(List<EntityShape> shapes, string entity, FieldShape field)
    {
        var index = shapes.FindIndex(s => s.Name == entity);
        if (index < 0)
        {
            shapes.Add(new EntityShape(entity).With(field));
        }
        else
        {
            shapes[index] = shapes[index].With(field);
        }
    }

    private MetadataBuilder Define(string name, bool isOwner, Action<IEntityBuilder> define)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(define);
        var entity = entities.Find(e => e.Shape.Name == name);
        if (entity is null)
        {
            entity = new EntityShapeBuilder(new EntityShape(name) { IsOwner = isOwner }, origin);
            entities.Add(entity);
        }
        else if (isOwner && entity.Shape.IsOwner)
        {
            throw new InvalidOperationException($"The entity '{name}' is declared twice.");
        }
        else
        {
            entity.Shape = entity.Shape with { IsOwner = isOwner || entity.Shape.IsOwner };
        }

        define(entity);
        return this;
    }
}

internal sealed class EntityShapeBuilder(EntityShape shape, string origin) : IEntityBuilder
{
    public EntityShape Shape { get; set; } = shape;

    public IEntityBuilder Label(string singular, string plural) => Set(Shape with { Label = singular, PluralLabel = plural });

    public IEntityBuilder Set(string setName) => Set(Shape with { SetName = setName });

    public IEntityBuilder Icon(string icon) => Set(Shape with { Icon = icon });

    public IEntityBuilder Title(params ReadOnlySpan<string> fields) => Set(Shape with { TitleFields = [.. fields] });

    public IEntityBuilder Search(params ReadOnlySpan<string> fields) => Set(Shape with { SearchFields = [.. fields] });

    public IEntityBuilder Field(string name, FieldType type, Action<IFieldBuilder>? define = null)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Add(FieldEdit.Normal(new FieldShape(name) { Type = type }), define, origin);
    }

    public IEntityBuilder Stages(string field, Action<IStageBuilder> define, Action<IFieldBuilder>? describe = null)
    {
        ArgumentNullException.ThrowIfNull(define);
        var stages = new StagesBuilder();
        define(stages);
        return Add(new FieldShape(field) { Type = Fields.Stage, Stages = stages.Build() }, describe, origin);
    }

    public IEntityBuilder View(string name, string label, params ReadOnlySpan<string> columns) =>
        View(new ViewDefinition(name, label, [.. columns], Origin: origin));

    public IEntityBuilder View(ViewDefinition view)
    {
        ArgumentNullException.ThrowIfNull(view);
        if (Shape.Views.Any(v => v.Name == view.Name))
        {
            throw new InvalidOperationException($"The view '{view.Name}' of '{Shape.Name}' is declared twice.");
        }

        return Set(Shape.With(view with { Origin = origin, Sort = view.Sort.IsDefault ? [] : view.Sort }));
    }

    public IEntityBuilder FormSection(string label, params ReadOnlySpan<string> fields) =>
        Set(Shape with { Form = new FormDefinition([.. Shape.Form?.Sections ?? [], new FormSectionDefinition(label, [.. fields])]) });

    public IEntityBuilder Rule(RuleDefinition rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return Shape.Rules.Any(r => r.Name == rule.Name)
            ? throw new InvalidOperationException($"The rule '{rule.Name}' of '{Shape.Name}' is declared twice.")
            : Set(Shape.With(rule with { Origin = origin }));
    }

    public IEntityBuilder Visibility(Visibility visibility) => Set(Shape with { Visibility = visibility });

    public IEntityBuilder ViewLog() => Set(Shape with { HasViewLog = true });

    public IEntityBuilder Grant(GrantDefinition grant)
    {
        ArgumentNullException.ThrowIfNull(grant);
        return Shape.Grants.Any(g => g.Role == grant.Role)
            ? throw new InvalidOperationException($"The grant of '{grant.Role}' on '{Shape.Name}' is declared twice.")
            : Set(Shape.With(grant with { Origin = origin }));
    }

    public IEntityBuilder PartOf(string field) => Set(Shape with { PartOf = field });

    public IEntityBuilder Parts(params ReadOnlySpan<string> entities) => Set(Shape with { Parts = [.. entities] });

    public IEntityBuilder In(string area, string section, int order = 100) =>
        Set(Shape with { Placements = [.. Shape.Placements ?? [], new Placement(area, section, order)] });

    private EntityShapeBuilder Add(FieldShape field, Action<IFieldBuilder>? define, string origin)
    {
        if (Shape.Field(field.Name) is not null)
        {
            throw new InvalidOperationException($"The field '{field.Name}' of '{Shape.Name}' is declared twice.");
        }

        var builder = new FieldShapeBuilder(field, origin);
        define?.Invoke(builder);
        return Set(Shape.With(builder.Shape));
    }

    private EntityShapeBuilder Set(EntityShape changed)
    {
        Shape = changed;
        return this;
    }
}

internal sealed class FieldShapeBuilder(FieldShape shape, string origin) : IFieldBuilder
{
    public FieldShape Shape { get; private set; } = shape;

    public IFieldBuilder Label(string label) => Set(Shape with { Label = label });

    public IFieldBuilder Help(string help) => Set(Shape with { Help = help });

    public IFieldBuilder Required() => Set(Shape with { IsRequired = true });

    public IFieldBuilder Unique() => Set(Shape with { IsUnique = true });

    public IFieldBuilder ReadOnly() => Set(Shape with { IsReadOnly = true });

    public IFieldBuilder Default(object value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Set(Shape with { Default = DefaultInput.Of(value) });
    }

    public IFieldBuilder MaxLength(int characters) => Set(Shape with { MaxLength = characters });

    public IFieldBuilder Range(decimal? minimum, decimal? maximum) => Set(Shape with { Minimum = minimum, Maximum = maximum });

    public IFieldBuilder Scale(int digits) => Set(Shape with { Scale = digits });

    public IFieldBuilder Currency(string code) => Set(Shape with { Currency = code });

    public IFieldBuilder Country(string code) => Set(Shape with { Country = code });

    public IFieldBuilder Choice(string name, string label, string? colour = null) =>
        Set(Shape with { Choices = [.. Shape.Choices ?? [], new ChoiceDefinition(name, label, colour)] });

    public IFieldBuilder Targets(params ReadOnlySpan<string> entities) => Set(Shape with { Targets = [.. entities] });

    public IFieldBuilder Accept(params ReadOnlySpan<string> kinds) => Set(Shape with { Accept = [.. kinds] });

    public IFieldBuilder Inverse(string name, string label) => Set(Shape with { NewLink = (Shape.NewLink ?? new NewLink()) with { Inverse = name, InverseLabel = label } });

    public IFieldBuilder Link(string name, Action<IEntityBuilder>? define = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        var link = new EntityShapeBuilder(new EntityShape(name), origin);
        define?.Invoke(link);
        return Set(Shape with { NewLink = (Shape.NewLink ?? new NewLink()) with { Entity = link.Shape } });
    }

    public IFieldBuilder Number(string prefix, int width, long start = 1) => Set(Shape with { Number = new NumberFormat(prefix, width, start) });

    public IFieldBuilder Formula(string expression) => Set(Shape with { Formula = expression });

    public IFieldBuilder RollUp(RollUpDefinition rollUp) => Set(Shape with { RollUp = rollUp });

    public IFieldBuilder RenamedFrom(string formerName) => Set(Shape with { RenamedFrom = formerName });

    private FieldShapeBuilder Set(FieldShape changed)
    {
        Shape = changed;
        return this;
    }
}

internal sealed class StagesBuilder : IStageBuilder
{
    private readonly List<StageDefinition> stages = [];
    private readonly List<StageMove> moves = [];

    public IStageBuilder Stage(string name, string label, int probability = 0) => Add(new StageDefinition(name, label, StageKind.Open, probability));

    public IStageBuilder Won(string name, string label) => Add(new StageDefinition(name, label, StageKind.Won, 100));

    public IStageBuilder Lost(string name, string label) => Add(new StageDefinition(name, label, StageKind.Lost, 0));

    public IStageBuilder Allow(string from, string to)
    {
        moves.Add(new StageMove(from, to));
        return this;
    }

    public StagesDefinition Build() => new([.. stages], [.. moves]);

    private StagesBuilder Add(StageDefinition stage)
    {
        stages.Add(stage);
        return this;
    }
}
