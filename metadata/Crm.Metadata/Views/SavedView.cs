using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>A list that a user saved: a query under a name (PLT-17).</summary>
/// <param name="Id">Its id; the name of its view is written from it.</param>
/// <param name="Entity">The entity listed.</param>
/// <param name="Name">Shown in the list's drop-down.</param>
/// <param name="IsShared">Whether everybody sees it; otherwise only its owner does.</param>
/// <param name="Owner">Who saved it.</param>
/// <param name="Columns">Fields, or paths through lookups.</param>
/// <param name="Filter">Which records are listed; null for all.</param>
/// <param name="Sort">Their order.</param>
public sealed record SavedView(Guid Id, string Entity, string Name, bool IsShared, Guid Owner, ImmutableArray<string> Columns, Filter? Filter, ImmutableArray<Sort> Sort)
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxName = 100;

    /// <summary>The view as lists take it.</summary>
    public ViewDefinition Definition => new(Id.ToString("N"), Name, Columns, Filter, Sort);

    /// <summary>Whether somebody may change or delete it.</summary>
    public bool MayChange(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return IsShared ? actor.IsAdministrator : Owner == actor.UserId;
    }
}

/// <summary>What a user can choose from in a list, beside the views of its entity.</summary>
/// <param name="Views">Shared ones first, each by name.</param>
/// <param name="Default">Name of the view the user wants to see first; null for the entity's first.</param>
public sealed record SavedViewList(ImmutableArray<SavedView> Views, string? Default)
{
    /// <summary>The columns the user wants to see, by name of the view; views that are shown with their own are not in it.</summary>
    public ImmutableDictionary<string, ImmutableArray<string>> Columns { get; init; } = ImmutableDictionary<string, ImmutableArray<string>>.Empty;
}
