using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>What to read.</summary>
public sealed record RecordQuery
{
    /// <summary>Most rows a page may have.</summary>
    public const int MaxTop = 1000;

    /// <summary>Up to how many records are counted exactly where an estimate will do.</summary>
    public const int CountedExactly = 10_000;

    /// <summary>The entity.</summary>
    public required string Entity { get; init; }

    /// <summary>Field names, property names or paths through lookups (<c>company.name</c>); empty for all own visible fields.</summary>
    public ImmutableArray<string> Select { get; init; } = [];

    /// <summary>Which records; null for all.</summary>
    public Filter? Filter { get; init; }

    /// <summary>Words to be found in the entity's search fields.</summary>
    public string? Search { get; init; }

    /// <summary>What the words of <see cref="Search"/> find, and whether it comes in order of how well it fits.</summary>
    public SearchMode SearchMode { get; init; }

    /// <summary>Order; the id is always added last, so that it is total.</summary>
    public ImmutableArray<Sort> Sort { get; init; } = [];

    /// <summary>Rows of the page, at most <see cref="MaxTop"/>.</summary>
    public int Top { get; init; } = 50;

    /// <summary>Rows to leave out; for jumping to a page. Prefer <see cref="After"/>.</summary>
    public int Skip { get; init; }

    /// <summary>Continue after the row where an earlier page ended: its <see cref="RecordPage.Next"/>.</summary>
    public string? After { get; init; }

    /// <summary>Whether to count all records that match.</summary>
    public bool Count { get; init; }

    /// <summary>
    /// Whether more records than <see cref="CountedExactly"/> need not be counted: then <see cref="RecordPage.Count"/> is what the database expects, which costs nothing, however many there are.
    /// </summary>
    public bool Estimate { get; init; }

    /// <summary>Where the days of a <see cref="Filter.During"/> begin; null for UTC.</summary>
    public TimeZoneInfo? TimeZone { get; init; }
}

/// <summary>How a search finds.</summary>
public enum SearchMode
{
    /// <summary>Every word is part of a search field, in any case and with or without accents; in the order of the query.</summary>
    Sorted,

    /// <summary>The same, but records called exactly so come first, then those whose name begins so; the rest in the order of the query.</summary>
    BestFirst,

    /// <summary>Words that are spelt similarly are found too; the most similar names come first. Without the extension <c>pg_trgm</c> as <see cref="Sorted"/>.</summary>
    Similar,
}

/// <summary>One page.</summary>
/// <param name="Records">In order.</param>
/// <param name="Count">How many match in all, when asked for.</param>
/// <param name="Next">Where to continue; null on the last page.</param>
public sealed record RecordPage(ImmutableArray<Record> Records, long? Count, string? Next)
{
    /// <summary>Whether <see cref="Count"/> is an estimate, see <see cref="RecordQuery.Estimate"/>.</summary>
    public bool IsEstimate { get; init; }
}

/// <summary>One key of an order.</summary>
/// <param name="Path">Field name, property name or path through lookups.</param>
/// <param name="Descending">From greatest to smallest. Records without a value come last either way.</param>
public sealed record Sort(string Path, bool Descending = false);

/// <summary>A condition on records.</summary>
public abstract record Filter
{
    private Filter()
    {
    }

    /// <summary>All of them.</summary>
    public static Filter AllOf(params ImmutableArray<Filter> filters) => new All(filters);

    /// <summary>At least one of them.</summary>
    public static Filter AnyOf(params ImmutableArray<Filter> filters) => new Any(filters);

    /// <summary>Records whose field means the same as a text, however either is written; answered by an index.</summary>
    public static Filter Matches(string path, string text) => new Compare(path, FilterOperator.Matches, text);

    /// <summary>Equality; a null value means no value.</summary>
    public static Filter Equal(string path, object? value) => new Compare(path, FilterOperator.Equal, value);

