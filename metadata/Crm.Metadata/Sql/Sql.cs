namespace Crm.Metadata;

/// <summary>The only place where a name becomes part of an SQL text. Names come from the metadata snapshot; values are always parameters.</summary>
public static class Sql
{
    /// <summary>Schema of the tables records are stored in.</summary>
    public const string RecordsSchema = "records";

    /// <summary>A quoted identifier: <c>company</c> gives <c>"company"</c>.</summary>
    public static string Quote(string identifier)
    {
        ArgumentException.ThrowIfNullOrEmpty(identifier);
        if (identifier.Length > 63 || identifier.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("Not a name PostgreSQL can hold.", nameof(identifier));
        }

        return "\"" + identifier.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }

    /// <summary>The table of an entity: <c>company</c> gives <c>records."company"</c>.</summary>
    public static string Table(string entity) => RecordsSchema + "." + Quote(entity);

    /// <summary>A name of a definition as a text, for steps of a plan, which are shown as they run; never a value a user gave.</summary>
    internal static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
