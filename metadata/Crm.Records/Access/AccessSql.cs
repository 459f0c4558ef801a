using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>The one place where rights become SQL. Who asks is in the statement's first parameters, see <see cref="ActorAccess"/>.</summary>
internal static class AccessSql
{
    private const string Owner = "\"owner\"";

    /// <summary>What a row has to meet; null when every row does.</summary>
    public static string? Condition(AccessView view, EntityDefinition entity, Reach reach, AccessOperation operation, string alias)
    {
        var own = reach switch
        {
            Reach.None => "FALSE",
            Reach.Own => $"{alias}.{Owner} = ANY({ActorAccess.Owners})",
            Reach.Team => $"({alias}.{Owner} = ANY({ActorAccess.Owners}) OR {alias}.{Owner} IN (SELECT m.id FROM {Sql.Table("user")} AS m WHERE m.\"team_id\" = ANY({ActorAccess.Teams})))",
            _ => null,
        };
        var ends = operation == AccessOperation.Read ? Ends(view, entity, alias) : null;
        return own is null ? ends : ends is null ? own : $"({own} AND {ends})";
    }

    /// <summary>A link is seen by those who see both records.</summary>
    private static string? Ends(AccessView view, EntityDefinition entity, string alias)
    {
        if (entity.Link is not { } link)
        {
            return null;
        }

        var conditions = new List<string>();
        foreach (var (name, number) in new[] { (link.Left, "l"), (link.Right, "r") })
        {
            var field = entity.Field(name);
            var inner = alias + number;
            if (field.Target is { } target && view.Full.TryEntity(target, out var end) && view.Condition(end, AccessOperation.Read, inner) is { } condition)
            {
                conditions.Add($"EXISTS (SELECT 1 FROM {Sql.Table(target)} AS {inner} WHERE {inner}.id = {alias}.{Sql.Quote(name + field.Type.Columns[0].Suffix)} AND {condition})");
            }
        }

        return conditions.Count == 0 ? null : string.Join(" AND ", conditions);
    }

    /// <summary>For given rows: whether they may be seen, and whether the operation may be done. The ids follow the parameters that say who asks.</summary>
    public static string Verdicts(AccessView view, EntityDefinition entity, params ReadOnlySpan<AccessOperation> operations)
    {
        var verdicts = new List<string>();
        foreach (var operation in operations)
        {
            verdicts.Add(view.Condition(entity, operation, "r") ?? "TRUE");
        }

        return $"SELECT r.id, {string.Join(", ", verdicts.Select(v => $"coalesce({v}, FALSE)"))} FROM {Sql.Table(entity.Name)} AS r WHERE r.id = ANY({ActorAccess.Next})";
    }
}
