using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>A column of a list.</summary>
public sealed record GridColumn
{
    /// <summary>The path in the view.</summary>
    public required string Path { get; init; }

    /// <summary>Heading.</summary>
    public required string Label { get; init; }

    /// <summary>The field shown.</summary>
    public required FieldDefinition Field { get; init; }

    /// <summary>What rows are ordered by when the heading is pressed; null when they cannot be.</summary>
    public string? SortPath { get; init; }

    /// <summary>Whether the column names the record itself and opens it.</summary>
    public bool OpensRecord { get; init; }

    /// <summary>Where the id of the record a reference points to is found.</summary>
    public string? ReferencePath { get; init; }

    /// <summary>The entity a reference points to.</summary>
    public string? ReferenceEntity { get; init; }

    /// <summary>Further entities the record pointed to may be of, each with the paths of what it is called there.</summary>
    public ImmutableArray<GridReference> Others { get; init; } = ImmutableArray<GridReference>.Empty;

    /// <summary>Paths of what the record pointed to is called, joined by a space.</summary>
    public ImmutableArray<string> TitlePaths { get; init; } = [];

    /// <summary>Everything the column reads.</summary>
    public IEnumerable<string> Selected => ReferencePath is null ? [Path] : [ReferencePath, .. TitlePaths];

    /// <summary>What the record pointed to is called; null for a column that is no reference.</summary>
    public string? TitleOf(Record record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return ReferencePath is null ? null : string.Join(' ', TitlePaths.Select(p => record[p] as string).Where(t => !string.IsNullOrEmpty(t)));
    }

    /// <summary>The entity of the record pointed to; null for a column that is no reference.</summary>
    public string? EntityOf(Record record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return Others.FirstOrDefault(o => o.TitlePaths.Any(p => record[p] is not null))?.Entity ?? ReferenceEntity;
    }

    /// <summary>Whether the column shows what a record of an entity is called.</summary>
    internal bool Names(string entity) => ReferenceEntity == entity || Others.Any(o => o.Entity == entity);

    /// <summary>Whether two versions of a row look the same in this column.</summary>
    internal bool IsSame(Record one, Record other)
    {
        var path = ReferencePath ?? Path;
        return TitleOf(one) == TitleOf(other) && (one[path], other[path]) switch
        {
            (LinkTitles a, LinkTitles b) => a.Count == b.Count && a.First.SequenceEqual(b.First),
            (LinkTitles, _) or (_, LinkTitles) => false,
            var (a, b) => Equals(a, b) || (ReferencePath is null && Field.Type.AreEqual(a, b)),
        };
    }

    /// <summary>Columns of a view; paths that no longer exist are left out.</summary>
    public static ImmutableArray<GridColumn> Of(MetadataSnapshot metadata, EntityDefinition entity, IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(entity);
        var columns = paths.Select(p => FieldPath.Find(metadata, entity, p)).OfType<FieldPath>().Select(p => Of(metadata, p)).ToImmutableArray();
        if (columns.IsEmpty)
        {
            columns = [.. entity.TitleFields.Select(p => FieldPath.Find(metadata, entity, p)).OfType<FieldPath>().Select(p => Of(metadata, p))];
        }

        // The record is opened by its name; in a view that does not show the name, by the first column.
        var opens = Math.Max(0, columns.ToList().FindIndex(c => entity.TitleFields.Contains(c.Path)));
        return columns.IsEmpty ? columns : columns.SetItem(opens, columns[opens] with { OpensRecord = true });
    }

    private static GridColumn Of(MetadataSnapshot metadata, FieldPath path)
    {
        ImmutableArray<string> steps = [.. path.Lookups.Zip(path.Path.Split('.'), (l, step) => (step == l.Name ? l.Type.NavigationProperty(l) : step) + ".")];
        if (FieldPath.TargetOf(metadata, path.Field) is { } target)
        {
            return Reference(metadata, path, path.Field, target, string.Join("", steps));
        }

        // "company.name" is shown as the company itself.
        if (path.Lookups is [.., var last] && path.Owner.TitleFields is [var title] && title == path.Field.Name && FieldPath.TargetOf(metadata, last) == path.Owner)
        {
            return Reference(metadata, path, last, path.Owner, string.Join("", steps[..^1]));
        }

        return new GridColumn
        {
            Path = path.Path,
            Label = path.Lookups.IsEmpty ? path.Field.Label : $"{path.Lookups[^1].Label} · {path.Field.Label}",
            Field = path.Field,
            SortPath = path.Field.Type.CanSort ? path.Path : null,
        };
    }

    private static GridColumn Reference(MetadataSnapshot metadata, FieldPath path, FieldDefinition field, EntityDefinition target, string before)
    {
        var ways = ((ReferenceType)field.Type).WaysOf(field);
        ImmutableArray<string> titles = [.. target.TitleFields.Select(t => before + ways[0].Navigation + "." + t)];
        var others = ways.Length == 1 ? ImmutableArray<GridReference>.Empty :
        [
            .. from way in ways.Skip(1)
               let other = metadata.TryEntity(way.Target, out var found) && !found.IsHidden ? found : null
               where other is not null
               select new GridReference(other.Name, [.. other.TitleFields.Select(t => before + way.Navigation + "." + t)]),
        ];
        return new GridColumn
        {
            Path = path.Path,
            Label = path.Lookups.Length > 1 ? $"{path.Lookups[^2].Label} · {field.Label}" : field.Label,
            Field = field,
            SortPath = titles.IsEmpty ? null : titles[0],
            ReferencePath = before + field.Name,
            ReferenceEntity = target.Name,
            Others = others,
            TitlePaths = [.. titles, .. others.SelectMany(o => o.TitlePaths)],
        };
    }
}

/// <summary>An entity a column's records may be of.</summary>
/// <param name="Entity">Name of the entity.</param>
/// <param name="TitlePaths">Paths of what the record is called.</param>
public sealed record GridReference(string Entity, ImmutableArray<string> TitlePaths);
