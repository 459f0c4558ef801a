using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Finds what a package means in the customer's layer: by the stable id first, by the name second. A field or an entity that is called otherwise in the package is renamed here,
/// with its values; one that both sides made by the same name takes the package's id, so that from then on it is the same. Fields of modules are found under the names they have in the
/// version that runs here.
/// </summary>
internal sealed class ImportIds(LayerEdit edit)
{
    /// <summary>The customer's layer as a package says it: with the ids of the fields of modules that it changes.</summary>
    public static EntityShape Exported(MetadataLayers layers, EntityShape shape) => shape with
    {
        Fields = [.. shape.Fields.Select(f => f.Type is null ? f with { Id = Declared(layers, shape.Name).Where(d => d.Field.Name == f.Name).Select(d => (Guid?)StableIds.Of(d.Module, shape.Name, d.Field)).FirstOrDefault() } : f)],
    };

    /// <summary>What the package wants, by the ids it is to have here.</summary>
    public ImmutableArray<EntityShape> Match(ImmutableArray<EntityShape> wanted)
    {
        foreach (var twice in wanted.Where(e => e.Id is not null).GroupBy(e => e.Id).Where(g => g.Skip(1).Any()))
        {
            edit.Error(ErrorCodes.Conflict, twice.Last().Name, "PackageIdTwice", twice.First().Name, twice.Last().Name);
        }

        foreach (var entity in wanted)
        {
            Check(entity);
        }

        if (edit.Errors.Count == 0)
        {
            RenameEntities(wanted);
        }

        wanted = Follow(wanted);

        // All names first: what a package says about one entity may name fields of another.
        foreach (var (entity, renames) in edit.Errors.Count == 0 ? wanted.Select(e => (e, Renames(e))).ToList() : [])
        {
            Rename(entity, renames);
        }

        return [.. wanted.Select(Known)];
    }

    private static IEnumerable<(string Module, FieldShape Field)> Declared(MetadataLayers layers, string entity) =>
        layers.Items.Where(l => !l.IsCustom).SelectMany(l => l.Entity(entity).Fields.Where(f => f.Type is not null).Select(f => (l.Name, f)));

    /// <summary>The package in the words of the modules that run here: another version of them may call a field otherwise.</summary>
    private ImmutableArray<EntityShape> Follow(ImmutableArray<EntityShape> wanted)
    {
        var renames = ModuleRenames(wanted);
        if (renames.Count == 0)
        {
            return wanted;
        }

        var package = wanted.Aggregate(Layer.Empty(edit.Layers.Custom.Module), (layer, entity) => layer.With(entity));
        var back = new FieldRenames(SnapshotBuilder.Build(edit.Layers), [.. renames.Select(r => new FieldRename(r.Entity, r.To, r.From))]);
        var there = edit.Layers.Items.Where(l => !l.IsCustom).Aggregate(edit.Layers.With(package), (all, layer) => all.With(back.Follow(layer)));
        var here = new FieldRenames(SnapshotBuilder.Build(there), renames).Follow(package);
        return [.. wanted.Select(e => here.Entity(e.Name))];
    }

    private List<FieldRename> ModuleRenames(ImmutableArray<EntityShape> wanted)
    {
        var renames = new Dictionary<(string Entity, string From), string>();
        foreach (var name in edit.Layers.Items.Where(l => !l.IsCustom).SelectMany(l => l.Entities.Keys).Distinct(StringComparer.Ordinal))
        {
            var declared = Declared(edit.Layers, name).ToList();
            var named = wanted.FirstOrDefault(e => e.Name == name)?.Fields.Where(f => f is { Type: null, Id: not null }) ?? [];
            foreach (var (from, to) in declared.Where(d => d.Field.RenamedFrom is not null).Select(d => (d.Field.RenamedFrom!, d.Field.Name))
                .Concat(from field in named from d in declared where StableIds.Of(d.Module, name, d.Field) == field.Id select (field.Name, d.Field.Name))
                .Where(r => r.Item1 != r.Item2 && !declared.Exists(d => d.Field.Name == r.Item1)))
            {
                renames.TryAdd((name, from), to);
            }
        }

        return [.. renames.Select(r => new FieldRename(r.Key.Entity, r.Key.From, r.Value))];
    }

