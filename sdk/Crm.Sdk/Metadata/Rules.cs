using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>A rule of an entity. It gives the same verdict at every door, because every door asks <see cref="RuleVerdict"/>.</summary>
/// <param name="Name">Stable name within the entity.</param>
/// <param name="Kind">What follows from the condition.</param>
/// <param name="Condition">An <see cref="Expression"/> that gives yes or no; it sees the values as they would be stored.</param>
/// <param name="Fields">The fields it is about.</param>
public sealed record RuleDefinition(string Name, RuleKind Kind, string Condition, ImmutableArray<string> Fields)
{
    /// <summary>Shown to users when the rule refuses; made from the name when not given.</summary>
    public string? Label { get; init; }

    /// <summary>Shown to users instead of the usual words when the rule refuses.</summary>
    public string? Message { get; init; }

    /// <summary>Of <see cref="RuleKind.Options"/> about choices: those that are left while the condition holds.</summary>
    public ImmutableArray<string> Options { get; init; } = [];

    /// <summary>Id of the declaring module, <c>platform</c> or <c>custom</c>.</summary>
    public string Origin { get; init; } = Origins.Custom;
}

/// <summary>What a rule's condition decides.</summary>
public enum RuleKind
{
    /// <summary>While it holds, the fields need a value.</summary>
    Required,

    /// <summary>While it holds, the fields keep their value.</summary>
    ReadOnly,

    /// <summary>Only while it holds, the fields are shown, may be given a value, and are required if they are otherwise.</summary>
    Visible,

    /// <summary>It must hold. With fields named, it is asked only when all of them have a value.</summary>
    Valid,

    /// <summary>
    /// While it holds, the choice fields may hold <see cref="RuleDefinition.Options"/> only. About a lookup: it must hold of the record the lookup leads to,
    /// <c>contact.company = company</c>; forms offer only such records.
    /// </summary>
    Options,
}
