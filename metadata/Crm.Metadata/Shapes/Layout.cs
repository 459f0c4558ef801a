using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Views and the form of an entity: those declared and customised, and those made for it.</summary>
internal static class Layout
{
    private const int GeneratedColumns = 7;

    /// <summary>Names of the views every entity has.</summary>
    public static readonly ImmutableArray<string> GeneratedViews = ["active", "inactive", "all"];

    public static EntityDefinition Complete(MetadataLayers layers, MetadataSnapshot fields, EntityDefinition entity)
    {
        var shapes = layers.Items
            .Where(l => l.Entities.TryGetValue(entity.Name, out var shape) && (!shape.IsOwner || l.Name == entity.Origin))
            .Select(l => (Layer: l, Shape: l.Entities[entity.Name]))
            .ToList();
        var holes = new List<LayoutHole>();
        return entity with
        {
            Views = Views(fields, entity, shapes, holes),
            Form = Form(entity, shapes, holes),
            Holes = [.. holes],
        };
    }

    /// <summary>Declared views first, then those made for every entity, then what the customer added; a view of the same name is replaced in its place.</summary>
    private static ImmutableArray<ViewDefinition> Views(MetadataSnapshot snapshot, EntityDefinition entity, List<(Layer Layer, EntityShape Shape)> shapes, List<LayoutHole> holes)
    {
        var views = new List<ViewDefinition>();
        bool IsAddition(Layer layer) => layer.IsCustom && entity.Origin != Origins.Custom;
        foreach (var view in shapes.Where(s => !IsAddition(s.Layer)).SelectMany(s => s.Shape.Views))
        {
            Put(views, view);
        }

        var columns = views.Count > 0 ? views[0].Columns : GeneratedViewColumns(entity);
        views.AddRange(Generated(entity, columns).Where(made => views.TrueForAll(v => v.Name != made.Name)).ToList());
        foreach (var view in shapes.Where(s => IsAddition(s.Layer)).SelectMany(s => s.Shape.Views))
        {
            Put(views, view);
        }

        var removed = shapes.SelectMany(s => s.Shape.RemovedViews).ToHashSet(StringComparer.Ordinal);
        return [.. views.Where(v => !removed.Contains(v.Name)).Select(v => Usable(snapshot, entity, v, holes)).OfType<ViewDefinition>()];
    }

    private static void Put(List<ViewDefinition> views, ViewDefinition view)
    {
        var index = views.FindIndex(v => v.Name == view.Name);
        if (index < 0)
        {
            views.Add(view);
        }
        else
        {
            views[index] = view;
        }
    }

    private static IEnumerable<ViewDefinition> Generated(EntityDefinition entity, ImmutableArray<string> columns)
    {
        ImmutableArray<Sort> newest = [new Sort("created_at", Descending: true)];
        yield return new ViewDefinition("active", MetadataTexts.Of("ActiveView", entity.PluralLabel), columns, Filter.Equal("is_active", true), newest, Origins.Platform);
        yield return new ViewDefinition("inactive", MetadataTexts.Of("InactiveView", entity.PluralLabel), columns, Filter.Equal("is_active", false), newest, Origins.Platform);
        yield return new ViewDefinition("all", MetadataTexts.Of("AllView", entity.PluralLabel), columns, null, newest, Origins.Platform);
    }

    private static ImmutableArray<string> GeneratedViewColumns(EntityDefinition entity)
    {
        var others = entity.Fields
            .Where(f => !f.IsSystem && !f.IsHidden && f.Type != Fields.LongText)
            .Select(f => f.Name);
        return [.. entity.TitleFields.Where(t => t != "id").Concat(others).Append("owner").Distinct(StringComparer.Ordinal).Take(GeneratedColumns)];
    }

