using System.Collections.Immutable;

namespace Crm.Workflows;

/// <summary>One version of a workflow.</summary>
/// <param name="Id">Id of the version.</param>
/// <param name="DefinitionId">Id of the workflow, the same for all its versions.</param>
/// <param name="Version">From 1.</param>
/// <param name="Name">For people.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Entity">Whose records it is about; null when it is about none.</param>
/// <param name="IsLatest">Whether there is no newer version.</param>
/// <param name="IsPublished">Whether it is the version that events start.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="CreatedByName">Who made it.</param>
/// <param name="PublishedAt">When it was published; null for a version that never was.</param>
public sealed record WorkflowDefinition(
    string Id, string DefinitionId, int Version, string Name, string? Description, string? Entity, bool IsLatest, bool IsPublished, DateTimeOffset CreatedAt, string CreatedByName,
    DateTimeOffset? PublishedAt)
{
    /// <summary>The definition as JSON of Elsa 3; empty in lists.</summary>
    public string Model { get; init; } = "";

    /// <summary>Whether it can still be changed.</summary>
    public bool IsDraft => PublishedAt is null;
}

/// <summary>What is wrong with a definition.</summary>
/// <param name="ActivityId">The activity at fault; null for the whole definition.</param>
/// <param name="Activity">Its name.</param>
/// <param name="Message">For the person who draws it; names the activity.</param>
public sealed record DefinitionProblem(string? ActivityId, string? Activity, string Message);

/// <summary>How saving or publishing a definition ended.</summary>
/// <param name="Definition">As stored; null when nothing was.</param>
/// <param name="Problems">What stands in the way of publishing.</param>
public sealed record DefinitionSaved(WorkflowDefinition? Definition, ImmutableArray<DefinitionProblem> Problems);
