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
        var prefix = string.Join("", path.Lookups.Select(l => l.Type.NavigationProperty(l) + "."));
        if (FieldPath.TargetOf(metadata, path.Field) is { } target)
        {
            return Reference(path, path.Field, target, prefix + path.Field.Name, prefix + path.Field.Type.NavigationProperty(path.Field) + ".");
        }

        // "company.name" is shown as the company itself.
        if (path.Lookups is [.., var last] && path.Owner.TitleFields is [var title] && title == path.Field.Name)
        {
            var before = string.Join("", path.Lookups[..^1].Select(l => l.Type.NavigationProperty(l) + "."));
            return Reference(path, last, path.Owner, before + last.Name, prefix);
        }

        return new GridColumn
        {
            Path = path.Path,
            Label = path.Lookups.IsEmpty ? path.Field.Label : $"{path.Lookups[^1].Label} · {path.Field.Label}",
            Field = path.Field,
            SortPath = path.Field.Type.CanSort ? path.Path : null,
        };
    }

    private static GridColumn Reference(FieldPath path, FieldDefinition field, EntityDefinition target, string id, string navigation)
    {
        ImmutableArray<string> titles = [.. target.TitleFields.Select(t => navigation + t)];
        return new GridColumn
        {
            Path = path.Path,
            Label = path.Lookups.Length > 1 ? $"{path.Lookups[^2].Label} · {field.Label}" : field.Label,
            Field = field,
            SortPath = titles.IsEmpty ? null : titles[0],
            ReferencePath = id,
            ReferenceEntity = target.Name,
            TitlePaths = titles,
        };
    }
}