    /// <summary>Without columns and sorts that lead nowhere; null when the filter cannot be answered any more, because then the list would show other records than it says.</summary>
    private static ViewDefinition? Usable(MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view, List<LayoutHole> holes)
    {
        ImmutableArray<Sort> sort = view.Sort.IsDefault ? [] : view.Sort;
        var filtered = view.Filter is null ? [] : Paths.Of(snapshot, entity, view.Filter).Where(p => Paths.Find(snapshot, p.Home, p.Path) is not { IsHidden: false }).Select(p => p.Path).ToHashSet(StringComparer.Ordinal);
        var lost = view.Columns.Concat(sort.Select(s => s.Path)).Where(IsLost).Except(filtered, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        holes.AddRange(filtered.Select(path => new LayoutHole(path, OwnerOf(snapshot, entity, path), view, IsViewLeftOut: true)));
        if (filtered.Count > 0)
        {
            return null;
        }

        holes.AddRange(lost.Select(path => new LayoutHole(path, OwnerOf(snapshot, entity, path), view)));
        var columns = view.Columns.RemoveAll(lost.Contains);
        return view with
        {
            Columns = columns.IsEmpty ? GeneratedViewColumns(entity) : columns,
            Sort = sort.RemoveAll(s => lost.Contains(s.Path)),
        };

        bool IsLost(string path) => Paths.Find(snapshot, entity, path) is not { IsHidden: false };
    }

    /// <summary>The layout of an entity without what is hidden in <paramref name="snapshot"/>; the very same entity when nothing is.</summary>
    public static EntityDefinition Seen(MetadataSnapshot snapshot, EntityDefinition entity)
    {
        var holes = new List<LayoutHole>();
        ImmutableArray<ViewDefinition> views = [.. entity.Views.Select(v => Usable(snapshot, entity, v, holes)).OfType<ViewDefinition>()];
        var shown = entity.Fields.Where(f => !f.IsHidden).Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        if (holes.Count == 0 && entity.Form.Sections.All(s => s.Fields.All(shown.Contains)))
        {
            return entity;
        }

        var form = new FormDefinition([.. entity.Form.Sections.Select(s => s with { Fields = [.. s.Fields.Where(shown.Contains)] }).Where(s => !s.Fields.IsEmpty)]);
        return entity with { Views = views.IsEmpty ? [.. Generated(entity, GeneratedViewColumns(entity)).Take(1)] : views, Form = form };
    }

    /// <summary>Where a path that leads nowhere breaks off.</summary>
    public static string OwnerOf(MetadataSnapshot snapshot, EntityDefinition entity, string path)
    {
        var at = entity.Name;
        foreach (var ((owner, field), step) in Paths.Along(snapshot, entity, path).Zip(path.Split('.')))
        {
            at = field.IsHidden ? owner.Name : field.TargetBy(step) ?? owner.Name;
            if (field.IsHidden)
            {
                break;
            }
        }

        return at;
    }

    private static FormDefinition Form(EntityDefinition entity, List<(Layer Layer, EntityShape Shape)> shapes, List<LayoutHole> holes)
    {
        var sections = new List<FormSectionDefinition>();
        var formKnows = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (layer, shape) in shapes)
        {
            if (shape.Form is { } form)
            {
                if (layer.IsCustom)
                {
                    sections.Clear();
                    // The customer laid out every field there is; what is not on the form is left out on purpose.
                    formKnows.UnionWith(entity.Fields.Select(f => f.Name));
                }

                sections.AddRange(form.Sections);
                formKnows.UnionWith(shape.Fields.Select(f => f.Name));
            }
        }

        var shown = entity.Fields.Where(f => !f.IsHidden).Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        holes.AddRange(sections.SelectMany(s => s.Fields).Where(f => !shown.Contains(f)).Distinct(StringComparer.Ordinal).Select(f => new LayoutHole(f, entity.Name)));
        sections = [.. sections
            .Select(s => s with { Fields = [.. s.Fields.Where(shown.Contains)] })
            .Where(s => !s.Fields.IsEmpty)];
        if (sections.Count == 0)
        {
            return new FormDefinition([new FormSectionDefinition("", Ordered(entity, [.. entity.Fields.Where(f => !f.IsSystem)], withOwner: true))]);
        }

        // A field somebody else added must not stay invisible because the form was laid out before it existed.
        var placed = sections.SelectMany(s => s.Fields).ToHashSet(StringComparer.Ordinal);
        var more = Ordered(entity, [.. entity.Fields.Where(f => !f.IsSystem && !formKnows.Contains(f.Name) && !placed.Contains(f.Name))], withOwner: false);
        return new FormDefinition([.. sections, .. more.IsEmpty ? [] : new[] { new FormSectionDefinition(MetadataTexts.Of("MoreFields"), more) }]);
    }

    /// <summary>Required fields first, then in order of declaration. The stage has its bar.</summary>
    private static ImmutableArray<string> Ordered(EntityDefinition entity, ImmutableArray<FieldDefinition> fields, bool withOwner)
    {
        var shown = fields.Where(f => !f.IsHidden && f != entity.StageField).ToList();
        var names = shown.Where(f => f.IsRequired).Concat(shown.Where(f => !f.IsRequired)).Select(f => f.Name);
        return [.. withOwner ? names.Append("owner") : names];
    }
}
