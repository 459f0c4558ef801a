using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Effective definitions from layers: what is declared, property by property overlaid by what was customised. Pure and forgiving: a part that points to
/// something that is missing or hidden is left out, so that a snapshot can always be built; the planner is what refuses.
/// </summary>
internal static class SnapshotBuilder
{
    public static MetadataSnapshot Build(MetadataLayers layers)
    {
        var areas = Areas(layers);
        var parts = RecordParts.All(layers);
        var entities = layers.Items
            .SelectMany(l => l.Entities.Values.Where(e => e.IsOwner).Select(e => (Layer: l, Shape: e)))
            .GroupBy(e => e.Shape.Name, StringComparer.Ordinal)
            .Select(g => Entity(layers, parts, g.First().Layer, g.First().Shape))
            .ToDictionary(e => e.Name, StringComparer.Ordinal);

        foreach (var entity in entities.Values.Where(e => e.Fields.Any(f => f.Link is not null)).ToList())
        {
            entities[entity.Name] = entity with { Fields = [.. entity.Fields.Select(f => f.Link is { } link && !(IsShown(link.Entity) && IsShown(f.Target)) ? f with { IsHidden = true } : f)] };
        }

        if (entities.TryGetValue(PlatformShape.User, out var user))
        {
            var granted = entities.Values.SelectMany(e => e.Grants).Where(g => g.Origin != Origins.Custom).Select(g => g.Role).ToList();
            entities[user.Name] = user with { Fields = [.. user.Fields.Select(f => f.Name == RoleNames.Field ? RoleNames.WithGranted(f, granted) : f)] };
        }

        RecordParts.Lead(entities);

        bool IsShown(string? name) => name is not null && entities.TryGetValue(name, out var entity) && !entity.IsHidden;

        // Views lead through lookups into other entities, so they come when all fields are known.
        var fields = new MetadataSnapshot(layers.Version, entities.ToFrozenDictionary(StringComparer.Ordinal), []);
        var complete = entities.Values.Select(e => Layout.Complete(layers, fields, e)).ToFrozenDictionary(e => e.Name, StringComparer.Ordinal);
        (areas, complete) = PlaceLost(areas, complete);
        return new MetadataSnapshot(layers.Version, complete, areas);
    }

    /// <summary>One entity without its views and form; null when no layer declares it.</summary>
    public static EntityDefinition? Bare(MetadataLayers layers, string name)
    {
        var owner = layers.Items.FirstOrDefault(l => l.Entities.TryGetValue(name, out var shape) && shape.IsOwner);
        return owner is null ? null : Entity(layers, RecordParts.All(layers), owner, owner.Entities[name]);
    }

    private static EntityDefinition Entity(MetadataLayers layers, ImmutableArray<string> parts, Layer owner, EntityShape declared)
    {
        var entity = new EntityDefinition
        {
            Name = declared.Name,
            Origin = owner.Name,
            Label = Names.ToLabel(declared.Name),
            PluralLabel = "",
            SetName = Names.ToPlural(declared.Name),
            Parts = parts,
        };
        var fields = new List<(FieldShape Shape, string Origin)>();
        var overrides = new List<FieldShape>();
        foreach (var layer in layers.Items)
        {
            // Another layer that declares the same entity is refused when planned; here the first one wins.
            if (!layer.Entities.TryGetValue(declared.Name, out var shape) || (shape.IsOwner && layer != owner))
            {
                continue;
            }

            entity = entity with
            {
                Label = shape.Label ?? entity.Label,
                PluralLabel = shape.PluralLabel ?? entity.PluralLabel,
                SetName = shape.SetName ?? entity.SetName,
                Icon = shape.Icon ?? entity.Icon,
                IsHidden = shape.IsHidden ?? entity.IsHidden,
                Link = shape.Link ?? entity.Link,
                PartOf = shape.PartOf ?? entity.PartOf,
                TitleFields = shape.TitleFields ?? entity.TitleFields,
                SearchFields = shape.SearchFields ?? entity.SearchFields,
                Visibility = shape.Visibility ?? entity.Visibility,
                HasViewLog = shape.HasViewLog ?? entity.HasViewLog,
                Parts = shape.Parts ?? entity.Parts,
                Placements = (layer.IsCustom ? shape.Placements : shape.Placements is { } more ? [.. entity.Placements, .. more] : null) ?? entity.Placements,
            };
            overrides.AddRange(shape.Fields.Where(f => f.Type is null));
            fields.AddRange(shape.Fields.Where(f => f.Type is not null && fields.TrueForAll(known => known.Shape.Name != f.Name)).Select(f => (f, layer.Name)));
        }

        var own = fields.Select(f => Field(Overlay(f.Shape, overrides), f.Origin, declared.Name, layers.Custom.Settings));
        var system = SystemFields.All.Select(f => Overlay(f, overrides));
        entity = entity with { Fields = [.. own, .. system] };
        entity = entity with { Grants = Parts(layers, owner, declared.Name, (all, shape) => shape.Grants.Aggregate(all, (known, grant) => known.With(grant))).Grants };
        entity = entity with { Rules = [.. Rules(layers, owner, declared.Name).Select(r => WithChoices(r, entity))] };
        var title = TitleFields(entity);
        return entity with
        {
            Parts = RecordParts.Of(parts, entity),
            Fields = [.. entity.Fields.Select(f => title.Contains(f.Name) ? f with { IsTitle = true } : f)],
            PluralLabel = entity.PluralLabel.Length > 0 ? entity.PluralLabel : Names.ToLabel(Names.ToPlural(entity.Name)),
            TitleFields = title,
            SearchFields = SearchFields(entity, title),
        };
    }

