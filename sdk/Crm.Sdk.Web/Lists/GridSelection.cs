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
