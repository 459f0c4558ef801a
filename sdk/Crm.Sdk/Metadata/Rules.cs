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

    /// <summary>Of <see cref="RuleKind.Script"/>: what is run. Such a rule has no condition, and its fields are what <see cref="ScriptDefinition.When"/> says.</summary>
    public ScriptDefinition? Script { get; init; }

    /// <summary>Of <see cref="RuleKind.Duplicate"/>: how alike, and what then. Such a rule has no condition.</summary>
    public DuplicateDefinition? Duplicate { get; init; }

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

    /// <summary>A script in JavaScript decides.</summary>
    Script,

    /// <summary>
    /// A new record may not be like one that is there in all the fields the rule names. Phones, e-mails, addresses and names are compared by their match keys; a record
    /// without a value in one of the fields is like none. Only records that the user may read count.
    /// </summary>
    Duplicate,
}

/// <summary>What a rule about duplicates does.</summary>
/// <param name="IsRefused">True: a duplicate is refused at every door. False: whoever asks for duplicates (<see cref="RecordChange.AsksAboutDuplicates"/>) is told and may make it all the same.</param>
public sealed record DuplicateDefinition(bool IsRefused)
{
    /// <summary>The least <see cref="Similarity"/> that says anything.</summary>
    public const int LeastSimilarity = 30;

    /// <summary>How alike texts have to be, in percent: 100 for the same but for case, accents and legal forms. Everything but texts is the same or another.</summary>
    public int Similarity { get; init; } = 100;
}

/// <summary>A rule's script. It sees a record as JSON, gives its properties values and refuses; what it sets is checked like any other value.</summary>
/// <param name="Text">JavaScript, ES5.</param>
/// <param name="When">At which moment of a write it runs.</param>
public sealed record ScriptDefinition(string Text, ScriptMoment When)
{
    /// <summary>The budget of a script that names none, in milliseconds.</summary>
    public const int DefaultBudget = 2000;

    /// <summary>What it means for the write when the script itself fails.</summary>
    public ScriptFailing OnFailure { get; init; }

    /// <summary>How long it may take for one record, in milliseconds; for many records at once ten times as long in all.</summary>
    public int Budget { get; init; } = DefaultBudget;
}

/// <summary>When a script runs.</summary>
public enum ScriptMoment
{
    /// <summary>After a caller and modules gave values, when one of the rule's fields changes; without fields at every write. It may set and refuse.</summary>
    Change,

    /// <summary>After those, at every write. It gives the rule's fields their values and nothing else, and cannot refuse.</summary>
    Calculate,

    /// <summary>Once all values are final, formulas too, when one of the rule's fields changes; without fields at every write. It may refuse and cannot set.</summary>
    Validate,
}

/// <summary>What the failure of a script means.</summary>
public enum ScriptFailing
{
    /// <summary>The write is refused.</summary>
    Refuse,

    /// <summary>The write goes on as if there were no such rule.</summary>
    Continue,
}