    /// <summary>Rules of all layers in their order; a later one of the same name takes the place of the earlier.</summary>
    private static ImmutableArray<RuleDefinition> Rules(MetadataLayers layers, Layer owner, string name)
    {
        return Parts(layers, owner, name, (below, shape) =>
        {
            var rules = shape.Rules.Aggregate(below, (all, rule) => all.With(rule));
            return rules with { Rules = rules.Rules.RemoveAll(r => shape.RemovedRules.Contains(r.Name)) };
        }).Rules;
    }

    private static EntityShape Parts(MetadataLayers layers, Layer owner, string name, Func<EntityShape, EntityShape, EntityShape> overlay) => layers.Items
        .Select(l => l.Entities.TryGetValue(name, out var shape) && (!shape.IsOwner || l == owner) ? shape : null)
        .OfType<EntityShape>()
        .Aggregate(new EntityShape(name), overlay);

    /// <summary>A rule that names a choice which was merged into another one means the other.</summary>
    private static RuleDefinition WithChoices(RuleDefinition rule, EntityDefinition entity)
    {
        var merged = rule.Options.IsEmpty ? [] : rule.Fields.Select(f => entity.TryField(f, out var field) ? field : null).OfType<FieldDefinition>().Where(f => !f.Merged.IsEmpty).ToList();
        return merged.Count == 0 ? rule : rule with { Options = [.. rule.Options.Select(o => merged.Aggregate(o, (now, field) => field.NameNow(now))).Distinct(StringComparer.Ordinal)] };
    }

    private static FieldShape Overlay(FieldShape field, List<FieldShape> overrides) =>
        overrides.Where(o => o.Name == field.Name).Aggregate(field, (below, top) => below.Overlay(top));

    private static FieldDefinition Overlay(FieldDefinition system, List<FieldShape> overrides) =>
        overrides.Where(o => o.Name == system.Name).Aggregate(system, (below, top) => below with { Label = top.Label ?? below.Label, Help = top.Help ?? below.Help });

    private static FieldDefinition Field(FieldShape shape, string origin, string entity, InstallationSettings settings) => new()
    {
        Name = shape.Name,
        Type = shape.Type!,
        Origin = origin,
        Label = shape.Label ?? Names.ToLabel(shape.Name),
        Help = shape.Help,
        // Nobody can give a hidden field a value.
        IsRequired = shape.IsRequired == true && shape.IsHidden != true,
        // A number the product gives is worth nothing when two records share it.
        IsUnique = shape.IsUnique ?? shape.Type == Fields.AutoNumber,
        IsIndexed = shape.IsIndexed ?? false,
        IsReadOnly = shape.Formula is not null || shape.RollUp is not null || (shape.IsReadOnly ?? shape.Type == Fields.AutoNumber),
        IsHidden = shape.IsHidden ?? false,
        Default = shape.Default,
        MaxLength = shape.MaxLength,
        Minimum = shape.Minimum,
        Maximum = shape.Maximum,
        Scale = shape.Scale,
        Currency = shape.Currency,
        Country = shape.Country ?? (IsPhone(shape.Type) ? settings.PhoneCountry : null),
        IsCountryOfInstallation = shape.Country is null && IsPhone(shape.Type) && settings.PhoneCountry is not null,
        Choices = shape.Choices ?? [],
        Merged = shape.Merged ?? [],
        Target = shape.Type switch
        {
            HierarchyType => entity,
            OwnerType or TeamType => ((ReferenceType)shape.Type).TargetOf(null!),
            _ => shape.Target,
        },
        Targets = shape.Targets ?? [],
        Accept = shape.Accept ?? [],
        Link = shape.Link,
        Stages = shape.Stages,
        Number = shape.Number,
        Formula = shape.Formula,
        RollUp = shape.RollUp,
        RenamedFrom = shape.RenamedFrom,
    };

