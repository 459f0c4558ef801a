using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// What uses a field or an entity, from what the layers say: a use of something hidden counts, because it comes back with it. The one place that knows all uses;
/// a new kind of definition that names fields adds its line here.
/// </summary>
public static class WhereUsed
{
    /// <summary>Uses of a field.</summary>
    public static ImmutableArray<PlanUse> OfField(MetadataState state, string entity, string field)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Snapshot.TryEntity(entity, out var owner) && owner.TryField(field, out var used) ? [.. OfField(state, owner, used)] : [];
    }

    /// <summary>Uses of an entity: what leads to it, and what other modules add to it.</summary>
    public static ImmutableArray<PlanUse> OfEntity(MetadataState state, string entity)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!state.Snapshot.TryEntity(entity, out var owner))
        {
            return [];
        }

        var lookups = state.Snapshot.Entities.Values
            .OrderBy(e => e.Name, StringComparer.Ordinal)
            .SelectMany(e => e.Fields.Where(f => !f.IsSystem && f.Name != e.PartOf && (((f.Type is ReferenceType || !f.Targets.IsEmpty) && f.LeadsTo(entity)) || f.Link?.Entity == entity)).Select(f => (Entity: e, Field: f)))
            .Where(l => l.Entity.Name != entity)
            .ToList();
        return
        [
            .. lookups.Select(l => Use("lookup", entity, l.Entity.Name + "." + l.Field.Name, "UseLookup", l.Field.Label, l.Entity.Label)),
            .. lookups.SelectMany(l => OfPaths(state, l.Entity, l.Field).Where(u => u.IsThrough)).Select(u => u.Use with { Of = entity }),
            .. state.Layers.Items
                .Where(l => !l.IsCustom && l.Name != Origins.Platform && l.Entities.ContainsKey(entity))
                .Select(l => Use("module", entity, l.Name, l.Name == owner.Origin ? "UseDeclared" : "UseExtended", l.Module.Name)),
        ];
    }

    private static IEnumerable<PlanUse> OfField(MetadataState state, EntityDefinition owner, FieldDefinition used)
    {
        var of = owner.Name + "." + used.Name;
        foreach (var use in OfPaths(state, owner, used).Select(u => u.Use))
        {
            yield return use;
        }

        foreach (var use in OfExpressions(state.Snapshot, owner, used))
        {
            yield return use;
        }

        foreach (var (layer, shape) in Shapes(state.Layers).Where(s => s.Shape.Name == owner.Name))
        {
            if (shape.TitleFields?.Contains(used.Name) == true)
            {
                yield return Use("title", of, owner.Name, "UseTitle", owner.Label);
            }

            if (shape.SearchFields?.Contains(used.Name) == true)
            {
                yield return Use("search", of, owner.Name, "UseSearch", owner.Label);
            }

            foreach (var section in shape.Form?.Sections.Where(s => s.Fields.Contains(used.Name)) ?? [])
            {
                yield return Use("form", of, owner.Name, section.Label.Length == 0 ? "UseForm" : "UseFormSection", owner.Label, section.Label);
            }

            if (!layer.IsCustom && shape.Field(used.Name)?.Type is not null)
            {
                yield return Use("module", of, layer.Name, "UseDeclared", layer.Module.Name);
            }
        }
    }

    /// <summary>Formulas and rules that read the field or are about it.</summary>
    private static IEnumerable<PlanUse> OfExpressions(MetadataSnapshot snapshot, EntityDefinition owner, FieldDefinition used) =>
        OfFormulas(snapshot, owner, used).Concat(OfRollUps(snapshot, owner, used)).Concat(
            from entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal)
            from rule in EntityExpressions.Of(snapshot, entity).Rules
            where rule.Condition.Paths.Any(p => p.Reads(entity, owner, used)) || (entity.Name == owner.Name && rule.Definition.Fields.Contains(used.Name))
            select Use("rule", owner.Name + "." + used.Name, entity.Name + "." + rule.Definition.Name, "UseRule", rule.Definition.Label ?? Names.ToLabel(rule.Definition.Name), entity.Label)).Concat(
            from rule in owner.Rules
            where ScriptNames.Uses(rule, used)
            select Use("rule", owner.Name + "." + used.Name, owner.Name + "." + rule.Name, "UseRule", rule.Label ?? Names.ToLabel(rule.Name), owner.Label));

    private static IEnumerable<PlanUse> OfRollUps(MetadataSnapshot snapshot, EntityDefinition owner, FieldDefinition used) =>
        from rollUp in RollUpGroup.OfChild(snapshot, owner.Name).SelectMany(g => g.RollUps)
        where rollUp.Lookup.Name == used.Name || rollUp.Reads.Contains(used.Name)
        select Use("roll_up", owner.Name + "." + used.Name, rollUp.Parent.Name + "." + rollUp.Field.Name, "UseRollUp", rollUp.Field.Label, rollUp.Parent.Label);

    private static IEnumerable<PlanUse> OfFormulas(MetadataSnapshot snapshot, EntityDefinition owner, FieldDefinition used) =>
        from entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal)
        from formula in EntityExpressions.Of(snapshot, entity).Formulas
        where formula.Expression.Paths.Any(p => p.Reads(entity, owner, used))
        select Use("formula", owner.Name + "." + used.Name, entity.Name + "." + formula.Field.Name, "UseFormula", formula.Field.Label, entity.Label);

    /// <summary>Views that name the field, or lead through it to another one.</summary>
    private static IEnumerable<(PlanUse Use, bool IsThrough)> OfPaths(MetadataState state, EntityDefinition owner, FieldDefinition used)
    {
        var of = owner.Name + "." + used.Name;
        foreach (var (_, shape) in Shapes(state.Layers).Where(s => !s.Shape.Views.IsEmpty))
        {
            if (!state.Snapshot.TryEntity(shape.Name, out var entity))
            {
                continue;
            }

            foreach (var view in shape.Views)
            {
                var paths = view.Columns.Select(p => (Kind: "view", Text: "UseView", Home: entity, Path: p))
                    .Concat(view.Filter is null ? [] : Paths.Of(state.Snapshot, entity, view.Filter).Select(p => (Kind: "filter", Text: "UseFilter", p.Home, p.Path)))
                    .Concat(view.Sort.IsDefault ? [] : view.Sort.Select(s => (Kind: "sort", Text: "UseSort", Home: entity, s.Path)));
                foreach (var (kind, text, home, path) in paths)
                {
                    var along = Paths.Along(state.Snapshot, home, path).ToList();
                    var index = along.FindIndex(a => a.Entity.Name == owner.Name && a.Field.Name == used.Name);
                    if (index >= 0)
                    {
                        yield return (Use(kind, of, entity.Name + "." + view.Name, text, view.Label, entity.Label), index < along.Count - 1);
                    }
                }
            }
        }
    }

    private static IEnumerable<(Layer Layer, EntityShape Shape)> Shapes(MetadataLayers layers) => layers.Items.SelectMany(l => l.Entities.Values.Select(s => (l, s)));

    private static PlanUse Use(string kind, string of, string target, string text, params ReadOnlySpan<object?> arguments) =>
        new(kind, of, target, MetadataTexts.Of(text, arguments));
}