    /// <summary>Every filter holds; true when empty.</summary>
    /// <param name="Filters">The filters.</param>
    public sealed record All(ImmutableArray<Filter> Filters) : Filter
    {
        /// <summary>Whether the same is asked in the same order.</summary>
        public bool Equals(All? other) => other is not null && Filters.SequenceEqual(other.Filters);

        /// <inheritdoc/>
        public override int GetHashCode() => Filters.Length;
    }

    /// <summary>One filter holds; false when empty.</summary>
    /// <param name="Filters">The filters.</param>
    public sealed record Any(ImmutableArray<Filter> Filters) : Filter
    {
        /// <summary>Whether the same is asked in the same order.</summary>
        public bool Equals(Any? other) => other is not null && Filters.SequenceEqual(other.Filters);

        /// <inheritdoc/>
        public override int GetHashCode() => ~Filters.Length;
    }

    /// <summary>The filter does not hold. A comparison with a missing value is false, so its negation is true.</summary>
    /// <param name="Filter">The filter.</param>
    public sealed record Not(Filter Filter) : Filter;

    /// <summary>A field compared with a value.</summary>
    /// <param name="Path">Field name, property name or path through lookups.</param>
    /// <param name="Operator">How.</param>
    /// <param name="Value">Input as the field's type takes it; null only with equal and not equal.</param>
    public sealed record Compare(string Path, FilterOperator Operator, object? Value) : Filter;

    /// <summary>At least one link of a many-to-many field is as asked; with no filter, there is one.</summary>
    /// <param name="Path">The field, or a path through lookups to it.</param>
    /// <param name="Where">About the link; paths begin there: <c>role</c>, <c>contact.last_name</c>.</param>
    public sealed record Linked(string Path, Filter? Where = null) : Filter;

    /// <summary>At least one record that points here is as asked; with no filter, there is one.</summary>
    /// <param name="Entity">The entity of the records that point here.</param>
    /// <param name="Lookup">Their field that does.</param>
    /// <param name="Where">About them; paths begin there: <c>stage</c>, <c>owner.name</c>.</param>
    public sealed record Related(string Entity, string Lookup, Filter? Where = null) : Filter;

    /// <summary>A date or moment lies in a period counted from today.</summary>
    /// <param name="Path">The field, or a path through lookups to it.</param>
    /// <param name="Period">Which period.</param>
    /// <param name="Days">How many days, for the periods of days; 1 to <see cref="MaxDays"/>.</param>
    public sealed record During(string Path, Period Period, int Days = 1) : Filter
    {
        /// <summary>Most days of a period.</summary>
        public const int MaxDays = 36_500;
    }

    /// <summary>A field of a user names whoever asks.</summary>
    /// <param name="Path">The field, or a path through lookups to it.</param>
    public sealed record Mine(string Path) : Filter;

    /// <summary>A field is one of several values.</summary>
    /// <param name="Path">Field name, property name or path through lookups.</param>
    /// <param name="Values">Input as the field's type takes it.</param>
    public sealed record In(string Path, ImmutableArray<object?> Values) : Filter
    {
        /// <summary>Whether the same is asked in the same order.</summary>
        public bool Equals(In? other) => other is not null && Path == other.Path && Values.SequenceEqual(other.Values);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Path, Values.Length);
    }
}

/// <summary>A period counted from today. Weeks begin on Monday.</summary>
public enum Period
{
    /// <summary>The day.</summary>
    Today,

    /// <summary>The day before.</summary>
    Yesterday,

    /// <summary>The day after.</summary>
    Tomorrow,

    /// <summary>The week of today.</summary>
    ThisWeek,

    /// <summary>The week before.</summary>
    LastWeek,

    /// <summary>The week after.</summary>
    NextWeek,

    /// <summary>The month of today.</summary>
    ThisMonth,

    /// <summary>The month before.</summary>
    LastMonth,

    /// <summary>The month after.</summary>
    NextMonth,

    /// <summary>The quarter of today.</summary>
    ThisQuarter,

