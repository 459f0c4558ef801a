namespace Crm.Sdk;

/// <summary>What a roll-up field is calculated from: the records of another entity that point here.</summary>
/// <param name="Entity">The entity of those records.</param>
/// <param name="Lookup">Their lookup that points here.</param>
/// <param name="Function">What is made of them.</param>
/// <param name="Value">An <see cref="Expression"/> over one of them that gives what is added, compared or taken; null only for <see cref="RollUpFunction.Count"/>.</param>
/// <param name="Condition">An <see cref="Expression"/> over one of them that decides whether it counts; null for all.</param>
/// <param name="OrderBy">For the first and the last: the field they are ordered by; when they were created if not given.</param>
public sealed record RollUpDefinition(string Entity, string Lookup, RollUpFunction Function, string? Value = null, string? Condition = null, string? OrderBy = null);

/// <summary>What is made of several records.</summary>
public enum RollUpFunction
{
    /// <summary>How many there are; 0 for none.</summary>
    Count,

    /// <summary>The sum of a number; 0 for none.</summary>
    Sum,

    /// <summary>The average of a number; empty for none.</summary>
    Average,

    /// <summary>The smallest number or the earliest date; empty for none.</summary>
    Min,

    /// <summary>The greatest number or the latest date; empty for none.</summary>
    Max,

    /// <summary>The value of the first that has one; empty for none.</summary>
    First,

    /// <summary>The value of the last that has one; empty for none.</summary>
    Last,
}
