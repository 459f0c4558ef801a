namespace Crm.Records;

/// <summary>What one query may ask for; beyond it the query is refused before it reaches the database.</summary>
public static class QueryLimits
{
    /// <summary>Most comparisons in a filter.</summary>
    public const int MaxTerms = 500;

    /// <summary>How deep a filter may be nested.</summary>
    public const int MaxDepth = 32;

    /// <summary>Most values of one list in a filter.</summary>
    public const int MaxListValues = 1000;

    /// <summary>Most names in a path through lookups.</summary>
    public const int MaxPathSegments = 4;

    /// <summary>Most lookups followed by one query.</summary>
    public const int MaxJoins = 24;

    /// <summary>Most selected paths.</summary>
    public const int MaxSelect = 200;

    /// <summary>Most keys of an order.</summary>
    public const int MaxSort = 8;

    /// <summary>Most words of a search.</summary>
    public const int MaxSearchWords = 10;

    /// <summary>Longest search, in characters.</summary>
    public const int MaxSearchLength = 200;

    /// <summary>Most rows an offset may leave out.</summary>
    public const int MaxSkip = 1_000_000;

    /// <summary>Most paths to group by.</summary>
    public const int MaxGroupBy = 8;

    /// <summary>Most aggregates.</summary>
    public const int MaxAggregates = 32;

    /// <summary>Most groups an aggregation may give.</summary>
    public const int MaxGroups = 10_000;

    /// <summary>Most rows of all pages that are read for each of several records together.</summary>
    public const int MaxEach = 20_000;

    /// <summary>How long the database may work on one query, in milliseconds.</summary>
    public const int TimeoutMilliseconds = 30_000;
}