    /// <summary>The quarter before.</summary>
    LastQuarter,

    /// <summary>The quarter after.</summary>
    NextQuarter,

    /// <summary>The year of today.</summary>
    ThisYear,

    /// <summary>The year before.</summary>
    LastYear,

    /// <summary>The year after.</summary>
    NextYear,

    /// <summary>A number of days that ends with today.</summary>
    LastDays,

    /// <summary>A number of days that begins with today.</summary>
    NextDays,

    /// <summary>Everything before a number of days that ends with today; one day is everything before today.</summary>
    BeforeLastDays,

    /// <summary>Everything after a number of days that begins with today; one day is everything after today.</summary>
    AfterNextDays,
}

/// <summary>How a filter compares.</summary>
public enum FilterOperator
{
    /// <summary>The same value; texts are compared exactly.</summary>
    Equal,

    /// <summary>Another value, or none.</summary>
    NotEqual,

    /// <summary>Smaller.</summary>
    Less,

    /// <summary>Smaller or the same.</summary>
    LessOrEqual,

    /// <summary>Greater.</summary>
    Greater,

    /// <summary>Greater or the same.</summary>
    GreaterOrEqual,

    /// <summary>The text holds the value, in any case; a multi-choice field holds the choice.</summary>
    Contains,

    /// <summary>The text begins with the value, in any case.</summary>
    StartsWith,

    /// <summary>The text ends with the value, in any case.</summary>
    EndsWith,

    /// <summary>The same text, in any case.</summary>
    EqualAnyCase,

    /// <summary>
    /// The same by its match key, see <see cref="MatchKeys"/>: a phone number in any notation, a name with any legal form, the host of a web address, an e-mail
    /// address or, where the value is none, the domain of addresses.
    /// </summary>
    Matches,
}

/// <summary>What to group and aggregate.</summary>
public sealed record AggregateQuery
{
    /// <summary>The entity.</summary>
    public required string Entity { get; init; }

    /// <summary>Paths to group by; empty for one row over all.</summary>
    public ImmutableArray<string> GroupBy { get; init; } = [];

    /// <summary>What to compute.</summary>
    public ImmutableArray<Aggregate> Aggregates { get; init; } = [];

    /// <summary>Which records; null for all.</summary>
    public Filter? Filter { get; init; }

    /// <summary>Where the days of a <see cref="Filter.During"/> begin; null for UTC.</summary>
    public TimeZoneInfo? TimeZone { get; init; }
}

/// <summary>One aggregate.</summary>
/// <param name="Function">Which.</param>
/// <param name="Path">Over which property; null only for <see cref="AggregateFunction.Count"/>.</param>
/// <param name="Alias">Name of the result.</param>
public sealed record Aggregate(AggregateFunction Function, string? Path, string Alias);

/// <summary>Aggregate functions; records without a value are left out, except by a count without path.</summary>
public enum AggregateFunction
{
    /// <summary>How many.</summary>
    Count,

    /// <summary>Sum of numbers.</summary>
    Sum,

    /// <summary>Smallest.</summary>
    Min,

    /// <summary>Greatest.</summary>
    Max,

    /// <summary>Arithmetic mean of numbers.</summary>
    Average,

    /// <summary>How many different values.</summary>
    CountDistinct,
}

/// <summary>One group.</summary>
/// <param name="Values">Group values by path and aggregates by alias; column values (a money field gives its amount).</param>
public sealed record AggregateRow(IReadOnlyDictionary<string, object?> Values);

/// <summary>A query that cannot be run; the caller's mistake.</summary>
/// <param name="code">Stable code, see <see cref="ErrorCodes"/>.</param>
/// <param name="message">For the caller.</param>
/// <param name="target">The name at fault.</param>
public sealed class QueryException(string code, string message, string? target = null) : Exception(message)
{
    /// <summary>Stable code.</summary>
    public string Code { get; } = code;

    /// <summary>The name at fault.</summary>
    public string? Target { get; } = target;
}
