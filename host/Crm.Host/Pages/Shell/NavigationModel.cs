using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Host.Pages.Shell;

/// <summary>What the navigation shows: areas, their sections, and in them entities and pages of modules.</summary>
internal sealed record NavigationModel(ImmutableArray<NavigationArea> Areas)
{
    /// <summary>Area of what nobody placed, when there is no other.</summary>
    public const string UnplacedArea = "records";

    public static NavigationModel Of(MetadataSnapshot metadata, ImmutableArray<NavigationPage> pages)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var entities = metadata.Entities.Values.Where(e => !e.IsHidden).OrderBy(e => e.PluralLabel, StringComparer.CurrentCultureIgnoreCase).ToImmutableArray();
        var placed = entities
            .SelectMany(e => e.Placements.Select(p => (Placement: p, Item: Item(e))))
            .Concat(pages.Select(p => (p.Placement, Item: new NavigationItem(p.Title, p.Icon, p.Url, null))))
            .ToLookup(p => p.Placement.Area);
        var areas = ImmutableArray.CreateBuilder<NavigationArea>();
        foreach (var area in metadata.Areas.OrderBy(a => a.Order))
        {
            var sections = Sections(area, [.. placed[area.Name]]);
            if (!sections.IsEmpty)
            {
                areas.Add(new NavigationArea(area.Name, area.Label, area.Icon ?? "folder", sections));
            }
        }

        // An entity an administrator has just made must be reachable wherever they are.
        var known = metadata.Areas.Select(a => a.Name).ToHashSet(StringComparer.Ordinal);
        var unplaced = entities.Where(e => e.Origin != Origins.Platform && e.Link is null && !e.Placements.Any(p => known.Contains(p.Area))).Select(Item).ToImmutableArray();
        if (unplaced.IsEmpty)
        {
            return new NavigationModel(areas.ToImmutable());
        }

        var more = new NavigationSection(Texts.Of("NavMore"), unplaced);
        return new NavigationModel(areas.Count == 0
            ? [new NavigationArea(UnplacedArea, Texts.Of("NavRecords"), "folder", [more])]
            : [.. areas.Select(a => a with { Sections = a.Sections.Add(more) })]);
    }

    /// <summary>The area a page belongs to: the current one when it holds the page, otherwise the first that does.</summary>
    public NavigationArea? AreaOf(string path, string? current)
    {
        var holders = Areas.Where(a => a.Holds(path)).ToList();
        return holders.Find(a => a.Name == current) ?? holders.FirstOrDefault() ?? Areas.FirstOrDefault(a => a.Name == current) ?? Areas.FirstOrDefault();
    }

    private static ImmutableArray<NavigationSection> Sections(AreaDefinition area, ImmutableArray<(Placement Placement, NavigationItem Item)> placed)
    {
        var named = area.Sections.OrderBy(s => s.Order).Select(s => (s.Name, s.Label)).ToList();
        // A placement in a section nobody declared is shown all the same.
        named.AddRange(placed.Select(p => p.Placement.Section).Distinct().Where(s => area.Sections.All(d => d.Name != s)).Select(s => (s, Texts.Of("NavMore"))));
        return
        [
            .. named
                .Select(s => new NavigationSection(s.Label, [.. placed.Where(p => p.Placement.Section == s.Name).OrderBy(p => p.Placement.Order).Select(p => p.Item)]))
                .Where(s => !s.Items.IsEmpty),
        ];
    }

    private static NavigationItem Item(EntityDefinition entity) => new(entity.PluralLabel, entity.Icon, "/e/" + entity.Name, entity.Name);
}

/// <summary>A work area (PLT-05).</summary>
internal sealed record NavigationArea(string Name, string Label, string Icon, ImmutableArray<NavigationSection> Sections)
{
    /// <summary>Whether a page, given by its path, belongs to the area.</summary>
    public bool Holds(string path) => Sections.Any(s => s.Items.Any(i => i.Holds(path)));

    /// <summary>Where choosing the area leads.</summary>
    public string Href => Sections[0].Items[0].Href;
}

/// <summary>A group of items under a heading.</summary>
internal sealed record NavigationSection(string Label, ImmutableArray<NavigationItem> Items);

/// <summary>A link; of an entity when <paramref name="Entity"/> is given.</summary>
internal sealed record NavigationItem(string Label, string Icon, string Href, string? Entity)
{
    /// <summary>Whether a page, given by its path, is this one or lies below it.</summary>
    public bool Holds(string path) => path == Href || path.StartsWith(Href + "/", StringComparison.Ordinal);
}

/// <summary>A module's page in the navigation.</summary>
internal sealed record NavigationPage(string Title, string Icon, string Url, Placement Placement);
