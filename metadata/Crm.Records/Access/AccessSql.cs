using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>The one place where rights become SQL. Who asks is in the statement's first parameters, see <see cref="ActorAccess"/>.</summary>
internal static class AccessSql
{
    private const string Owner = "\"owner\"";

    // A parameter's elements are compared one after the other by = ANY; a set of them is built once per statement, unless it becomes part of a join, which IS TRUE prevents.
    private const string InTeams = $"(m.\"team_id\" IN (SELECT unnest({ActorAccess.Teams}))) IS TRUE";

    /// <summary>What a row has to meet; null when every row does.</summary>
    /// <param name="view">Who asks.</param>
    /// <param name="entity">Entity of the rows.</param>
    /// <param name="operation">What is to be done with them.</param>
    /// <param name="alias">What they are called in the statement.</param>
    /// <param name="isInBin">Whether they are rows of the recycle bin, which stand for records and only know the ids those pointed to.</param>
    public static string? Condition(AccessView view, EntityDefinition entity, AccessOperation operation, string alias, bool isInBin = false)
    {
        if (view.Of(entity) is not { } access)
        {
            return null;
        }

        var reached = access[operation] switch
        {
            Reach.None => "FALSE",
            Reach.Own => AnyOf(Own(alias), Shared(view, entity, operation, alias)),
            Reach.Team => AnyOf(Own(alias), Teams(alias), Mates(alias), Shared(view, entity, operation, alias)),
            // A record may be kept from those who only see it because everybody does.
            _ when view.HasRestrictions(entity) && operation != AccessOperation.Create && access.Deciding(operation).Role is null or GrantDefinition.Everyone =>
                AnyOf($"NOT EXISTS (SELECT 1 FROM crm.record_restriction AS x WHERE x.record_id = {alias}.id)", Own(alias), Shared(view, entity, operation, alias)),
            _ => null,
        };
        var ends = entity.PartOf is { } whole ? Whole(view, entity, entity.Field(whole), operation, alias, isInBin) : operation == AccessOperation.Read ? Ends(view, entity, alias) : null;
        return reached is null ? ends : ends is null ? reached : $"({reached} AND {ends})";
    }

    /// <summary>For given rows: whether each operation may be done. The ids follow the parameters that say who asks.</summary>
    public static string Verdicts(AccessView view, EntityDefinition entity, params ReadOnlySpan<AccessOperation> operations)
    {
        var verdicts = new List<string>();
        foreach (var operation in operations)
        {
            verdicts.Add(Condition(view, entity, operation, "r") ?? "TRUE");
        }

        return $"SELECT r.id, {string.Join(", ", verdicts.Select(v => $"coalesce({v}, FALSE)"))} FROM {Sql.Table(entity.Name)} AS r WHERE r.id = ANY({view.Next})";
    }

    private static string Own(string alias) => $"{alias}.{Owner} = ANY({ActorAccess.Owners})";

    /// <summary>Owned by a member of the user's teams. Looked up row by row or, for many rows, in the set of all team mates, as the planner finds cheaper.</summary>
    private static string Mates(string alias) =>
        $"EXISTS (SELECT 1 FROM {Sql.Table("user")} AS m WHERE m.id = {alias}.{Owner} AND {InTeams}) "
        + $"OR EXISTS (SELECT 1 FROM {Sql.Table("user_teams")} AS m WHERE m.\"user_id\" = {alias}.{Owner} AND {InTeams})";

    /// <summary>Owned by one of the user's teams, or one below them.</summary>
    private static string Teams(string alias) => $"{alias}.{Owner} = ANY({ActorAccess.OwningTeams})";

    private static string? Shared(AccessView view, EntityDefinition entity, AccessOperation operation, string alias)
    {
        var level = operation switch
        {
            AccessOperation.Create or AccessOperation.Import => (ShareLevel?)null,
            AccessOperation.Read or AccessOperation.Export => ShareLevel.Read,
            AccessOperation.Write => ShareLevel.Write,
            _ => ShareLevel.Own,
        };
        return level is null || !view.HasShares(entity)
            ? null
            : $"EXISTS (SELECT 1 FROM crm.record_share AS s WHERE s.record_id = {alias}.id AND s.principal_id = ANY({ActorAccess.Principals}) AND s.level >= {(level == ShareLevel.Read ? "1" : level == ShareLevel.Write ? "2" : "3")})";
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
            if (field.Target is { } target && view.Full.TryEntity(target, out var end) && Condition(view, end, AccessOperation.Read, inner) is { } condition)
            {
                conditions.Add($"EXISTS (SELECT 1 FROM {Sql.Table(target)} AS {inner} WHERE {inner}.id = {alias}.{Sql.Quote(name + field.Type.Columns[0].Suffix)} AND {condition})");
            }
        }

        return conditions.Count == 0 ? null : string.Join(" AND ", conditions);
    }

    /// <summary>A part is read by those who read the record it is a part of, and written by those who change that.</summary>
    private static string Whole(AccessView view, EntityDefinition part, FieldDefinition field, AccessOperation operation, string alias, bool isInBin)
    {
        var asked = operation is AccessOperation.Read or AccessOperation.Export or AccessOperation.Share ? operation : AccessOperation.Write;
        var inner = alias + "w";
        var (id, entity) = (alias + "." + Sql.Quote(part.PartOf + field.Type.Columns[0].Suffix), alias + "." + Sql.Quote(part.PartOf + field.Type.Columns[1].Suffix));
        var (open, conditions) = (new List<string>(), new List<string>());
        foreach (var target in view.Full.Entity(part.Name).Field(part.PartOf!).Targets.Select(view.Full.Entity).Where(t => view.ReachOf(t, asked) != Reach.None))
        {
            var condition = Condition(view, target, asked, inner);
            if (condition is null && !isInBin)
            {
                open.Add(target.Name);
                continue;
            }

            var (here, pointer) = isInBin ? ("", $"ANY({alias}.refs)") : ($"{entity} = '{target.Name}' AND ", id);
            conditions.Add($"({here}EXISTS (SELECT 1 FROM {Sql.Table(target.Name)} AS {inner} WHERE {inner}.id = {pointer}{(condition is null ? "" : " AND " + condition)}))");
        }

        if (open.Count > 0)
        {
            conditions.Insert(0, $"{entity} IN ({string.Join(", ", open.Select(name => $"'{name}'"))})");
        }

        return conditions.Count == 0 ? "FALSE" : AnyOf([.. conditions]);
    }

    private static string AnyOf(params ReadOnlySpan<string?> conditions)
    {
        var given = new List<string>();
        foreach (var condition in conditions)
        {
            if (condition is not null)
            {
                given.Add(condition);
            }
        }

        return given.Count == 1 ? given[0] : $"({string.Join(" OR ", given)})";
    }
}
