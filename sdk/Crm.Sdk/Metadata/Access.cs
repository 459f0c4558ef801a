using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>What may be done with the records of an entity.</summary>
public enum AccessOperation
{
    /// <summary>See them, at every door: lists, forms, filters, sums, history, files, exports.</summary>
    Read,

    /// <summary>Make new ones.</summary>
    Create,

    /// <summary>Change them.</summary>
    Write,

    /// <summary>Delete them.</summary>
    Delete,

    /// <summary>Import files into the entity; each row needs what creating or changing its record needs.</summary>
    Import,

    /// <summary>Take them out as a file.</summary>
    Export,

    /// <summary>Share them with others, or restrict them.</summary>
    Share,
}

/// <summary>How far something goes.</summary>
public enum Reach
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Records the user owns, or somebody who reports to them, and records shared with them.</summary>
    Own,

    /// <summary>Also records that members of the user's teams own, or of the teams below those.</summary>
    Team,

    /// <summary>All records.</summary>
    All,
}

/// <summary>What somebody may do with the values of a field.</summary>
public enum FieldAccess
{
    /// <summary>Nothing: for them the field does not exist.</summary>
    None,

    /// <summary>See them.</summary>
    Read,

    /// <summary>See and change them.</summary>
    Write,
}

/// <summary>Who sees a record, as long as no role says more about it.</summary>
public enum Visibility
{
    /// <summary>Everybody may read and change it.</summary>
    PublicWrite,

    /// <summary>Everybody may read it; only its owner, those above the owner, and those it is shared with may change it.</summary>
    PublicRead,

    /// <summary>Only its owner, those above the owner, and those it is shared with see it.</summary>
    Private,
}

/// <summary>What a role may do with the records of an entity. A user has what any of their roles gives.</summary>
/// <param name="Role">Name of the role, a choice of the users' field <c>roles</c>, or <see cref="Everyone"/>.</param>
public sealed record GrantDefinition(string Role)
{
    /// <summary>The role everybody has. What its grants leave open follows from <see cref="EntityDefinition.Visibility"/>.</summary>
    public const string Everyone = "everyone";

    /// <summary>How far each operation goes; one that is not named gives nothing.</summary>
    public ImmutableSortedDictionary<AccessOperation, Reach> Reaches { get; init; } = ImmutableSortedDictionary<AccessOperation, Reach>.Empty;

    /// <summary>
    /// What may be done with fields, by name. A field that none of a user's roles names may be read and written as its record may; of one that is named they have
    /// the most that any of their roles says.
    /// </summary>
    public ImmutableSortedDictionary<string, FieldAccess> Fields { get; init; } = ImmutableSortedDictionary.Create<string, FieldAccess>(StringComparer.Ordinal);

    /// <summary>Id of the declaring module, <c>platform</c> or <c>custom</c>.</summary>
    public string Origin { get; init; } = Origins.Custom;

    /// <summary>How far an operation goes; null when the grant does not say.</summary>
    public Reach? ReachOf(AccessOperation operation) => Reaches.TryGetValue(operation, out var reach) ? reach : null;
}
