namespace Crm.Sdk.Web;

/// <summary>Whose records decide what a list shows: its own, and those its columns, its order and its filter look at.</summary>
internal static class GridEntities
{
    public static HashSet<string> Of(MetadataSnapshot metadata, EntityDefinition entity, IEnumerable<string> paths, Filter? filter)
    {
        var found = new HashSet<string>(StringComparer.Ordinal) { entity.Name };
        foreach (var path in paths)
        {
            AddPath(found, metadata, entity, path);
        }

        AddFilter(found, metadata, entity, filter);
        return found;
    }

    private static void AddPath(HashSet<string> found, MetadataSnapshot metadata, EntityDefinition entity, string path)
    {
        if (FieldPath.Find(metadata, entity, path) is not { } leads)
        {
            return;
        }

        foreach (var step in leads.Lookups.Append(leads.Field))
        {
            found.UnionWith(step.Type is ReferenceType type ? type.WaysOf(step).Select(w => w.Target).Where(t => metadata.TryEntity(t, out var target) && !target.IsHidden) : []);
        }

        // The links, and what is at their other end.
        if (leads.Field.Link is { } link)
        {
            found.Add(link.Entity);
            found.Add(leads.Field.Target!);
        }
    }

    private static void AddFilter(HashSet<string> found, MetadataSnapshot metadata, EntityDefinition entity, Filter? filter)
    {
        if (PathOf(filter) is { } path)
        {
            AddPath(found, metadata, entity, path);
        }

        switch (filter)
        {
            case Filter.All all:
                Add(all.Filters);
                break;
            case Filter.Any any:
                Add(any.Filters);
                break;
            case Filter.Not not:
                Add([not.Filter]);
                break;
            case Filter.Related related when metadata.TryEntity(related.Entity, out var pointing):
                found.Add(pointing.Name);
                AddFilter(found, metadata, pointing, related.Where);
                break;
            case Filter.Linked linked when FieldPath.Find(metadata, entity, linked.Path)?.Field.Link is { } link && metadata.TryEntity(link.Entity, out var links):
                AddFilter(found, metadata, links, linked.Where);
                break;
            case null or Filter.Compare or Filter.In or Filter.During or Filter.Mine or Filter.Related or Filter.Linked:
                break;
            default:
                throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}.");
        }

        void Add(IEnumerable<Filter> filters)
        {
            foreach (var each in filters)
            {
                AddFilter(found, metadata, entity, each);
            }
        }
    }

    private static string? PathOf(Filter? filter) => filter switch
    {
        Filter.Compare compare => compare.Path,
        Filter.In list => list.Path,
        Filter.During during => during.Path,
        Filter.Mine mine => mine.Path,
        Filter.Linked linked => linked.Path,
        _ => null,
    };
}