    private IEnumerable<FieldShape> Own(string entity) => edit.Custom(entity).Fields.Where(f => f.Type is not null);

    private void Check(EntityShape wanted)
    {
        foreach (var twice in wanted.Fields.Where(f => f.Id is not null).GroupBy(f => f.Id).Where(g => g.Skip(1).Any()))
        {
            edit.Error(ErrorCodes.Conflict, wanted.Name + "." + twice.Last().Name, "PackageIdTwice", twice.First().Name, twice.Last().Name);
        }
    }

    /// <summary>Entities that the package calls otherwise, one after the other, each when nobody has its name any more.</summary>
    private void RenameEntities(ImmutableArray<EntityShape> wanted)
    {
        var open =
            (from entity in wanted
             where entity.Id is not null
             let here = edit.Layers.Custom.Entities.Values.FirstOrDefault(e => e.Id == entity.Id)
             where here is not null && here.Name != entity.Name
             select new EntityRename(here.Name, entity.Name)).ToList();
        while (open.Find(r => SnapshotBuilder.Bare(edit.Layers, r.To) is null) is { } next)
        {
            open.Remove(next);
            edit.Apply(new MetadataChange.RenameEntity(next.From, next.To));
            if (edit.Errors.Count > 0)
            {
                return;
            }
        }

        foreach (var rename in open)
        {
            edit.Error(ErrorCodes.Conflict, rename.From, open.Exists(r => r.From == rename.To) ? "PackageEntitiesSwapped" : "PackageEntityTaken", rename.From, rename.To);
        }
    }

    private List<FieldRename> Renames(EntityShape wanted) =>
    [
        .. from field in wanted.Fields
           where field is { Type: not null, Id: not null }
           let here = Own(wanted.Name).FirstOrDefault(f => f.Id == field.Id)
           where here is not null && here.Name != field.Name
           select new FieldRename(wanted.Name, here.Name, field.Name),
    ];

    /// <summary>One after the other, each when nobody has its name any more.</summary>
    private void Rename(EntityShape wanted, List<FieldRename> open)
    {
        while (open.Count > 0 && SnapshotBuilder.Bare(edit.Layers, wanted.Name) is { } entity)
        {
            if (open.Find(r => !entity.TryField(r.To, out _)) is { } next)
            {
                open.Remove(next);
                edit.Apply(new MetadataChange.RenameField(next.Entity, next.From, next.To));
                if (edit.Errors.Count > 0)
                {
                    return;
                }

                continue;
            }

            foreach (var rename in open)
            {
                var isSwapped = open.Exists(r => r.From == rename.To);
                edit.Error(ErrorCodes.Conflict, rename.Entity + "." + rename.From, isSwapped ? "PackageNamesSwapped" : "PackageNameTaken", rename.From, entity.Label, rename.To);
            }

            return;
        }
    }

    private EntityShape Known(EntityShape wanted)
    {
        var here = edit.Custom(wanted.Name);
        if (wanted.Id is not null && here.Id is not null && wanted.Id != here.Id)
        {
            edit.Warnings.Add(new PlanMessage(PlanCodes.Exists, MetadataTexts.Of("PackageEntityMadeTwice", wanted.Label ?? wanted.Name), wanted.Name));
        }

        return wanted with { Id = wanted.IsOwner ? wanted.Id ?? here.Id : null, Fields = [.. wanted.Fields.Select(f => Known(wanted.Name, f))] };
    }

    private FieldShape Known(string entity, FieldShape wanted)
    {
        var here = Own(entity).FirstOrDefault(f => f.Name == wanted.Name);
        if (here is not null && wanted.Id is not null && here.Id is not null && wanted.Id != here.Id)
        {
            edit.Warnings.Add(new PlanMessage(PlanCodes.Exists, MetadataTexts.Of("PackageFieldMadeTwice", here.Label ?? Names.ToLabel(here.Name), entity), entity + "." + here.Name));
        }

        // What only changes a field of a module has no id of its own here.
        return wanted with { Id = wanted.Type is null ? here?.Id : wanted.Id ?? here?.Id };
    }
}
