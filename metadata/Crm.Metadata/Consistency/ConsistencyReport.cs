using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>Whether the tables in the database are what the definitions want.</summary>
/// <param name="Version">Version of the definitions that were compared.</param>
/// <param name="CheckedAt">When.</param>
/// <param name="Differences">Every difference; empty when all is as it should be.</param>
public sealed record ConsistencyReport(long Version, DateTimeOffset CheckedAt, ImmutableArray<CatalogueDifference> Differences)
{
    /// <summary>The JSON of <c>/api/metadata/consistency</c>.</summary>
    public JsonObject ToJson() => new()
    {
        ["version"] = Version,
        ["checked_at"] = CheckedAt,
        ["differences"] = new JsonArray([.. Differences.Select(d => new JsonObject
        {
            ["kind"] = ShapeJson.Word(d.Kind),
            ["part"] = ShapeJson.Word(d.Part),
            ["table"] = d.Table,
            ["name"] = d.Name,
            ["expected"] = d.Expected,
            ["found"] = d.Found,
            ["message"] = d.Message,
            ["sql"] = d.Sql,
        })]),
    };
}

/// <summary>Something in the database that is not as the definitions want it.</summary>
/// <param name="Kind">In which way.</param>
/// <param name="Part">What it is.</param>
/// <param name="Table">The table.</param>
/// <param name="Name">Name of the column, index or constraint; the table's own for a table.</param>
/// <param name="Expected">What should be there; null for something extra.</param>
/// <param name="Found">What is there; null for something missing.</param>
/// <param name="Message">For the administrator.</param>
/// <param name="Sql">A statement that puts it right without losing data; null when that takes a decision.</param>
public sealed record CatalogueDifference(DifferenceKind Kind, CataloguePart Part, string Table, string Name, string? Expected, string? Found, string Message, string? Sql);

/// <summary>In which way the database differs.</summary>
public enum DifferenceKind
{
    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>The definitions know nothing of it.</summary>
    Extra,

    /// <summary>It is there, in another shape.</summary>
    Different,
}

/// <summary>What of a table is compared.</summary>
public enum CataloguePart
{
    /// <summary>The table as a whole.</summary>
    Table,

    /// <summary>A column with its type.</summary>
    Column,

    /// <summary>The primary key.</summary>
    PrimaryKey,

    /// <summary>An index; a unique one forbids doubles.</summary>
    Index,

    /// <summary>A foreign key.</summary>
    ForeignKey,

    /// <summary>A trigger: one while a column gets another type, and those that keep users and teams among the principals.</summary>
    Trigger,
}
