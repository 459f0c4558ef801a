using Crm.Metadata;

namespace Crm.Records;

/// <summary>Lets allow-lists that are kept as JSON mean an entity by its new name.</summary>
public static class ScopeNames
{
    /// <summary>The statement, with the names in <c>@From</c> and <c>@To</c>.</summary>
    /// <param name="table">A table of the product with the allow-lists in its column <c>scope</c>.</param>
    public static string Update(string table) =>
        $"""
        UPDATE crm.{Sql.Quote(table)} SET scope = jsonb_set(scope #- ARRAY['entities', @From], ARRAY['entities', @To], scope #> ARRAY['entities', @From])
        WHERE scope #> ARRAY['entities', @From] IS NOT NULL
        """;
}