    private static bool IsPhone(FieldType? type) => type == Fields.Phone || type == Fields.Phones;

    private static ImmutableArray<string> TitleFields(EntityDefinition entity)
    {
        var usable = entity.Fields.Where(f => !f.IsHidden && !f.IsSystem).ToList();
        ImmutableArray<string> chosen = [.. entity.TitleFields.Where(t => usable.Exists(f => f.Name == t))];
        if (!chosen.IsEmpty)
        {
            return chosen;
        }

        var title = usable.Find(f => f.IsRequired && f.Type == Fields.Text)
            ?? usable.Find(f => f.Type == Fields.Text)
            ?? usable.Find(f => f.Type is SingleTextType && f.Type != Fields.LongText);
        return [title?.Name ?? "id"];
    }

    private static ImmutableArray<string> SearchFields(EntityDefinition entity, ImmutableArray<string> title)
    {
        var texts = entity.Fields.Where(f => !f.IsHidden && (f.Type is SingleTextType or AddressesType || f.Type == Fields.Phones || f.Type == Fields.Emails)).Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        return [.. (entity.SearchFields.IsEmpty ? title : entity.SearchFields).Where(texts.Contains)];
    }

    /// <summary>Areas with the sections of all layers. Who gives an area a label owns it, wherever in the order it comes.</summary>
    private static ImmutableArray<AreaDefinition> Areas(MetadataLayers layers)
    {
        var areas = layers.Items.SelectMany(l => l.Areas).GroupBy(a => a.Name, StringComparer.Ordinal).Select(parts =>
        {
            var owner = parts.FirstOrDefault(a => a.Label.Length > 0) ?? parts.First();
            return owner with
            {
                Label = owner.Label.Length > 0 ? owner.Label : Names.ToLabel(owner.Name),
                Sections = [.. parts.SelectMany(a => a.Sections).DistinctBy(s => s.Name, StringComparer.Ordinal).OrderBy(s => s.Order)],
            };
        });
        return [.. areas.OrderBy(a => a.Order).ThenBy(a => a.Name, StringComparer.Ordinal)];
    }

    /// <summary>
    /// What the customer made without saying where, and what belongs into an area that is not there, must still be found: it goes into the first area, into a
    /// section of its own. Entities of modules without any place are parts of others (the lines of an invoice) and stay out.
    /// </summary>
    private static (ImmutableArray<AreaDefinition> Areas, FrozenDictionary<string, EntityDefinition> Entities) PlaceLost(
        ImmutableArray<AreaDefinition> areas, FrozenDictionary<string, EntityDefinition> entities)
    {
        const string section = "custom";
        bool Exists(Placement place) => areas.Any(a => a.Name == place.Area && a.Sections.Any(s => s.Name == place.Section));
        var lost = entities.Values
            .Where(e => e.Placements.IsEmpty ? e.Origin == Origins.Custom && e.Link is null : !e.Placements.Any(Exists))
            .Select(e => e.Name)
            .ToHashSet(StringComparer.Ordinal);
        if (lost.Count == 0 || areas.IsEmpty)
        {
            return (areas, entities);
        }

        var first = areas[0];
        if (first.Sections.All(s => s.Name != section))
        {
            areas = areas.SetItem(0, first with { Sections = first.Sections.Add(new SectionDefinition(section, MetadataTexts.Of("CustomSection"), 1000)) });
        }

        return (areas, entities.Values
            .Select(e => lost.Contains(e.Name) ? e with { Placements = [new Placement(first.Name, section)] } : e)
            .ToFrozenDictionary(e => e.Name, StringComparer.Ordinal));
    }
}
