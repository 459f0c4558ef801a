using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>Records chosen in a list: ticked rows, or everything the list finds.</summary>
/// <param name="Entity">Their entity.</param>
/// <param name="Ids">The ticked rows; empty when everything is chosen.</param>
/// <param name="Query">What the list finds, of which filter and search count; null for ticked rows.</param>
/// <param name="Count">How many they are, or were when the list was read.</param>
public sealed record GridSelection(EntityDefinition Entity, ImmutableArray<Guid> Ids, RecordQuery? Query, long Count);

/// <summary>What is to be done with a selection.</summary>
/// <param name="Selection">The records.</param>
/// <param name="IsDelete">Whether they are to be deleted instead of changed.</param>
public sealed record GridOperation(GridSelection Selection, bool IsDelete);

/// <summary>What a list shows, to be taken out as a file.</summary>
/// <param name="Entity">Whose records.</param>
/// <param name="Columns">The columns shown.</param>
/// <param name="Sort">The order in force.</param>
/// <param name="Count">How many records they are, or were when the list was read.</param>
public sealed record GridExport(EntityDefinition Entity, ImmutableArray<string> Columns, ImmutableArray<Sort> Sort, long Count)
{
    /// <summary>Name of the view whose records are listed; null for all records.</summary>
    public string? View { get; init; }

    /// <summary>Words the records were found by.</summary>
    public string Search { get; init; } = "";

    /// <summary>The filter of <see cref="GridState.Find"/>.</summary>
    public Filter? Find { get; init; }

    /// <summary>The ticked rows; empty for everything the list finds.</summary>
    public ImmutableArray<Guid> Ids { get; init; } = [];
}
