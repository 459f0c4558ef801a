using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What the planner found out without looking at records, and what must still be asked of them.</summary>
/// <param name="Before">Layers the plan starts from.</param>
/// <param name="After">Layers it leads to.</param>
/// <param name="Snapshot">Effective definitions it leads to.</param>
/// <param name="Errors">Why it cannot be done.</param>
/// <param name="Warnings">What should be known.</param>
/// <param name="Steps">What is done.</param>
/// <param name="Questions">What only the records can answer.</param>
internal sealed record PlanDraft(
    MetadataLayers Before,
    MetadataLayers After,
    MetadataSnapshot Snapshot,
    ImmutableArray<PlanMessage> Errors,
    ImmutableArray<PlanMessage> Warnings,
    ImmutableArray<PlanStep> Steps,
    ImmutableArray<DataQuestion> Questions)
{
    /// <summary>What uses the things that are hidden, removed or turned into something else.</summary>
    public ImmutableArray<PlanUse> Uses { get; init; } = [];

    /// <summary>What goes away or becomes something else: fields, and entities as a whole.</summary>
    public ImmutableArray<(string Entity, string? Field)> Touched { get; init; } = [];

    /// <summary>Names that have to be typed first.</summary>
    public ImmutableArray<string> Confirm { get; init; } = [];

    /// <summary>Fields that get another name.</summary>
    public ImmutableArray<FieldRename> Renames { get; init; } = [];

    /// <summary>Entities that get another name.</summary>
    public ImmutableArray<EntityRename> EntityRenames { get; init; } = [];

    /// <summary>What it starts from, with entities by the names they get.</summary>
    public required MetadataState Start { get; init; }

    /// <summary>Lists in which what a module and the customer changed holds side by side.</summary>
    public ImmutableHashSet<(string Entity, string Key)> MergedLists { get; init; } = [];

    /// <summary>Every statement, to see whether two plans do the same.</summary>
    public string Statements => string.Join(";\n", Steps.Where(s => s.Sql is not null).Select(s => s.Sql)) + (Steps.IsEmpty ? "" : ";\n");
}

/// <summary>A question about the records of a table that exists.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Entity">The entity as it is before the change, so that its columns exist.</param>
/// <param name="Field">The field as it will be.</param>
/// <param name="Column">The column; null when the field is new.</param>
internal sealed record DataQuestion(QuestionKind Kind, EntityDefinition Entity, FieldDefinition Field, string? Column)
{
    /// <summary>Choices or stages that go away.</summary>
    public ImmutableArray<string> Values { get; init; } = [];

    /// <summary>Columns that are added.</summary>
    public int Added { get; init; }

    /// <summary>Whether the answer stops the plan; a module's new version is only warned, because its author is not here to decide.</summary>
    public bool IsError { get; init; }
}

internal enum QuestionKind
{
    /// <summary>Values that more than one record has.</summary>
    Doubles,

    /// <summary>Records without a value.</summary>
    Missing,

    /// <summary>Records with a choice or stage that goes away.</summary>
    RemovedChoice,

    /// <summary>Records whose text is longer than allowed from now on.</summary>
    TooLong,

    /// <summary>Records whose number lies outside the new range.</summary>
    OutOfRange,

    /// <summary>Values that cannot be converted into the new type.</summary>
    Unconvertible,

    /// <summary>Columns the table ever had.</summary>
    Columns,

    /// <summary>Records with a choice, stage or tag that becomes another one.</summary>
    Merged,

    /// <summary>Records whose value is lost.</summary>
    Purged,
}
