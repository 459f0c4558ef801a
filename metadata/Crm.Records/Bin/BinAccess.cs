using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Bin;

/// <summary>
/// Which rows of the recycle bin somebody sees: of entities whose records they may create, those they could have read and deleted. The conditions are those of
/// the records themselves, asked of the row that stands for them.
/// </summary>
internal sealed class BinAccess
{
    private readonly ActorAccess access;
    private readonly string[] open;
    private readonly string[] nameless;
    private readonly List<EntityDefinition> limited = [];

    public BinAccess(ActorAccess access)
    {
        this.access = access;
        var view = access.View;
        EntityDefinition[] entities =
        [
            .. view.Seen.Entities.Values
                .Where(e => !e.IsHidden && e.Link is null)
                .Select(e => view.Full.Entity(e.Name))
                .Where(e => view.ReachOf(e, AccessOperation.Create) != Reach.None && view.ReachOf(e, AccessOperation.Delete) != Reach.None),
        ];
        open = [.. entities.Where(e => Condition(e, "b") is null).Select(e => e.Name)];
        limited.AddRange(entities.Where(e => Condition(e, "b") is not null));
        nameless = [.. entities.Where(e => e.TitleFields.Any(t => e.TryField(t, out var field) && view.Of(e)?[field] == FieldAccess.None)).Select(e => e.Name)];
    }

    /// <summary>How many parameters come before those of the statement itself.</summary>
    public int Parameters => access.View.Parameters + 3;

    /// <summary>Entities whose names consist of what may not be read, as a parameter.</summary>
    public string Nameless => At(3);

    /// <summary>What a row has to meet.</summary>
    public string Condition(string alias)
    {
        var conditions = limited.Select((e, i) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"({alias}.entity = {At(2)}[{i + 1}] AND {Condition(e, alias)})"));
        return $"({string.Join(" OR ", conditions.Prepend($"{alias}.entity = ANY({At(1)})"))})";
    }

    /// <summary>Says who asks, of which entities.</summary>
    public void Bind(NpgsqlParameterCollection parameters)
    {
        access.Bind(parameters);
        parameters.Add(new() { Value = open });
        parameters.Add(new() { Value = limited.Select(e => e.Name).ToArray() });
        parameters.Add(new() { Value = nameless });
    }

    private string? Condition(EntityDefinition entity, string alias)
    {
        var (read, delete) = (access.View.BinCondition(entity, AccessOperation.Read, alias), access.View.BinCondition(entity, AccessOperation.Delete, alias));
        return read is null ? delete : delete is null || delete == read ? read : $"({read} AND {delete})";
    }

    private string At(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"(${access.View.Parameters + number}::text[])");
}
