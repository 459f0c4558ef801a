using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What statements that calculate answer with, in this order: id, version, and every shown calculated field.</summary>
public static class CalculatedColumns
{
    /// <summary>The columns.</summary>
    /// <param name="entity">Whose.</param>
    /// <param name="alias">What the statement calls its table.</param>
    public static string Of(EntityDefinition entity, string alias)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return string.Join(
            ", ",
            entity.Fields.Where(f => f is { IsHidden: false, IsCalculated: true }).SelectMany(f => f.Type.Columns.Select(c => f.Name + c.Suffix)).Prepend("version").Prepend("id").Select(c => $"{alias}.{Sql.Quote(c)}"));
    }
}
