using System.Diagnostics.CodeAnalysis;

namespace Crm.Metadata;

/// <summary>
/// Names of constraints and indexes: entity, <c>__</c>, column, <c>_</c> and a letter. No entity or column name holds <c>__</c>, so that no two can be
/// the same in the schema, and with 24 and 35 characters they fit PostgreSQL's 63.
/// </summary>
public static class TableNames
{
    private const string Separator = "__";

    /// <summary>Primary key of an entity.</summary>
    public static string PrimaryKey(string entity) => entity + Separator + "id_p";

    /// <summary>Unique index over a column.</summary>
    public static string Unique(string entity, string column) => entity + Separator + column + "_u";

    /// <summary>Foreign key of a column.</summary>
    public static string ForeignKey(string entity, string column) => entity + Separator + column + "_f";

    /// <summary>Index over a column.</summary>
    public static string Index(string entity, string column) => entity + Separator + column + "_i";

    /// <summary>Trigram index over a column.</summary>
    public static string Trigram(string entity, string column) => entity + Separator + column + "_t";

    /// <summary>The field of a column of match keys: <c>phone</c> of <c>phone__k</c>.</summary>
    public static string FieldOf(string column)
    {
        ArgumentNullException.ThrowIfNull(column);
        return column.IndexOf(Separator, StringComparison.Ordinal) is > 0 and var end ? column[..end] : column;
    }

    /// <summary>Takes the name of a constraint or index apart, to say which field a database error is about.</summary>
    /// <param name="name">The name, as the database reports it.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="column">The column.</param>
    public static bool TryParse(string? name, [NotNullWhen(true)] out string? entity, [NotNullWhen(true)] out string? column)
    {
        entity = column = null;
        if (name is not { Length: > 6 } || name.IndexOf(Separator, StringComparison.Ordinal) is not (> 0 and var split) || name[^2] != '_' || split + 2 >= name.Length - 2)
        {
            return false;
        }

        entity = name[..split];
        column = name[(split + 2)..^2];
        return true;
    }
}
