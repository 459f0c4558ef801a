using System.Globalization;
using System.Text;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Follows paths through lookups, each step a LEFT JOIN that is made once.</summary>
internal sealed class PathResolver(AccessView view, EntityTable root, string start = "r", string? rows = null)
{
    private readonly MetadataSnapshot snapshot = view.Seen;
    private int inner;

    private readonly Dictionary<string, (EntityTable Table, string Alias)> joined = new(StringComparer.Ordinal);
    private readonly StringBuilder joins = new();

    /// <summary>Who asks.</summary>
    public AccessView View => view;

    /// <summary>What rows of the first table have to meet to be seen; null when all are.</summary>
    public string? Condition => rows is not null ? null : view.Condition(root.Entity, AccessOperation.Read, start);

    /// <summary>The FROM clause with all joins made so far.</summary>
    public string From => rows ?? $"{root.Name} AS {start}{joins}";

    /// <summary>What the first table is called in the statement.</summary>
    public string Start => start;

    /// <summary>Name of the entity paths begin at.</summary>
    public string Entity => root.Entity.Name;

    /// <summary>Paths that begin at the links of a many-to-many field, in a statement inside this one.</summary>
    public PathResolver Links(LinkView link) => Records(link.Entity);

    /// <summary>Paths that begin at another entity, in a statement inside this one.</summary>
    public PathResolver Records(string name) =>
        new(view, QueryCompiler.TableOf(snapshot, name), string.Create(CultureInfo.InvariantCulture, $"{start}{++inner}"));

    /// <summary>Paths that begin at the addresses in a field of many, in a statement inside this one. Whoever sees the field sees all of them.</summary>
    public PathResolver Rows(ResolvedPath path)
    {
        var table = EntityTable.Of(AddressesType.RowsOf(path.Field.Definition));
        var name = string.Create(CultureInfo.InvariantCulture, $"{start}{++inner}");
        return new(view, table, name, $"jsonb_to_recordset({path.Sql}) AS {name}({string.Join(", ", table.Columns.Select(c => c.Quoted + " text"))})");
    }

    /// <summary>A path that can be compared or sorted by.</summary>
    public ResolvedPath Resolve(string path) => Find(path) is { Field.Columns.IsEmpty: false } found
        ? found
        : throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NoColumns", path), path);

    /// <summary>A path that can be selected.</summary>
    public ResolvedPath Find(string path)
    {
        var segments = path.Split('.');
        if (segments.Length > QueryLimits.MaxPathSegments)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("PathTooLong", path, QueryLimits.MaxPathSegments), path);
        }

        var (table, alias) = (root, start);
        for (var i = 0; i < segments.Length - 1; i++)
        {
            (table, alias) = Join(table, alias, segments[i], string.Join('.', segments[..(i + 1)]), path);
        }

        return table.TryResolve(segments[^1], out var field, out var part)
            ? new ResolvedPath(path, field, part, alias)
            : throw Unknown(table, segments[^1], path);
    }

    private (EntityTable Table, string Alias) Join(EntityTable from, string alias, string step, string way, string path)
    {
        if (joined.TryGetValue(way, out var known))
        {
            return known;
        }

        var field = from.Fields.FirstOrDefault(f => f.Definition.TargetBy(step) is not null) ?? throw Unknown(from, step, path);
        if (field.Definition.TargetBy(step) is not { } target || !snapshot.TryEntity(target, out var entity) || entity.IsHidden)
        {
            throw Unknown(from, step, path);
        }

        if (joined.Count == QueryLimits.MaxJoins)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("TooManyJoins", QueryLimits.MaxJoins), path);
        }

        var joinedAlias = (start == "r" ? "" : start) + string.Create(CultureInfo.InvariantCulture, $"j{joined.Count + 1}");
        // A record that may not be seen is joined as one that is not there.
        var visible = view.Condition(entity, AccessOperation.Read, joinedAlias) is { } condition ? " AND " + condition : "";
        joins.Append(CultureInfo.InvariantCulture, $" LEFT JOIN {Sql.Table(entity.Name)} AS {joinedAlias} ON {joinedAlias}.id = {alias}.{field.Columns[0].Quoted}{visible}");
        return joined[way] = (EntityTable.Of(entity), joinedAlias);
    }

    private static QueryException Unknown(EntityTable table, string name, string path) =>
        new(ErrorCodes.UnknownField, Texts.Of("UnknownField", table.Entity.Label, name), path);
}

/// <summary>Where a path leads.</summary>
/// <param name="Path">As the caller wrote it.</param>
/// <param name="Field">The field at its end.</param>
/// <param name="Part">Which of its columns; -1 for the field as a whole.</param>
/// <param name="Alias">The table in the statement.</param>
internal sealed record ResolvedPath(string Path, TableField Field, int Part, string Alias)
{
    /// <summary>The column compared and sorted by.</summary>
    public TableColumn Column => Field.Columns[Math.Max(Part, 0)];

    public string Sql => $"{Alias}.{Column.Quoted}";

    /// <summary>Whether the whole value is one column of the type's own.</summary>
    public bool IsSingle => Field.Columns.Length == 1;

    /// <summary>Never without a value.</summary>
    public bool IsNeverNull => Alias == "r" && Field.IsStamp;
}
